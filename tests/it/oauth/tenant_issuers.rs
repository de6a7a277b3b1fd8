//! Every tenant is an issuer of its own, at `/t/{tenant_id}`: the whole surface, its own keys, and
//! tokens that count nowhere else.

use serde_json::json;

use crate::support::{Answer, Client, TenantKeys, TestApp, both_engines, claims_of, header_of};

both_engines!(the_whole_surface_is_there, tokens_count_at_home_alone, the_default_tenant_has_one_issuer);

async fn token(app: &TestApp, tenant: &TenantKeys, client: &Client) -> Answer {
    let path = format!("/t/{}/oauth/token", tenant.id);
    app.basic(&path, &client.id, &client.secret, &[("grant_type", "client_credentials")]).await
}

async fn the_whole_surface_is_there(app: TestApp) {
    let tenant = app.tenant("another").await;
    let service = app.service_of(&tenant, "user:read").await;
    let access = token(&app, &tenant, &service).await.expect(200).str("access_token");
    let claims = claims_of(&access);
    assert_eq!(claims["iss"], json!(tenant.issuer));
    assert_eq!(claims["aud"], json!(tenant.issuer));
    assert_eq!(claims["tenant_id"], json!(tenant.id));
    let set = app.get(&format!("/t/{}/.well-known/jwks.json", tenant.id)).await.body(200);
    let kids: Vec<&serde_json::Value> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert!(kids.contains(&&header_of(&access)["kid"]), "signed with the tenant's own key");
    let default = app.get("/.well-known/jwks.json").await.body(200);
    assert!(default["keys"].as_array().unwrap().iter().all(|key| !kids.contains(&&key["kid"])), "keys are not shared");
    let fields = [("token", &*access)];
    let at = |path: &str| format!("/t/{}/oauth/{path}", tenant.id);
    let seen = app.basic(&at("introspect"), &service.id, &service.secret, &fields).await.body(200);
    assert_eq!(seen["active"], true);
    app.basic(&at("revoke"), &service.id, &service.secret, &fields).await.expect(200);
    let seen = app.basic(&at("introspect"), &service.id, &service.secret, &fields).await.body(200);
    assert_eq!(seen, json!({ "active": false }));
    app.get(&format!("/t/{}/oauth/nothing", tenant.id)).await.is_oauth_error(404, "invalid_request");
}

async fn tokens_count_at_home_alone(app: TestApp) {
    let (a, b) = (app.tenant("a").await, app.tenant("b").await);
    let (of_a, of_b) = (app.service_of(&a, "user:read").await, app.service_of(&b, "user:read internal:admin").await);
    let of_default = app.service("user:read internal:admin").await;
    // A client is known to its own tenant alone.
    token(&app, &b, &of_a).await.is_oauth_error(401, "invalid_client");
    token(&app, &a, &of_default).await.is_oauth_error(401, "invalid_client");
    app.credentials(&of_a).await.is_oauth_error(401, "invalid_client");
    // Nobody is told of another tenant's token, whatever they hold, and nobody ends it.
    let access = token(&app, &a, &of_a).await.expect(200).str("access_token");
    let fields = [("token", &*access)];
    let path = format!("/t/{}/oauth", b.id);
    let seen = app.basic(&format!("{path}/introspect"), &of_b.id, &of_b.secret, &fields).await.body(200);
    assert_eq!(seen, json!({ "active": false }));
    let seen = app.basic("/oauth/introspect", &of_default.id, &of_default.secret, &fields).await.body(200);
    assert_eq!(seen, json!({ "active": false }));
    for (path, client) in [(&*format!("{path}/revoke"), &of_b), ("/oauth/revoke", &of_default)] {
        let answer = app.basic(path, &client.id, &client.secret, &fields).await;
        assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    }
    let own = app.basic(&format!("/t/{}/oauth/introspect", a.id), &of_a.id, &of_a.secret, &fields).await.body(200);
    assert_eq!(own["active"], true, "nobody else has ended it");
}

async fn the_default_tenant_has_one_issuer(app: TestApp) {
    let service = app.service("user:read").await;
    let id = claims_of(&app.token_of(&service).await)["tenant_id"].as_str().unwrap().to_owned();
    // Under its id it would be a second issuer with the same keys.
    let answer = app.get(&format!("/t/{id}/.well-known/openid-configuration")).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    let fields = [("grant_type", "client_credentials")];
    let answer = app.basic(&format!("/t/{id}/oauth/token"), &service.id, &service.secret, &fields).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    for unknown in ["tnt_00000000000000000000000000000000", "tnt_", "TNT_1"] {
        let answer = app.basic(&format!("/t/{unknown}/oauth/token"), &service.id, &service.secret, &fields).await;
        assert!(matches!(answer.status, 400 | 404 | 405), "{unknown}: {answer:?}");
    }
}
