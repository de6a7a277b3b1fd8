//! RFC 7662: what a client is told about a token, and what not.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::model::client::{AccessTokenFormat, AuthMethod, GrantType};
use serde_json::{Value, json};

use crate::support::{Client, TestApp, both_engines, claims_of};

both_engines!(
    the_own_token_is_described,
    inactive_is_all_there_is_to_know,
    others_learn_nothing,
    reference_tokens_are_described_too,
    refresh_tokens_are_described_to_their_client,
    who_proves_nothing_learns_nothing,
);

async fn look(app: &TestApp, client: &Client, token: &str) -> Value {
    app.basic("/oauth/introspect", &client.id, &client.secret, &[("token", token)]).await.body(200)
}

async fn the_own_token_is_described(app: TestApp) {
    let service = app.service("user:read role:read").await;
    let token = app.token_of(&service).await;
    let claims = claims_of(&token);
    let expected = json!({
        "active": true, "scope": "role:read user:read", "client_id": service.id, "token_type": "Bearer",
        "exp": claims["exp"], "iat": claims["iat"], "sub": service.id, "aud": app.base, "iss": app.base,
        "jti": claims["jti"], "tenant_id": claims["tenant_id"],
    });
    assert_eq!(look(&app, &service, &token).await, expected);
}

async fn inactive_is_all_there_is_to_know(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    for nonsense in ["x", "a.b.c", "gha_1", &token[..token.len() - 3], &format!("{token}x")] {
        assert_eq!(look(&app, &service, nonsense).await, json!({ "active": false }), "{nonsense}");
    }
    app.advance(Duration::from_secs(299));
    assert_eq!(look(&app, &service, &token).await["active"], true);
    app.advance(Duration::from_secs(1));
    assert_eq!(look(&app, &service, &token).await, json!({ "active": false }));
}

async fn others_learn_nothing(app: TestApp) {
    let token = app.service_token("user:read").await;
    let other = app.service("user:read system:admin").await;
    assert_eq!(look(&app, &other, &token).await, json!({ "active": false }));
    let admin = app.service("internal:admin").await;
    assert_eq!(look(&app, &admin, &token).await["active"], true);
    // Whom a token is meant for may look at it.
    let audience = "https://api.example.org";
    let caller = NewClient { audiences: vec![audience.to_owned()], ..NewClient::service("caller") };
    let caller = app.client(caller).await;
    let fields = [("grant_type", "client_credentials"), ("resource", audience)];
    let token = app.basic("/oauth/token", &caller.id, &caller.secret, &fields).await.expect(200).str("access_token");
    let api = NewClient { default_audience: Some(audience.to_owned()), ..NewClient::service("api") };
    let api = app.client(api).await;
    assert_eq!(look(&app, &api, &token).await["aud"], audience);
    assert_eq!(look(&app, &other, &token).await, json!({ "active": false }));
}

async fn reference_tokens_are_described_too(app: TestApp) {
    let new = NewClient {
        access_token_format: AccessTokenFormat::Opaque,
        scope: "user:read".parse().unwrap(),
        ..NewClient::service("opaque")
    };
    let service = app.client(new).await;
    let token = app.token_of(&service).await;
    assert!(token.starts_with("gha_") && !token.contains('.'), "{token}");
    let body = look(&app, &service, &token).await;
    assert_eq!(body["active"], true);
    assert_eq!(body["sub"], json!(service.id));
    assert_eq!(body["scope"], "user:read");
    // It opens what it may open, and is not kept in a form that would.
    app.get_as(&token, "/api/internal/users").await.expect(200);
    let rows = app.sql().await.dump(&[]).await.join("\n");
    assert!(!rows.contains(&token[4..]), "stored as it is");
    app.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &token)]).await.expect(200);
    assert_eq!(look(&app, &service, &token).await, json!({ "active": false }));
    app.get_as(&token, "/api/internal/users").await.expect(401);
    let token = app.token_of(&service).await;
    app.advance(Duration::from_secs(300));
    assert_eq!(look(&app, &service, &token).await, json!({ "active": false }));
}

async fn refresh_tokens_are_described_to_their_client(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let answer = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200);
    let body = look(&app, &people, &answer.str("refresh_token")).await;
    assert_eq!(body["active"], true);
    assert_eq!(body["sub"], json!(user.id.to_string()));
    assert_eq!(body["client_id"], json!(people.id));
    let other = app.service("internal:admin").await;
    assert_eq!(look(&app, &other, &answer.str("refresh_token")).await, json!({ "active": false }));
    app.refresh(&people, &answer.str("refresh_token")).await.expect(200);
    assert_eq!(look(&app, &people, &answer.str("refresh_token")).await, json!({ "active": false }));
}

async fn who_proves_nothing_learns_nothing(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    app.basic("/oauth/introspect", &service.id, "wrong", &[("token", &token)])
        .await
        .is_oauth_error(401, "invalid_client");
    app.form("/oauth/introspect", &[("token", &token)]).await.is_oauth_error(401, "invalid_client");
    let missing = app.basic("/oauth/introspect", &service.id, &service.secret, &[("token", "")]).await;
    missing.is_oauth_error(400, "invalid_request");
    let public = NewClient {
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::Password],
        ..NewClient::service("public")
    };
    let public = app.client(public).await;
    let fields = [("token", &*token), ("client_id", &*public.id)];
    app.form("/oauth/introspect", &fields).await.is_oauth_error(401, "invalid_client");
}
