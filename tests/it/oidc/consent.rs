//! What people allow: asked once, remembered, taken back (OpenID Connect Core §3.1.2.4).

use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::domain::consents;
use serde_json::json;

use super::suite::{ALICE, BOB, CODE, PASSWORD, Suite, person};
use crate::support::{Browser, TestApp, both_engines};

both_engines!(
    what_was_allowed_is_remembered_and_only_that,
    single_claims_are_asked_about_too,
    an_app_of_the_operators_own_needs_no_word,
    each_person_speaks_for_themselves,
    what_is_taken_back_ends_its_tokens,
    what_a_client_may_no_longer_ask_for_is_not_given,
    the_page_says_who_asks_and_for_what,
);

async fn what_was_allowed_is_remembered_and_only_that(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[("scope", "openid email")]).await;
    for scope in ["openid email", "openid", "email openid"] {
        suite.finish(suite.answer(&suite.open(&[("scope", scope)]).await), Some("a nonce")).await;
    }
    suite.open(&[("scope", "openid email phone")]).await.expect(200, "/consent");
    suite.sign_in(&[("scope", "openid email phone")]).await;
    // In every browser, and for ever.
    let other = Browser::new(&app);
    let page = other.open(&suite.request(&[("scope", "openid phone")])).await.expect(200, "/login");
    let page = other.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    assert!(page.answer().get("code").is_some());
    // Another client was allowed nothing.
    Suite { browser: other, ..Suite::new(&app, CODE).await }.open(&[]).await.expect(200, "/consent");
}

async fn single_claims_are_asked_about_too(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    let one = json!({ "userinfo": { "birthdate": null } }).to_string();
    suite.open(&[("claims", &one)]).await.expect(200, "/consent");
    suite.sign_in(&[("claims", &one)]).await;
    suite.finish(suite.answer(&suite.open(&[("claims", &one)]).await), Some("a nonce")).await;
    let two = json!({ "userinfo": { "birthdate": null }, "id_token": { "gender": null } }).to_string();
    suite.open(&[("claims", &two)]).await.expect(200, "/consent");
    // What is not about people needs nobody's word.
    let neither = json!({ "id_token": { "auth_time": { "essential": true }, "x": null } }).to_string();
    suite.finish(suite.answer(&suite.open(&[("claims", &neither)]).await), Some("a nonce")).await;
}

async fn an_app_of_the_operators_own_needs_no_word(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.settings.first_party = true).await;
    let page = suite.open(&[("scope", "openid email")]).await.expect(200, "/login");
    let page = suite.browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
    // Who asks for the question gets it.
    suite.open(&[("prompt", "consent")]).await.expect(200, "/consent");
}

async fn each_person_speaks_for_themselves(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    let other = Browser::new(&app);
    let page = other.open(&suite.request(&[])).await.expect(200, "/login");
    other.submit(&page, "/login", &[("identifier", BOB), ("password", PASSWORD)]).await.expect(200, "/consent");
    // A yes that was said before somebody else signed in is not theirs.
    let page = suite.open(&[("prompt", "consent")]).await.expect(200, "/consent");
    let elsewhere = suite.open(&[("prompt", "login")]).await.expect(200, "/login");
    let page_of_bob = suite.browser.submit(&elsewhere, "/login", &[("action", "another")]).await;
    let fields = [("identifier", BOB), ("password", PASSWORD)];
    suite.browser.submit(&page_of_bob, "/login", &fields).await.expect(200, "/consent");
    let after = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    assert_eq!(after.left_for, None, "the page was Alice's: {after:?}");
}

async fn what_is_taken_back_ends_its_tokens(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let offline = suite.sign_in(&[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    let unredeemed = suite.answer(&suite.open(&[]).await).code().to_owned();
    consents::withdraw(&app.ctx().await, alice.id, &suite.rp.client.id.parse().unwrap()).await.unwrap();
    suite.rp.userinfo(offline.access()).await.expect(401);
    suite.redeem(&unredeemed).await.is_oauth_error(400, "invalid_grant");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", offline.refresh())];
    suite.rp.token(&fields).await.is_oauth_error(400, "invalid_grant");
    suite.refused(&suite.open(&[("prompt", "none")]).await, "consent_required");
}

async fn what_a_client_may_no_longer_ask_for_is_not_given(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[("scope", "openid email")]).await;
    let change = ClientChange { scope: Some("openid".parse().unwrap()), ..ClientChange::default() };
    clients::update(&app.ctx().await, &suite.rp.client.id.parse().unwrap(), change).await.unwrap();
    let tokens = suite.sign_in(&[("scope", "openid email")]).await;
    assert_eq!(tokens.answer.as_ref().unwrap()["scope"], "openid");
    assert_eq!(suite.userinfo(tokens.access()).await.get("email"), None);
}

async fn the_page_says_who_asks_and_for_what(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.name = "Evil <b>& Sons</b>".to_owned()).await;
    let login = suite.open(&[]).await.expect(200, "/login");
    let fields = [("identifier", ALICE), ("password", PASSWORD)];
    let consent = suite.browser.submit(&login, "/login", &fields).await.expect(200, "/consent");
    for page in [login, consent] {
        assert!(page.text.contains("Evil &#60;b&#62;&#38; Sons") || page.text.contains("Evil &lt;b&gt;&amp; Sons"));
        assert!(!page.text.contains("<b>& Sons"));
    }
}
