//! RFC 6749 §4.3: a person's password through a client that was allowed to see it.

use gatehouse::domain::users;
use serde_json::json;

use crate::support::{TestApp, both_engines, claims_of};

both_engines!(
    a_person_signs_in,
    every_refusal_says_the_same,
    names_are_one_name_space_and_fold,
    a_missing_half_is_an_invalid_request,
    refresh_tokens_only_for_clients_that_may_refresh,
    a_second_factor_closes_this_way_in,
);

async fn a_person_signs_in(app: TestApp) {
    let user = app.user("Alice@Example.org", "open sesame").await;
    let people = app.password_app("openid profile email").await;
    let body = app.sign_in(&people, "Alice@Example.org", "open sesame").await.body(200);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], "openid profile email");
    assert!(body["refresh_token"].as_str().unwrap().starts_with("ghr_"));
    let claims = claims_of(body["access_token"].as_str().unwrap());
    assert_eq!(claims["sub"], json!(user.id.to_string()));
    assert_eq!(claims["client_id"], json!(people.id));
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["auth_time"], json!(app.now().seconds()));
    // No secret of the person and nothing of the password in it.
    assert!(!claims.to_string().contains("sesame"));
}

async fn every_refusal_says_the_same(app: TestApp) {
    let disabled = app.user("disabled@example.org", "open sesame").await;
    users::set_enabled(&app.ctx().await, disabled.id, false).await.unwrap();
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let mut texts = Vec::new();
    for (name, password) in [
        ("alice@example.org", "wrong"),
        ("alice@example.org", "Open sesame"),
        ("nobody@example.org", "open sesame"),
        ("disabled@example.org", "open sesame"),
        ("alice@example.org", &"x".repeat(5000)),
        ("\u{0}", "open sesame"),
    ] {
        let answer = app.sign_in(&people, name, password).await;
        answer.is_oauth_error(400, "invalid_grant");
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one text for every cause: {texts:?}");
    app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200);
}

async fn names_are_one_name_space_and_fold(app: TestApp) {
    app.user("Ärger@Example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    for name in ["ärger@example.org", "ÄRGER@EXAMPLE.ORG", " ärger@example.org ", "a\u{308}rger@example.org"] {
        app.sign_in(&people, name, "open sesame").await.expect(200);
    }
}

async fn a_missing_half_is_an_invalid_request(app: TestApp) {
    let people = app.password_app("openid").await;
    for fields in
        [&[("grant_type", "password"), ("username", "a")][..], &[("grant_type", "password"), ("password", "a")]]
    {
        app.basic("/oauth/token", &people.id, &people.secret, fields).await.is_oauth_error(400, "invalid_request");
    }
    let fields = [("grant_type", "password"), ("username", "a"), ("password", "b"), ("scope", "openid more")];
    app.basic("/oauth/token", &people.id, &people.secret, &fields).await.is_oauth_error(400, "invalid_scope");
}

async fn refresh_tokens_only_for_clients_that_may_refresh(app: TestApp) {
    let mut new = crate::support::password_app("openid");
    new.grant_types.pop();
    let people = app.client(new).await;
    app.user("alice@example.org", "open sesame").await;
    let body = app.sign_in(&people, "alice@example.org", "open sesame").await.body(200);
    assert_eq!(body.get("refresh_token"), None);
}

async fn a_second_factor_closes_this_way_in(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, "ada@acme.example", "123456").await;
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    // Nobody can enrol one yet; the row says what an enrolment will.
    app.sql().await.run("UPDATE users SET has_second_factor = true").await;
    app.sign_in(&people, "alice@example.org", "open sesame").await.is_oauth_error(400, "invalid_grant");
    for (password, status, text) in [("123456", 403, "mfa required"), ("wrong", 401, "invalid email or password")] {
        let body = json!({ "email": "ada@acme.example", "password": password });
        app.post(&tenant.public, "/v1/auth/login", &body).await.is_error(status, text);
    }
}
