//! What a sign-in was worth, said honestly, and raised where a client asks for more (`acr`, `amr`;
//! OpenID Connect Core §2 and §5.5.1.1, RFC 8176).

use std::time::Duration;

use serde_json::{Value, json};

use super::suite::{ALICE, CODE, HYBRID, PASSWORD, Suite, person};
use crate::factors::{with_app, with_passkey};
use crate::support::{Device, Page, Setup, TestApp, both_engines, by_name, totp_code};

both_engines!(
    a_password_is_one_factor,
    a_second_factor_is_two,
    a_password_alone_is_nothing_where_a_second_factor_is_due,
    more_is_asked_for_where_it_is_wanted,
    what_is_out_of_reach_is_said_where_it_is_essential,
    a_clients_own_wish_counts,
    a_recovery_code_is_a_second_factor,
    a_passkey_is_both_and_can_t_be_phished,
    a_raise_changes_the_session_and_the_time,
);

const SINGLE: &str = "urn:gatehouse:acr:single";
const MULTI: &str = "urn:gatehouse:acr:multi";

async fn password(suite: &Suite, page: &Page) -> Page {
    suite.browser.submit(page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await
}

async fn code(suite: &Suite, page: &Page, secret: &str) -> Page {
    let code = totp_code(secret, suite.app.now());
    let page = suite.browser.submit(page, "/login/mfa", &[("method", "totp"), ("code", &code)]).await;
    suite.app.advance(Duration::from_secs(30));
    page
}

/// Allows what is asked for, and checks what comes.
async fn end(suite: &Suite, page: Page) -> Value {
    let page = match page.path() {
        "/consent" => suite.browser.submit(&page, "/consent", &[("action", "allow")]).await,
        _ => page,
    };
    suite.finish(suite.answer(&page), Some("a nonce")).await.id().clone()
}

#[track_caller]
fn is_worth(id: &Value, acr: &str, amr: &[&str]) {
    assert_eq!((&id["acr"], &id["amr"]), (&json!(acr), &json!(amr)), "{id}");
}

fn essential(acr: &str) -> String {
    json!({ "id_token": { "acr": { "essential": true, "values": [acr] } } }).to_string()
}

async fn a_password_is_one_factor(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    is_worth(suite.sign_in(&[]).await.id(), SINGLE, &["pwd"]);
    is_worth(suite.sign_in(&[("acr_values", MULTI)]).await.id(), SINGLE, &["pwd"]);
    let id = suite.sign_in(&[("acr_values", &format!("{MULTI} {SINGLE}"))]).await;
    is_worth(id.id(), SINGLE, &["pwd"]);
}

async fn a_second_factor_is_two(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let (secret, _) = with_app(&app, &alice).await;
    for plan in [CODE, HYBRID[2]] {
        let suite = Suite::new(&app, plan).await;
        let page = suite.open(&[]).await.expect(200, "/login");
        let page = password(&suite, &page).await.expect(200, "/login/mfa");
        let wrong = suite.browser.submit(&page, "/login/mfa", &[("method", "totp"), ("code", "000000")]).await;
        let page = code(&suite, &wrong, &secret).await;
        is_worth(&end(&suite, page).await, MULTI, &["pwd", "otp", "mfa"]);
        // Asked for less: that it was, too.
        let page = suite.open(&[("acr_values", SINGLE)]).await;
        is_worth(&end(&suite, page).await, SINGLE, &["pwd", "otp", "mfa"]);
    }
}

/// Promises, class 14.
async fn a_password_alone_is_nothing_where_a_second_factor_is_due(app: TestApp) {
    let alice = person(&app, ALICE).await;
    with_app(&app, &alice).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let page = password(&suite, &page).await.expect(200, "/login/mfa");
    let t = page.hidden("t").unwrap();
    for path in ["/oauth/authorize", "/consent"] {
        let page = suite.browser.open(&format!("{path}?t={t}")).await;
        assert_eq!((page.path(), &page.left_for), ("/login/mfa", &None));
    }
    let page = suite.browser.open("/account").await;
    assert!(["/login", "/login/mfa"].contains(&page.path()), "{page:?}");
    suite.refused(&suite.open(&[("prompt", "none")]).await, "interaction_required");
    // Nothing typed is nothing proved.
    let page = suite.open(&[]).await.expect(200, "/login/mfa");
    for fields in [&[] as &[_], &[("method", "totp")], &[("method", "recovery"), ("code", "")], &[("trust", "1")]] {
        let page = suite.browser.submit(&page, "/login/mfa", fields).await;
        assert_eq!((page.path(), &page.left_for), ("/login/mfa", &None));
    }
}

async fn more_is_asked_for_where_it_is_wanted(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    // The factor is added while the session with the password alone goes on.
    let (secret, _) = with_app(&app, &alice).await;
    let page = suite.open(&[]).await;
    if page.left_for.is_some() {
        suite.refused(&suite.open(&[("acr_values", MULTI), ("prompt", "none")]).await, "interaction_required");
        let page = suite.open(&[("acr_values", MULTI)]).await.expect(200, "/login/mfa");
        let page = code(&suite, &page, &secret).await;
        is_worth(&end(&suite, page).await, MULTI, &["pwd", "otp", "mfa"]);
    } else {
        // Or it does not go on without it: no less safe.
        page.expect(200, "/login");
    }
}

async fn what_is_out_of_reach_is_said_where_it_is_essential(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.sign_in(&[]).await;
    let code = "unmet_authentication_requirements";
    suite.refused(&suite.open(&[("claims", &essential(MULTI))]).await, code);
    suite.refused(&suite.open(&[("claims", &essential("phr"))]).await, code);
    suite.refused(&suite.open(&[("claims", &essential("level 9000"))]).await, code);
    let claims = essential(SINGLE);
    suite.finish(suite.answer(&suite.open(&[("claims", &claims)]).await), Some("a nonce")).await;
    let voluntary = json!({ "id_token": { "acr": { "values": [MULTI] } } }).to_string();
    suite.finish(suite.answer(&suite.open(&[("claims", &voluntary)]).await), Some("a nonce")).await;
}

async fn a_clients_own_wish_counts(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let (secret, _) = with_app(&app, &alice).await;
    let suite = Suite::with(&app, CODE, |new| new.settings.default_acr_values = vec![MULTI.to_owned()]).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let page = password(&suite, &page).await.expect(200, "/login/mfa");
    let page = code(&suite, &page, &secret).await;
    is_worth(&end(&suite, page).await, MULTI, &["pwd", "otp", "mfa"]);
}

async fn a_recovery_code_is_a_second_factor(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let (_, codes) = with_app(&app, &alice).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let page = password(&suite, &page).await.expect(200, "/login/mfa");
    let fields = [("method", "recovery"), ("code", &*codes[0])];
    let page = suite.browser.submit(&page, "/login/mfa", &fields).await;
    is_worth(&end(&suite, page).await, MULTI, &["pwd", "otp", "mfa"]);
}

/// Signs in with a passkey, as the script of the page does.
async fn passkey(suite: &Suite, page: &Page, device: &mut Device) -> Page {
    let (csrf, t) = (page.hidden("csrf").unwrap(), page.hidden("t").unwrap());
    let asked = json!({ "ceremony": "sign-in" });
    let question = suite.browser.post_json("/login/passkey/options", &csrf, &asked).await.body(200);
    let body = json!({ "ceremony": "sign-in", "credential": device.get(&question) });
    let answer = suite.browser.post_json(&format!("/login/passkey?t={t}"), &csrf, &body).await.expect(200);
    suite.browser.open(&answer.str("location")).await
}

async fn a_passkey_is_both_and_can_t_be_phished(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let alice = person(&app, ALICE).await;
    let (mut device, _) = with_passkey(&app.ctx().await, &alice).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[("claims", &essential("phr"))]).await.expect(200, "/login");
    let page = passkey(&suite, &page, &mut device).await;
    is_worth(&end(&suite, page).await, "phr", &["pop", "user", "mfa"]);
}

async fn a_raise_changes_the_session_and_the_time(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let (secret, _) = with_app(&app, &alice).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[]).await.expect(200, "/login");
    let page = password(&suite, &page).await.expect(200, "/login/mfa");
    let before = suite.browser.cookie("gatehouse_session").unwrap();
    app.advance(Duration::from_secs(10));
    let now = app.now().seconds();
    let page = code(&suite, &page, &secret).await;
    assert_ne!(suite.browser.cookie("gatehouse_session").unwrap(), before);
    assert_eq!(end(&suite, page).await["auth_time"], now);
}
