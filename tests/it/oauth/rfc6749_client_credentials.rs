//! RFC 6749 §4.4: a service acts for itself.

use serde_json::json;

use crate::support::{Client, TestApp, both_engines, claims_of};

both_engines!(
    a_service_gets_a_token,
    scope_is_what_was_granted_and_no_more,
    a_service_gets_no_refresh_token,
    only_a_registered_grant_may_be_used,
    grant_types_that_are_not_there,
);

async fn a_service_gets_a_token(app: TestApp) {
    let service = app.service("user:read role:read").await;
    let answer = app.credentials(&service).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "role:read user:read");
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    let claims = claims_of(body["access_token"].as_str().unwrap());
    assert_eq!(claims["sub"], json!(service.id));
    assert_eq!(claims["client_id"], json!(service.id));
    assert_eq!(claims["scope"], "role:read user:read");
}

async fn ask(app: &TestApp, service: &Client, scope: &str) -> crate::support::Answer {
    let fields = [("grant_type", "client_credentials"), ("scope", scope)];
    app.basic("/oauth/token", &service.id, &service.secret, &fields).await
}

async fn scope_is_what_was_granted_and_no_more(app: TestApp) {
    let service = app.service("user:read role:read").await;
    let part = ask(&app, &service, "user:read").await.expect(200);
    assert_eq!(part.str("scope"), "user:read");
    assert_eq!(claims_of(&part.str("access_token"))["scope"], "user:read");
    // An empty parameter is an absent one (RFC 6749 §3.2).
    assert_eq!(ask(&app, &service, "").await.expect(200).str("scope"), "role:read user:read");
    for more in ["user:read user:write", "system:admin", "nonsense", "\"", "a\\b", "ü", " "] {
        ask(&app, &service, more).await.is_oauth_error(400, "invalid_scope");
    }
    // A service without scopes gets a token whose scope is empty.
    let bare = app.service("").await;
    let answer = app.credentials(&bare).await.expect(200);
    assert_eq!(answer.str("scope"), "");
    assert_eq!(claims_of(&answer.str("access_token"))["scope"], "");
}

async fn a_service_gets_no_refresh_token(app: TestApp) {
    let service = app.service("user:read").await;
    assert_eq!(app.credentials(&service).await.body(200).get("refresh_token"), None);
}

async fn only_a_registered_grant_may_be_used(app: TestApp) {
    let service = app.service("user:read").await;
    app.sign_in(&service, "a@example.org", "secret").await.is_oauth_error(400, "unauthorized_client");
    app.refresh(&service, "ghr_x").await.is_oauth_error(400, "unauthorized_client");
    let people = app.password_app("openid").await;
    app.credentials(&people).await.is_oauth_error(400, "unauthorized_client");
}

async fn grant_types_that_are_not_there(app: TestApp) {
    let service = app.service("user:read").await;
    for grant in ["implicit", "CLIENT_CREDENTIALS", "urn:openid:params:grant-type:ciba"] {
        let answer = app.basic("/oauth/token", &service.id, &service.secret, &[("grant_type", grant)]).await;
        answer.is_oauth_error(400, "unsupported_grant_type");
    }
    let answer = app.basic("/oauth/token", &service.id, &service.secret, &[("scope", "user:read")]).await;
    answer.is_oauth_error(400, "invalid_request");
    let answer = app.basic("/oauth/token", &service.id, &service.secret, &[("grant_type", "")]).await;
    answer.is_oauth_error(400, "invalid_request");
    // The client before the grant: who proves nothing learns nothing about grants.
    let answer = app.basic("/oauth/token", &service.id, "wrong", &[("grant_type", "implicit")]).await;
    answer.is_oauth_error(401, "invalid_client");
}
