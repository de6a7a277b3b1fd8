//! Who is signed in, since when, and what they must be shown (E1–E7, OpenID Connect Core §3.1.2.1).

use std::time::Duration;

use gatehouse::domain::users;
use serde_json::{Value, json};

use super::suite::{ALICE, BOB, CODE, PASSWORD, Suite, all, person};
use crate::support::{Browser, TestApp, both_engines, claims_of, header_of, unsigned};

both_engines!(
    oidcc_prompt_login,
    oidcc_prompt_none_not_logged_in,
    oidcc_prompt_none_logged_in,
    oidcc_max_age_1,
    oidcc_max_age_10000,
    oidcc_id_token_hint,
    a_max_age_of_zero_asks_again,
    a_clients_own_max_age_counts,
    a_hint_must_be_ours_and_this_clients,
    a_hint_that_has_expired_still_names_somebody,
    somebody_else_than_was_hinted_at_is_refused,
    a_subject_that_is_asked_for_is_the_only_one_that_will_do,
    select_account_asks_which,
    consent_is_asked_for_again,
    create_leads_to_the_registration,
    nobody_is_signed_in_once_they_are_disabled,
    a_session_ends_when_its_time_is_up,
);

const SECOND: Duration = Duration::from_secs(1);
const NONE: (&str, &str) = ("prompt", "none");

fn auth_time(claims: &Value) -> i64 {
    claims["auth_time"].as_i64().expect("auth_time")
}

async fn oidcc_prompt_login(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[]).await;
        app.advance(SECOND);
        let page = suite.open(&[("prompt", "login")]).await.expect(200, "/login");
        // Going on without signing in leads back to the sign-in.
        let t = page.hidden("t").unwrap();
        suite.browser.open(&format!("/oauth/authorize?t={t}")).await.expect(200, "/login");
        let again = suite.sign_in(&[("prompt", "login")]).await;
        assert_eq!(first.id()["sub"], again.id()["sub"]);
        assert!(auth_time(first.id()) < auth_time(again.id()), "{plan:?}");
        // It was once: the next request without the prompt is answered at once.
        suite.finish(suite.answer(&suite.open(&[]).await), Some("a nonce")).await;
    }
}

async fn oidcc_prompt_none_not_logged_in(app: TestApp) {
    let state: String =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".repeat(2)[..128].to_owned();
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let error = suite.error(&suite.open(&[NONE, ("state", &state)]).await);
        assert_eq!((error.get("error"), error.get("state")), (Some("login_required"), Some(&*state)), "{plan:?}");
    }
}

async fn oidcc_prompt_none_logged_in(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[]).await;
        app.advance(SECOND);
        let again = suite.finish(suite.answer(&suite.open(&[NONE]).await), Some("a nonce")).await;
        assert_eq!(first.id()["sub"], again.id()["sub"]);
        assert_eq!(auth_time(first.id()), auth_time(again.id()));
        // Who has to be asked can't be, without a page.
        suite.refused(&suite.open(&[NONE, ("scope", "openid email")]).await, "consent_required");
    }
}

async fn oidcc_max_age_1(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[]).await;
        app.advance(2 * SECOND);
        suite.refused(&suite.open(&[("max_age", "1"), NONE]).await, "login_required");
        suite.open(&[("max_age", "1")]).await.expect(200, "/login");
        let again = suite.sign_in(&[("max_age", "1")]).await;
        assert_eq!(first.id()["sub"], again.id()["sub"]);
        assert_eq!(auth_time(again.id()), app.now().seconds());
        assert!(auth_time(first.id()) < auth_time(again.id()));
    }
}

async fn oidcc_max_age_10000(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[("max_age", "15000")]).await;
        app.advance(SECOND);
        let page = suite.open(&[("max_age", "10000")]).await;
        let again = suite.finish(suite.answer(&page), Some("a nonce")).await;
        assert_eq!(auth_time(first.id()), auth_time(again.id()));
    }
}

async fn oidcc_id_token_hint(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[]).await;
        let page = suite.open(&[NONE, ("id_token_hint", first.id_token())]).await;
        let again = suite.finish(suite.answer(&page), Some("a nonce")).await;
        assert_eq!(first.id()["sub"], again.id()["sub"]);
        assert_eq!(auth_time(first.id()), auth_time(again.id()));
    }
}

async fn a_max_age_of_zero_asks_again(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[("max_age", "0")]).await;
    suite.open(&[("max_age", "0")]).await.expect(200, "/login");
    suite.refused(&suite.open(&[("max_age", "0"), NONE]).await, "login_required");
    suite.sign_in(&[("max_age", "0")]).await;
}

async fn a_clients_own_max_age_counts(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.settings.default_max_age = Some(60)).await;
    suite.sign_in(&[]).await;
    app.advance(61 * SECOND);
    suite.open(&[]).await.expect(200, "/login");
    // What the request says counts more.
    suite.finish(suite.answer(&suite.open(&[("max_age", "1000")]).await), Some("a nonce")).await;
}

async fn a_hint_must_be_ours_and_this_clients(app: TestApp) {
    person(&app, ALICE).await;
    let (suite, other) = (Suite::new(&app, CODE).await, Suite::new(&app, CODE).await);
    let hint = suite.sign_in(&[]).await.id_token().to_owned();
    let access = suite.sign_in(&[]).await.access().to_owned();
    other.refused(&other.open(&[("id_token_hint", &hint)]).await, "invalid_request");
    let mut header = header_of(&hint);
    header["alg"] = json!("none");
    let without = format!("{}.", unsigned(&header, &claims_of(&hint)));
    let mut claims = claims_of(&hint);
    claims["sub"] = json!("usr_00000000-0000-0000-0000-000000000000");
    let changed = format!("{}.{}", unsigned(&header_of(&hint), &claims), hint.rsplit_once('.').unwrap().1);
    for bad in [&without, &changed, &access, &hint[1..], "a.b.c"] {
        suite.refused(&suite.open(&[("id_token_hint", bad)]).await, "invalid_request");
        suite.refused(&suite.open(&[("id_token_hint", bad), NONE]).await, "invalid_request");
    }
}

async fn a_hint_that_has_expired_still_names_somebody(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let hint = suite.sign_in(&[]).await.id_token().to_owned();
    app.advance(2 * 3600 * SECOND);
    assert!(claims_of(&hint)["exp"].as_i64().unwrap() < app.now().seconds());
    suite.finish(suite.answer(&suite.open(&[NONE, ("id_token_hint", &hint)]).await), Some("a nonce")).await;
}

async fn somebody_else_than_was_hinted_at_is_refused(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let mut suite = Suite::new(&app, CODE).await;
    let hint = suite.sign_in(&[]).await.id_token().to_owned();
    suite.browser = Browser::new(&app);
    suite.sign_in_as(BOB, &[]).await;
    app.advance(SECOND);
    suite.refused(&suite.open(&[NONE, ("id_token_hint", &hint)]).await, "login_required");
    // The sign-in is asked for; whoever else comes gets nothing.
    let page = suite.open(&[("id_token_hint", &hint)]).await.expect(200, "/login");
    let page = suite.browser.submit(&page, "/login", &[("identifier", BOB), ("password", PASSWORD)]).await;
    suite.refused(&page, "login_required");
    let tokens = suite.sign_in(&[("id_token_hint", &hint)]).await;
    assert_eq!(tokens.id()["sub"], claims_of(&hint)["sub"]);
}

/// OpenID Connect Core §5.5.1.
async fn a_subject_that_is_asked_for_is_the_only_one_that_will_do(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let mut suite = Suite::new(&app, CODE).await;
    let alice = suite.sign_in(&[]).await;
    let wish = |sub: &Value| json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    let hers = wish(&alice.id()["sub"]);
    suite.finish(suite.answer(&suite.open(&[NONE, ("claims", &hers)]).await), Some("a nonce")).await;
    suite.browser = Browser::new(&app);
    let bob = suite.sign_in_as(BOB, &[]).await;
    suite.refused(&suite.open(&[NONE, ("claims", &hers)]).await, "login_required");
    let nobody = wish(&json!("nobody"));
    suite.refused(&suite.open(&[("claims", &nobody)]).await, "login_required");
    let contrary = [("claims", &*hers), ("id_token_hint", bob.id_token())];
    suite.refused(&suite.open(&contrary).await, "invalid_request");
}

async fn select_account_asks_which(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let suite = Suite::new(&app, CODE).await;
    let prompt = ("prompt", "select_account");
    suite.sign_in(&[]).await;
    app.advance(SECOND);
    let page = suite.open(&[prompt]).await.expect(200, "/login/select-account");
    // Going on without a choice leads back.
    let t = page.hidden("t").unwrap();
    suite.browser.open(&format!("/oauth/authorize?t={t}")).await.expect(200, "/login/select-account");
    let page = suite.browser.submit(&page, "/login/select-account", &[("action", "continue")]).await;
    suite.finish(suite.answer(&page), Some("a nonce")).await;
    let page = suite.open(&[prompt]).await.expect(200, "/login/select-account");
    let page = suite.browser.submit(&page, "/login/select-account", &[("action", "another")]).await;
    let page = suite.browser.submit(&page, "/login", &[("identifier", BOB), ("password", PASSWORD)]).await;
    let page = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    let bob = suite.finish(suite.answer(&page), Some("a nonce")).await;
    let said = suite.userinfo(bob.access()).await;
    assert_eq!(said["sub"], bob.id()["sub"]);
    suite.refused(&suite.open(&[("prompt", "select_account none")]).await, "invalid_request");
}

async fn consent_is_asked_for_again(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        suite.sign_in(&[]).await;
        let page = suite.open(&[("prompt", "consent")]).await.expect(200, "/consent");
        let t = page.hidden("t").unwrap();
        suite.browser.open(&format!("/oauth/authorize?t={t}")).await.expect(200, "/consent");
        suite.finish(suite.answer(&suite.page(&[("prompt", "consent")]).await), Some("a nonce")).await;
    }
}

/// Initiating User Registration via OpenID Connect 1.0.
async fn create_leads_to_the_registration(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.open(&[("prompt", "create")]).await.expect(200, "/register");
    suite.sign_in(&[]).await;
    app.advance(SECOND);
    suite.open(&[("prompt", "create")]).await.expect(200, "/register");
}

async fn nobody_is_signed_in_once_they_are_disabled(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    users::set_enabled(&app.ctx().await, alice.id, false).await.unwrap();
    suite.refused(&suite.open(&[NONE]).await, "login_required");
}

async fn a_session_ends_when_its_time_is_up(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    app.advance(app.config.sessions.idle - SECOND);
    suite.finish(suite.answer(&suite.open(&[NONE]).await), Some("a nonce")).await;
    app.advance(app.config.sessions.idle);
    suite.refused(&suite.open(&[NONE]).await, "login_required");
}
