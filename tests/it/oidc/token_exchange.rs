//! A service acts for a person, under its own name (RFC 8693).

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::users;
use gatehouse::model::client::GrantType;
use serde_json::{Value, json};

use super::suite::{ALICE, CODE, Suite, person};
use crate::support::{Answer, Client, TestApp, both_engines, claims_of, code_app};

both_engines!(
    a_service_gets_a_token_of_its_own,
    each_service_in_the_chain_is_named,
    a_chain_has_an_end,
    never_more_than_was_held,
    a_token_is_exchanged_by_whom_it_is_for,
    what_is_no_access_token_is_refused,
    what_has_ended_is_worth_nothing,
    it_ends_with_what_it_came_from,
    who_may_not_exchange_is_told,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const NEXT: &str = "https://next.example";

/// The address of a service, which is the audience of tokens for it.
fn service(name: &str) -> NewClient {
    NewClient {
        id: Some(format!("svc_{name}")),
        grant_types: vec![GrantType::TokenExchange],
        redirect_uris: Vec::new(),
        audiences: vec![NEXT.to_owned(), format!("https://{name}.example")],
        ..code_app()
    }
}

async fn exchange(app: &TestApp, client: &Client, token: &str, more: &[(&str, &str)]) -> Answer {
    let usual = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS)];
    let mut fields: Vec<(&str, &str)> = usual.to_vec();
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    app.basic("/oauth/token", &client.id, &client.secret, &fields).await
}

/// A person's token for the first service.
async fn token_for(app: &TestApp, name: &str, scope: &str) -> (Suite, String) {
    let audience = format!("https://{name}.example");
    let suite = Suite::with(app, CODE, |new| new.default_audience = Some(audience)).await;
    let page = suite.page(&[("scope", scope)]).await;
    let token = suite.redeem(suite.answer(&page).code()).await.expect(200).str("access_token");
    (suite, token)
}

async fn a_service_gets_a_token_of_its_own(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let front = app.client(service("front")).await;
    let (suite, token) = token_for(&app, "front", "openid email profile").await;
    let answer = exchange(&app, &front, &token, &[("audience", NEXT), ("scope", "email")]).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let said = answer.json();
    assert_eq!((&said["issued_token_type"], &said["token_type"]), (&json!(ACCESS), &json!("Bearer")));
    assert_eq!((said["scope"].as_str(), said.get("refresh_token")), (Some("email"), None));
    let claims = claims_of(&answer.str("access_token"));
    assert_eq!(claims["sub"], alice.id.to_string());
    assert_eq!((&claims["aud"], &claims["client_id"]), (&json!(NEXT), &json!(front.id)));
    assert_eq!(claims["act"], json!({ "sub": front.id }));
    assert_ne!(claims["jti"], claims_of(&token)["jti"]);
    assert!(claims["exp"].as_i64() <= claims_of(&token)["exp"].as_i64());
    // The resource server sees who acts.
    let fields = [("token", &*answer.str("access_token"))];
    let seen = app.basic("/oauth/introspect", &front.id, &front.secret, &fields).await.body(200);
    assert_eq!((&seen["active"], &seen["act"]["sub"]), (&json!(true), &json!(front.id)));
    drop(suite);
}

async fn each_service_in_the_chain_is_named(app: TestApp) {
    person(&app, ALICE).await;
    let (front, back) = (app.client(service("front")).await, app.client(service("next")).await);
    let (_, token) = token_for(&app, "front", "openid email").await;
    let first = exchange(&app, &front, &token, &[("resource", NEXT)]).await.expect(200).str("access_token");
    let second = exchange(&app, &back, &first, &[]).await.expect(200).str("access_token");
    assert_eq!(claims_of(&second)["act"], json!({ "sub": back.id, "act": { "sub": front.id } }));
}

async fn a_chain_has_an_end(app: TestApp) {
    person(&app, ALICE).await;
    let front = app.client(service("front")).await;
    let (_, mut token) = token_for(&app, "front", "openid email").await;
    let mut length = 0;
    loop {
        let answer = exchange(&app, &front, &token, &[("audience", "https://front.example")]).await;
        if answer.status != 200 {
            answer.is_oauth_error(400, "invalid_request");
            break;
        }
        token = answer.str("access_token");
        length += 1;
    }
    assert_eq!(length, 8);
}

async fn never_more_than_was_held(app: TestApp) {
    person(&app, ALICE).await;
    let front = app.client(NewClient { scope: "openid email".parse().unwrap(), ..service("front") }).await;
    let (_, token) = token_for(&app, "front", "openid email profile").await;
    for scope in ["phone", "email phone", "profile", "user:read", "open\"id"] {
        exchange(&app, &front, &token, &[("scope", scope)]).await.is_oauth_error(400, "invalid_scope");
    }
    assert_eq!(exchange(&app, &front, &token, &[]).await.expect(200).str("scope"), "openid email");
    exchange(&app, &front, &token, &[("audience", "https://unknown.example")])
        .await
        .is_oauth_error(400, "invalid_target");
    let both = [("audience", NEXT), ("resource", NEXT)];
    exchange(&app, &front, &token, &both).await.is_oauth_error(400, "invalid_target");
}

/// RFC 9700 §2.3.
async fn a_token_is_exchanged_by_whom_it_is_for(app: TestApp) {
    person(&app, ALICE).await;
    let (front, other) = (app.client(service("front")).await, app.client(service("other")).await);
    let (_, token) = token_for(&app, "front", "openid email").await;
    exchange(&app, &other, &token, &[]).await.is_oauth_error(400, "invalid_request");
    exchange(&app, &front, &token, &[]).await.expect(200);
    let tenant = app.tenant("another").await;
    let there = crate::support::register(&app.ctx_of(&tenant).await, service("front")).await;
    let path = format!("/t/{}/oauth/token", tenant.id);
    let fields = [("grant_type", GRANT), ("subject_token", &*token), ("subject_token_type", ACCESS)];
    app.basic(&path, &there.id, &there.secret, &fields).await.is_oauth_error(400, "invalid_request");
}

async fn what_is_no_access_token_is_refused(app: TestApp) {
    person(&app, ALICE).await;
    let front = app.client(service("front")).await;
    let suite = Suite::with(&app, CODE, |new| new.default_audience = Some("https://front.example".to_owned())).await;
    let page = suite.page(&[]).await;
    let code = suite.answer(&page).code().to_owned();
    let tokens = suite.redeem(&code).await.expect(200);
    let service = app.service_token("user:read").await;
    for bad in ["nothing", &code, &tokens.str("id_token"), &tokens.str("refresh_token"), &service] {
        exchange(&app, &front, bad, &[]).await.is_oauth_error(400, "invalid_request");
    }
    let good = tokens.str("access_token");
    for more in [
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("subject_token_type", ""),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
        ("actor_token", &*good),
    ] {
        exchange(&app, &front, &good, &[more]).await.is_oauth_error(400, "invalid_request");
    }
    exchange(&app, &front, &good, &[("requested_token_type", ACCESS)]).await.expect(200);
}

async fn what_has_ended_is_worth_nothing(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let front = app.client(service("front")).await;
    let (suite, token) = token_for(&app, "front", "openid email").await;
    let client = &suite.rp.client;
    app.basic("/oauth/revoke", &client.id, &client.secret, &[("token", &token)]).await.expect(200);
    exchange(&app, &front, &token, &[]).await.is_oauth_error(400, "invalid_request");
    let (_, token) = token_for(&app, "front", "openid email").await;
    users::set_enabled(&app.ctx().await, alice.id, false).await.unwrap();
    exchange(&app, &front, &token, &[]).await.is_oauth_error(400, "invalid_request");
}

async fn it_ends_with_what_it_came_from(app: TestApp) {
    person(&app, ALICE).await;
    let front = app.client(service("front")).await;
    let suite = Suite::with(&app, CODE, |new| new.access_token_ttl = Some(Duration::from_secs(100))).await;
    let tokens = suite.sign_in(&[("scope", "openid email")]).await;
    app.advance(Duration::from_secs(60));
    let answer = exchange(&app, &front, tokens.access(), &[]).await.expect(200);
    assert_eq!(answer.json()["expires_in"], 40);
    let issued = answer.str("access_token");
    let is_active = async || {
        let fields = [("token", &*issued)];
        let seen: Value = app.basic("/oauth/introspect", &front.id, &front.secret, &fields).await.body(200);
        seen["active"] == true
    };
    assert!(is_active().await);
    // The authorization's end is its end too.
    let (client, fields) = (&suite.rp.client, [("token", tokens.refresh())]);
    app.basic("/oauth/revoke", &client.id, &client.secret, &fields).await.expect(200);
    assert!(!is_active().await);
}

async fn who_may_not_exchange_is_told(app: TestApp) {
    person(&app, ALICE).await;
    let (suite, token) = token_for(&app, "front", "openid email").await;
    exchange(&app, &suite.rp.client, &token, &[]).await.is_oauth_error(400, "unauthorized_client");
}
