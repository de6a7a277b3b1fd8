//! A sign-in that is under way belongs to the browser and the tenant in which it began, and what a
//! browser holds changes whenever it is worth more (promises, class 8).

use std::time::Duration;

use gatehouse::domain::users::NewPassword;
use reqwest::Method;

use super::suite::{ALICE, BOB, CODE, PASSWORD, Suite, is_error_page, person};
use crate::support::{Browser, RelyingParty, TestApp, both_engines, make_user};

both_engines!(
    a_transaction_is_its_browsers,
    a_transaction_counts_once_and_an_hour,
    a_form_is_its_browsers,
    the_session_changes_at_the_sign_in,
    a_session_that_was_planted_is_worth_nothing,
    whoever_signs_in_over_somebody_ends_their_session,
    a_session_is_its_tenants,
    two_sign_ins_at_once_do_not_mix,
);

const SESSION: &str = "gatehouse_session";

async fn a_transaction_is_its_browsers(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let t = page.hidden("t").unwrap();
    let other = Browser::new(&app);
    for path in ["/oauth/authorize", "/login", "/login/mfa", "/login/select-account", "/consent"] {
        is_error_page(&other.open(&format!("{path}?t={t}")).await);
    }
    // Whoever is signed in gets no more out of it: the victim of a planted link.
    let victim = Suite { browser: Browser::new(&app), ..Suite::new(&app, CODE).await };
    victim.sign_in(&[]).await;
    is_error_page(&victim.browser.open(&format!("/oauth/authorize?t={t}")).await);
    for wrong in ["", "ght_x", "nothing"] {
        let page = suite.browser.open(&format!("/oauth/authorize?t={wrong}&client_id=x")).await;
        is_error_page(&page);
    }
    suite.browser.open(&format!("/login?t={t}")).await.expect(200, "/login");
}

async fn a_transaction_counts_once_and_an_hour(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let t = page.hidden("t").unwrap();
    let page = suite.browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    let page = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    assert!(page.answer().get("code").is_some());
    is_error_page(&suite.browser.open(&format!("/oauth/authorize?t={t}")).await);
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    app.advance(Duration::from_secs(3600));
    let page = suite.browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    is_error_page(&page);
}

async fn a_form_is_its_browsers(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let of_another = Browser::new(&app).open("/login").await.hidden("csrf").unwrap();
    let fields = [("identifier", ALICE), ("password", PASSWORD)];
    for token in ["", "nothing", &of_another] {
        let forged = [&fields as &[_], &[("csrf", token)]].concat();
        let page = suite.browser.submit(&page, "/login", &forged).await;
        assert_eq!(page.status, 403, "{page:?}");
    }
    let page = suite.browser.submit(&page, "/login", &fields).await.expect(200, "/consent");
    let forged = suite.browser.submit(&page, "/consent", &[("action", "allow"), ("csrf", &of_another)]).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    // Nothing was decided.
    suite.open(&[]).await.expect(200, "/consent");
    // GET changes nothing.
    let t = page.hidden("t").unwrap();
    suite.browser.open(&format!("/consent?t={t}&action=allow")).await.expect(200, "/consent");
    suite.browser.open(&format!("/oauth/authorize?t={t}")).await.expect(200, "/consent");
}

async fn the_session_changes_at_the_sign_in(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let before = suite.browser.cookie(SESSION).expect("a cookie");
    suite.browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    let first = suite.browser.cookie(SESSION).unwrap();
    assert_ne!(before, first);
    suite.sign_in(&[]).await;
    assert_eq!(suite.browser.cookie(SESSION).unwrap(), first);
    app.advance(Duration::from_secs(1));
    suite.sign_in(&[("prompt", "login")]).await;
    let second = suite.browser.cookie(SESSION).unwrap();
    assert_ne!(first, second);
    // The old ones lead nowhere.
    for old in [&before, &first] {
        suite.browser.set_cookie(SESSION, old);
        suite.refused(&suite.open(&[("prompt", "none")]).await, "login_required");
    }
    suite.browser.set_cookie(SESSION, &second);
    suite.finish(suite.answer(&suite.open(&[("prompt", "none")]).await), Some("a nonce")).await;
}

async fn a_session_that_was_planted_is_worth_nothing(app: TestApp) {
    person(&app, ALICE).await;
    // The attacker's own, from before the victim signed in.
    let attacker = Browser::new(&app);
    attacker.open("/login").await.expect(200, "/login");
    let planted = attacker.cookie(SESSION).unwrap();
    let victim = Suite::new(&app, CODE).await;
    victim.browser.set_cookie(SESSION, &planted);
    victim.sign_in(&[]).await;
    victim.refused(&attacker.open(&victim.request(&[("prompt", "none")])).await, "login_required");
    let odd = Suite::new(&app, CODE).await;
    for value in ["ghv_nothing", "", "a b", &"x".repeat(3000)] {
        odd.browser.set_cookie(SESSION, value);
        odd.refused(&odd.open(&[("prompt", "none")]).await, "login_required");
    }
}

async fn whoever_signs_in_over_somebody_ends_their_session(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let suite = Suite::new(&app, CODE).await;
    let alice = suite.sign_in(&[]).await;
    let before = suite.browser.cookie(SESSION).unwrap();
    let page = suite.open(&[("prompt", "select_account")]).await.expect(200, "/login/select-account");
    let page = suite.browser.submit(&page, "/login/select-account", &[("action", "another")]).await;
    suite.browser.submit(&page, "/login", &[("identifier", BOB), ("password", PASSWORD)]).await.expect(200, "/consent");
    suite.rp.userinfo(alice.access()).await.expect(401);
    suite.browser.set_cookie(SESSION, &before);
    suite.refused(&suite.open(&[("prompt", "none")]).await, "login_required");
}

async fn a_session_is_its_tenants(app: TestApp) {
    person(&app, ALICE).await;
    let tenant = app.tenant("another").await;
    make_user(&app.ctx_of(&tenant).await, ALICE, NewPassword::Plain(PASSWORD, 6), &[]).await;
    let browser = Browser::new(&app);
    let here = RelyingParty::new(&app, crate::support::code_app()).await;
    let there = RelyingParty::of(&app, &tenant, crate::support::code_app()).await;
    here.sign_in_with(&browser, ALICE, &[]).await;
    let page = browser.open(&there.request(&[("prompt", "none")])).await;
    assert_eq!(page.answer().get("error"), Some("login_required"));
    assert_eq!(page.answer().get("iss"), Some(&*tenant.issuer));
    // One's cookie under the other's name is worth nothing there.
    there.sign_in_with(&browser, ALICE, &[]).await;
    let suffix = tenant.id.trim_start_matches("tnt_").replace('-', "")[..12].to_owned();
    let names = [SESSION.to_owned(), format!("{SESSION}_{suffix}")];
    let values = names.clone().map(|name| browser.cookie(&name).expect("one for each tenant"));
    browser.set_cookie(&names[0], &values[1]);
    browser.set_cookie(&names[1], &values[0]);
    for rp in [&here, &there] {
        let page = browser.open(&rp.request(&[("prompt", "none")])).await;
        assert_eq!(page.answer().get("error"), Some("login_required"));
    }
}

async fn two_sign_ins_at_once_do_not_mix(app: TestApp) {
    person(&app, ALICE).await;
    let one = Suite::new(&app, CODE).await;
    let two = Suite { browser: one.browser.at(&app), ..Suite::new(&app, CODE).await };
    let first = one.open(&[("state", "first")]).await.expect(200, "/login");
    let second = one.browser.open(&two.request(&[("state", "second")])).await.expect(200, "/login");
    // Both tabs are in one browser, so the second form is sent after the first has signed in.
    let fields = [("identifier", ALICE), ("password", PASSWORD)];
    let page = one.browser.submit(&first, "/login", &fields).await.expect(200, "/consent");
    let page = one.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    assert_eq!(page.answer().get("state"), Some("first"));
    let t = second.hidden("t").unwrap();
    let answer = one.browser.send(Method::GET, &format!("/oauth/authorize?t={t}"), None).await;
    assert!(answer.header("location").unwrap().contains("/consent?t="), "{answer:?}");
    let page = one.browser.open(&format!("/consent?t={t}")).await.expect(200, "/consent");
    let page = one.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    assert_eq!(page.answer().get("state"), Some("second"));
    two.rp.redeem(page.answer().code(), &[("code_verifier", "")]).await.expect(200);
}
