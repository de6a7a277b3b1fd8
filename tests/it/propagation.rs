//! What one copy changes, the other one knows within a second; and the command line beside a server
//! is one more copy.

use std::time::Duration;

use gatehouse::domain::access::Powers;
use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::domain::keys;
use gatehouse::domain::{services, tenants, users};
use gatehouse::model::signing_key::SigningAlg;
use gatehouse::model::tenant::TenantKeyKind;
use serde_json::json;

use crate::support::{TestApp, both_engines, header_of, within};

both_engines!(
    a_revoked_token,
    a_revoked_scope,
    a_disabled_client,
    a_disabled_user,
    a_replaced_secret,
    a_replaced_tenant_key,
    a_rotated_signing_key,
    what_is_made_is_there_at_once,
);

/// What was decided here is seen there. On one copy it must be seen at once.
const SOON: Duration = Duration::from_millis(1200);

async fn two(app: TestApp) -> (TestApp, TestApp) {
    let [there, here] = app.copies().await;
    (here, there)
}

async fn a_revoked_token(app: TestApp) {
    let (here, there) = two(app).await;
    let service = here.service("user:read").await;
    let token = here.token_of(&service).await;
    there.get_as(&token, "/api/internal/users").await.expect(200);
    here.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &token)]).await.expect(200);
    here.get_as(&token, "/api/internal/users").await.expect(401);
    within(SOON, "a revoked token", async || there.get_as(&token, "/api/internal/users").await.status == 401).await;
}

async fn a_revoked_scope(app: TestApp) {
    let (here, there) = two(app).await;
    let service = here.service("user:read").await;
    let token = here.token_of(&service).await;
    there.get_as(&token, "/api/internal/users").await.expect(200);
    services::set_scope(&here.ctx().await, Powers::operator(), &service.id.parse().unwrap(), "user:read", false)
        .await
        .unwrap();
    here.get_as(&token, "/api/internal/users").await.expect(403);
    within(SOON, "a revoked scope", async || there.get_as(&token, "/api/internal/users").await.status == 403).await;
    services::set_scope(&here.ctx().await, Powers::operator(), &service.id.parse().unwrap(), "user:read", true)
        .await
        .unwrap();
    within(SOON, "a granted scope", async || there.credentials(&service).await.str("scope") == "user:read").await;
}

async fn a_disabled_client(app: TestApp) {
    let (here, there) = two(app).await;
    let service = here.service("user:read").await;
    let token = there.token_of(&service).await;
    there.get_as(&token, "/api/internal/users").await.expect(200);
    let switch = |on| ClientChange { enabled: Some(on), ..ClientChange::default() };
    let id = service.id.parse().unwrap();
    clients::update(&here.ctx().await, &id, switch(false)).await.unwrap();
    here.credentials(&service).await.is_oauth_error(401, "invalid_client");
    within(SOON, "a disabled client", async || there.credentials(&service).await.status == 401).await;
    there.get_as(&token, "/api/internal/users").await.expect(401);
    clients::update(&here.ctx().await, &id, switch(true)).await.unwrap();
    within(SOON, "an enabled client", async || there.credentials(&service).await.status == 200).await;
    clients::delete(&here.ctx().await, &id).await.unwrap();
    within(SOON, "a deleted client", async || there.credentials(&service).await.status == 401).await;
}

async fn a_disabled_user(app: TestApp) {
    let (here, there) = two(app).await;
    let tenant = here.tenant("Acme").await;
    let (id, token) = there.tenant_user(&tenant, "alice@example.org", "123456").await;
    there.get_as(&token, "/v1/users/me").await.expect(200);
    users::set_enabled(&here.ctx_of(&tenant).await, id.parse().unwrap(), false).await.unwrap();
    here.get_as(&token, "/v1/users/me").await.expect(401);
    within(SOON, "a disabled user", async || there.get_as(&token, "/v1/users/me").await.status == 401).await;
    // Issuing reads the row itself: there is no second in which a disabled person signs in.
    users::set_enabled(&here.ctx_of(&tenant).await, id.parse().unwrap(), true).await.unwrap();
    let login = json!({ "email": "alice@example.org", "password": "123456" });
    there.post(&tenant.public, "/v1/auth/login", &login).await.expect(200);
    users::set_enabled(&here.ctx_of(&tenant).await, id.parse().unwrap(), false).await.unwrap();
    there.post(&tenant.public, "/v1/auth/login", &login).await.expect(401);
}

async fn a_replaced_secret(app: TestApp) {
    let (here, there) = two(app).await;
    let service = here.service("user:read").await;
    there.credentials(&service).await.expect(200);
    clients::rotate_secret(&here.ctx().await, &service.id.parse().unwrap(), Duration::ZERO).await.unwrap();
    here.credentials(&service).await.is_oauth_error(401, "invalid_client");
    within(SOON, "a replaced secret", async || there.credentials(&service).await.status == 401).await;
}

async fn a_replaced_tenant_key(app: TestApp) {
    let (here, there) = two(app).await;
    let tenant = here.tenant("Acme").await;
    there.get_as(&tenant.secret, "/v1/users").await.expect(200);
    let ctx = here.ctx_of(&tenant).await;
    let new = tenants::rotate_key(&ctx, TenantKeyKind::Secret, Duration::ZERO).await.unwrap().expose().clone();
    there.get_as(&new, "/v1/users").await.expect(200);
    within(SOON, "a replaced key", async || there.get_as(&tenant.secret, "/v1/users").await.status == 401).await;
}

async fn a_rotated_signing_key(app: TestApp) {
    let (here, there) = two(app).await;
    let service = here.service("user:read").await;
    let old = there.token_of(&service).await;
    keys::rotate(&here.ctx().await, SigningAlg::Es256, true).await.unwrap();
    let new = here.token_of(&service).await;
    assert_ne!(header_of(&old)["kid"], header_of(&new)["kid"]);
    within(SOON, "a token of the new key", async || there.get_as(&new, "/api/internal/users").await.status == 200)
        .await;
    there.get_as(&old, "/api/internal/users").await.expect(200);
    within(SOON, "the new key signs", async || {
        header_of(&there.token_of(&service).await)["kid"] == header_of(&new)["kid"]
    })
    .await;
    let kid = header_of(&old)["kid"].as_str().unwrap().parse().unwrap();
    keys::retire(&here.ctx().await, &kid).await.unwrap();
    within(SOON, "a removed key", async || there.get_as(&old, "/api/internal/users").await.status == 401).await;
}

async fn what_is_made_is_there_at_once(app: TestApp) {
    let (here, there) = two(app).await;
    for _ in 0..5 {
        let service = here.service("user:read").await;
        let token = there.token_of(&service).await;
        here.get_as(&token, "/api/internal/users").await.expect(200);
        let tenant = there.tenant("Acme").await;
        let (_, token) = here.tenant_user(&tenant, "alice@example.org", "123456").await;
        there.get_as(&token, "/v1/users/me").await.expect(200);
    }
}
