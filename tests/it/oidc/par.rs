//! Pushed authorization requests (RFC 9126; O1–O16 as far as they are not FAPI's alone).

use std::time::Duration;

use gatehouse::domain::upkeep;
use gatehouse::model::client::AuthMethod;
use gatehouse::model::signing_key::SigningAlg;
use reqwest::Method;
use serde_json::json;

use super::suite::{ALICE, BASIC, CODE, HYBRID, PASSWORD, Suite, entropy, is_error_page, person};
use crate::support::{Answer, TestApp, VERIFIER, both_engines, challenge};
use crate::support::{RelyingParty, Signer};

both_engines!(
    a_pushed_request_signs_in,
    the_client_proves_itself_first,
    what_is_wrong_is_told_at_once,
    a_reference_is_pushed_by_nobody,
    only_what_was_pushed_counts,
    a_reference_is_its_clients,
    a_reference_lives_a_minute_and_counts_once,
    a_client_may_bind_itself_to_pushing,
    a_signed_request_can_be_pushed,
    a_public_client_pushes_too,
    another_tenant_knows_nothing_of_it,
);

async fn send(suite: &Suite, fields: &[(&str, &str)]) -> Answer {
    let client = &suite.rp.client;
    suite.app.basic("/oauth/par", &client.id, &client.secret, fields).await
}

/// Pushes the usual request, with these parameters beside it; an empty value takes one away.
async fn push(suite: &Suite, more: &[(&str, &str)]) -> Answer {
    let request = suite.request(more);
    let (_, query) = request.split_once('?').unwrap();
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    send(suite, &fields).await
}

async fn pushed(suite: &Suite, more: &[(&str, &str)]) -> String {
    push(suite, more).await.expect(201).str("request_uri")
}

/// Where the browser goes with a reference.
fn address(rp: &RelyingParty, uri: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", rp.client.id.as_str()), ("request_uri", uri)])
        .finish();
    format!("{}/oauth/authorize?{query}", rp.prefix)
}

/// Signs Alice in on the page that a reference leads to.
async fn finish(suite: &Suite, uri: &str) -> crate::support::Page {
    let browser = &suite.browser;
    let mut page = browser.open(&address(&suite.rp, uri)).await;
    if page.path() == "/login" {
        page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    }
    if page.path() == "/consent" {
        page = browser.submit(&page, "/consent", &[("action", "allow")]).await;
    }
    page
}

/// O1, O6.
async fn a_pushed_request_signs_in(app: TestApp) {
    person(&app, ALICE).await;
    for plan in BASIC.into_iter().chain([HYBRID[2]]) {
        let suite = Suite::new(&app, plan).await;
        let answer = push(&suite, &[]).await.expect(201);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json()["expires_in"], 60);
        let uri = answer.str("request_uri");
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && entropy(&uri) > 96.0, "{uri}");
        let page = finish(&suite, &uri).await;
        suite.finish(suite.answer(&page), Some("a nonce")).await;
        // The other way round.
        let uri = pushed(&suite, &[]).await;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("request_uri", uri.as_str()), ("client_id", &suite.rp.client.id)])
            .finish();
        let page = suite.browser.open(&format!("/oauth/authorize?{query}")).await;
        suite.finish(suite.answer(&page), Some("a nonce")).await;
    }
}

async fn the_client_proves_itself_first(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    let id = &suite.rp.client.id;
    app.form("/oauth/par", &[("client_id", id), ("scope", "open\"id")]).await.is_oauth_error(400, "invalid_client");
    let answer = app.basic("/oauth/par", id, "wrong", &[("scope", "open\"id")]).await;
    answer.is_oauth_error(401, "invalid_client");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = app.send(app.request(method, "/oauth/par")).await;
        assert_eq!(answer.status, 405, "{answer:?}");
    }
    let large = "x".repeat(70_000);
    assert_eq!(push(&suite, &[("state", &large)]).await.status, 413);
}

/// O3, O11, O12, O14.
async fn what_is_wrong_is_told_at_once(app: TestApp) {
    let suite = Suite::with(&app, CODE, |new| new.settings.require_pkce = true).await;
    let good = challenge(VERIFIER);
    let proof = [("code_challenge", &*good), ("code_challenge_method", "S256")];
    push(&suite, &proof).await.expect(201);
    for (more, code) in [
        (&[("code_challenge", "")] as &[_], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("redirect_uri", "https://evil.example")], "invalid_request"),
        (&[("redirect_uri", "")], "invalid_request"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("scope", "unknown")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("claims", "{")], "invalid_request"),
        (&[("nonce", &*"x".repeat(2000))], "invalid_request"),
        (&[("resource", "https://unknown.example")], "invalid_target"),
        (&[("request", "a.b.c")], "invalid_request_object"),
        (&[("client_id", "app_other")], "invalid_request"),
    ] {
        let answer = push(&suite, &[&proof as &[_], more].concat()).await;
        answer.is_oauth_error(400, code);
    }
    let fields = [("scope", "openid"), ("scope", "openid")];
    send(&suite, &fields).await.is_oauth_error(400, "invalid_request");
    // O16
    push(&suite, &[&proof as &[_], &[("nonce", &*"n".repeat(384))]].concat()).await.expect(201);
}

/// O4, O5.
async fn a_reference_is_pushed_by_nobody(app: TestApp) {
    let signer = Signer::new(SigningAlg::Es256);
    let suite = Suite::with(&app, CODE, |new| new.jwks = Some(signer.jwks())).await;
    let uri = pushed(&suite, &[]).await;
    push(&suite, &[("request_uri", &uri)]).await.is_oauth_error(400, "invalid_request");
    let claims = json!({ "iss": suite.rp.client.id, "aud": app.base, "request_uri": uri, "scope": "openid" });
    push(&suite, &[("request", &signer.sign(&claims))]).await.is_oauth_error(400, "invalid_request_object");
}

/// O15.
async fn only_what_was_pushed_counts(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    let uri = pushed(&suite, &[("state", "inside"), ("nonce", "inside")]).await;
    let outside = "&state=outside&nonce=outside&scope=openid%20phone&redirect_uri=https://evil.example&prompt=login";
    let page = suite.browser.open(&format!("{}{outside}", address(&suite.rp, &uri))).await;
    assert_eq!(suite.answer(&page).get("state"), Some("inside"));
    suite.finish(suite.answer(&page), Some("inside")).await;
    let uri = pushed(&suite, &[("state", "")]).await;
    let page = suite.browser.open(&format!("{}&state=outside", address(&suite.rp, &uri))).await;
    assert_eq!(suite.answer(&page).get("state"), None);
}

/// O7.
async fn a_reference_is_its_clients(app: TestApp) {
    person(&app, ALICE).await;
    let (suite, other) = (Suite::new(&app, CODE).await, Suite::new(&app, CODE).await);
    let uri = pushed(&suite, &[]).await;
    other.refused(&other.browser.open(&address(&other.rp, &uri)).await, "invalid_request_uri");
    let page = finish(&suite, &uri).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
}

/// O8, O9, O10.
async fn a_reference_lives_a_minute_and_counts_once(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let uri = pushed(&suite, &[]).await;
    app.advance(Duration::from_secs(60));
    suite.refused(&suite.browser.open(&address(&suite.rp, &uri)).await, "invalid_request_uri");
    // Looking at the sign-in twice uses nothing up.
    let uri = pushed(&suite, &[]).await;
    let first = suite.browser.open(&address(&suite.rp, &uri)).await.expect(200, "/login");
    let page = finish(&suite, &uri).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
    suite.refused(&suite.browser.open(&address(&suite.rp, &uri)).await, "invalid_request_uri");
    // What was begun with it before can't be finished any more.
    let t = first.hidden("t").unwrap();
    is_error_page(&suite.browser.open(&format!("/oauth/authorize?t={t}")).await);
    // One that is being typed while the minute passes goes on.
    let suite = Suite::new(&app, CODE).await;
    let uri = pushed(&suite, &[]).await;
    let page = suite.browser.open(&address(&suite.rp, &uri)).await.expect(200, "/login");
    app.advance(Duration::from_secs(300));
    upkeep::clean(&app.core).await.unwrap();
    let page = suite.browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    let page = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
}

/// O13, RFC 9126 §6.
async fn a_client_may_bind_itself_to_pushing(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.settings.require_pushed_authorization_requests = true).await;
    suite.refused(&suite.open(&[]).await, "invalid_request");
    let uri = pushed(&suite, &[]).await;
    let page = finish(&suite, &uri).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
}

/// RFC 9126 §3.
async fn a_signed_request_can_be_pushed(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Signer::new(SigningAlg::Es256);
    for required in [false, true] {
        let suite = Suite::with(&app, CODE, |new| {
            new.jwks = Some(signer.jwks());
            new.settings.require_signed_request_object = required;
            new.settings.require_pushed_authorization_requests = required;
        })
        .await;
        let claims = json!({
            "iss": suite.rp.client.id, "aud": app.base, "client_id": suite.rp.client.id, "response_type": "code",
            "redirect_uri": suite.rp.redirect_uri, "scope": "openid", "state": "inside", "nonce": "inside",
        });
        let object = signer.sign(&claims);
        let uri = send(&suite, &[("request", &object)]).await.expect(201).str("request_uri");
        let page = finish(&suite, &uri).await;
        assert_eq!(suite.answer(&page).get("state"), Some("inside"));
        suite.finish(suite.answer(&page), Some("inside")).await;
        if required {
            push(&suite, &[]).await.is_oauth_error(400, "invalid_request");
        }
    }
}

async fn a_public_client_pushes_too(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| {
        new.auth_method = AuthMethod::None;
        new.settings.require_pkce = true;
    })
    .await;
    let challenge = challenge(VERIFIER);
    let fields = [
        ("client_id", &*suite.rp.client.id),
        ("redirect_uri", &*suite.rp.redirect_uri),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
    ];
    let uri = app.form("/oauth/par", &fields).await.expect(201).str("request_uri");
    let page = finish(&suite, &uri).await;
    suite.rp.redeem(page.answer().code(), &[]).await.expect(200);
}

async fn another_tenant_knows_nothing_of_it(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    let tenant = app.tenant("another").await;
    let mut same = super::suite::client_of(CODE);
    same.id = Some(suite.rp.client.id.clone());
    let there = RelyingParty::of(&app, &tenant, same).await;
    let uri = pushed(&suite, &[]).await;
    let page = suite.browser.open(&address(&there, &uri)).await;
    assert_eq!(page.answer().get("error"), Some("invalid_request_uri"));
    suite.browser.open(&address(&suite.rp, &uri)).await.expect(200, "/login");
}
