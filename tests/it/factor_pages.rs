//! Second factors as people meet them: set up in the account, asked for at sign-in, without script
//! where that can be.

use std::time::Duration;

use gatehouse::domain::factors;
use gatehouse::model::user::User;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::routes::PASSWORD;
use crate::support::{Answer, Browser, Device, Page, Setup, TestApp, both_engines, by_name, totp_code, unescaped};

both_engines!(
    an_app_is_set_up_and_asked_for,
    recovery_codes_stand_in_and_are_made_anew,
    a_passkey_is_added_and_signs_in_alone,
    a_passkey_is_a_second_factor,
    a_script_of_another_site_gets_nothing,
    who_signed_in_long_ago_signs_in_again_first,
    every_change_is_told_by_mail,
);

const ALICE: &str = "alice@example.org";
const STEP: Duration = Duration::from_secs(30);

async fn start(setup: &Setup) -> (TestApp, User) {
    let app = setup.start_with(by_name).await;
    let user = app.user(ALICE, PASSWORD).await;
    (app, user)
}

/// Gives the password in this browser; where that leads.
async fn enter(browser: &Browser) -> Page {
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await
}

/// What stands in the elements of this tag and class.
fn texts(page: &Page, open: &str, close: &str) -> Vec<String> {
    page.text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0.to_owned())).collect()
}

/// Sets an app up on the account's pages; its secret and the page with the recovery codes.
async fn set_up(app: &TestApp, browser: &Browser) -> (String, Page) {
    let page = browser.open("/account/totp").await.expect(200, "/account/totp");
    let page = browser.submit(&page, "/account/totp", &[("action", "begin")]).await.expect(200, "/account/totp");
    assert!(page.text.contains("<svg"), "the picture");
    let secret = texts(&page, "<code class=\"secret\">", "</code>").remove(0);
    assert_eq!(secret.len(), 32);
    assert!(
        page.text.contains("href=\"otpauth://totp/gatehouse:") && page.text.contains("issuer=gatehouse\""),
        "{page:?}"
    );
    let wrong = browser.submit(&page, "/account/totp", &[("code", "000000")]).await.expect(422, "/account/totp");
    assert!(wrong.text.contains(&secret), "it goes on with the same one");
    let code = totp_code(&secret, app.now());
    let page = browser.submit(&wrong, "/account/totp", &[("code", &code)]).await;
    app.advance(STEP);
    (secret, page)
}

fn codes(page: &Page) -> Vec<String> {
    texts(page, "<li><code>", "</code>")
}

async fn an_app_is_set_up_and_asked_for(setup: Setup) {
    let (app, _) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    let (secret, page) = set_up(&app, &browser).await;
    assert_eq!(codes(&page).len(), 10, "{page:?}");
    let page = browser.open("/account/totp").await.expect(200, "/account/totp");
    assert!(!page.text.contains(&secret), "never again");

    let elsewhere = Browser::new(&app);
    let page = enter(&elsewhere).await.expect(200, "/login/mfa");
    elsewhere.open("/account").await.expect(200, "/login");
    let wrong = elsewhere.submit(&page, "/login/mfa", &[("code", "000000")]).await.expect(422, "/login/mfa");
    let code = totp_code(&secret, app.now());
    elsewhere.submit(&wrong, "/login/mfa", &[("code", &code), ("trust", "1")]).await.expect(200, "/account");
    let page = elsewhere.open("/logout").await.expect(200, "/logout");
    elsewhere.submit(&page, "/logout", &[("action", "sign-out")]).await;
    elsewhere.open("/account").await.expect(200, "/login");

    // That browser is trusted; another one is not, and the code is used.
    let page = enter(&elsewhere).await;
    assert_eq!(page.path(), "/account", "{page:?}");
    let third = Browser::new(&app);
    let page = enter(&third).await.expect(200, "/login/mfa");
    third.submit(&page, "/login/mfa", &[("code", &code)]).await.expect(422, "/login/mfa");

    // Without the app the password is enough again.
    let page = browser.open("/account/totp").await;
    browser.submit(&page, "/account/totp", &[("action", "remove")]).await.expect(200, "/account/totp");
    enter(&Browser::new(&app)).await.expect(200, "/account");
}

async fn recovery_codes_stand_in_and_are_made_anew(setup: Setup) {
    let (app, _) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    let none = browser.open("/account/recovery-codes").await.expect(200, "/account/recovery-codes");
    assert!(none.forms().iter().all(|form| !form.action.ends_with("/account/recovery-codes")), "nothing to renew");
    let (_, page) = set_up(&app, &browser).await;
    let first = codes(&page);

    let elsewhere = Browser::new(&app);
    enter(&elsewhere).await.expect(200, "/login/mfa");
    let page = elsewhere.open("/login/mfa?method=recovery").await.expect(200, "/login/mfa");
    elsewhere.submit(&page, "/login/mfa", &[("code", &first[0])]).await.expect(200, "/account");

    let page = browser.open("/account/recovery-codes").await;
    assert!(page.text.contains('9'), "{page:?}");
    let page = browser.submit(&page, "/account/recovery-codes", &[("action", "renew")]).await;
    let second = codes(&page.expect(200, "/account/recovery-codes"));
    assert_eq!(second.len(), 10);
    let third = Browser::new(&app);
    enter(&third).await;
    let page = third.open("/login/mfa?method=recovery").await;
    let page = third.submit(&page, "/login/mfa", &[("code", &first[1])]).await.expect(422, "/login/mfa");
    third.submit(&page, "/login/mfa", &[("code", &second[1])]).await.expect(200, "/account");
}

/// Adds a passkey as the script does.
async fn add(browser: &Browser, device: &mut Device, name: &str) -> Page {
    let page = browser.open("/account/passkeys").await.expect(200, "/account/passkeys");
    let csrf = csrf_of(&page);
    let question = browser.post_json("/account/passkeys/options", &csrf, &json!({})).await.body(200);
    let credential = device.create(&question).to_string();
    let fields = [("csrf", &*csrf), ("action", "add"), ("name", name), ("credential", &credential)];
    let fields: Vec<(String, String)> = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let answer = browser.send(Method::POST, "/account/passkeys", Some(&fields)).await;
    match answer.header("location") {
        Some(next) => browser.open(next).await,
        None => {
            let Answer { status, headers, text } = answer;
            Page { url: "/account/passkeys".to_owned(), status, headers, text, left_for: None }
        }
    }
}

/// The token that the script finds on the page.
fn csrf_of(page: &Page) -> String {
    texts(page, "data-csrf=\"", "\"").remove(0)
}

/// Signs in as the script does, from a page that offers it; where it is sent.
async fn by_passkey(browser: &Browser, device: &mut Device, page: &Page, ceremony: &str) -> Value {
    let csrf = csrf_of(page);
    let options = unescaped(&texts(page, "data-options=\"", "\"")[0]);
    let finish = unescaped(&texts(page, "data-finish=\"", "\"")[0]);
    let question = browser.post_json(&options, &csrf, &json!({ "ceremony": ceremony })).await.body(200);
    let body = json!({ "ceremony": ceremony, "remember": null, "credential": device.get(&question) });
    browser.post_json(&finish, &csrf, &body).await.body(200)["location"].clone()
}

async fn a_passkey_is_added_and_signs_in_alone(setup: Setup) {
    let (app, user) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    let mut device = Device::new(app.config.http.issuer.as_str(), user.id);
    let page = add(&browser, &mut device, "My <phone>").await;
    assert_eq!(codes(&page.expect(200, "/account/passkeys")).len(), 10, "the first factor");
    let page = browser.open("/account/passkeys").await.expect(200, "/account/passkeys");
    assert!(page.text.contains("My &#60;phone&#62;") && !page.text.contains("<phone>"), "{page:?}");

    let elsewhere = Browser::new(&app);
    let page = elsewhere.open("/login").await.expect(200, "/login");
    assert_eq!(by_passkey(&elsewhere, &mut device, &page, "sign-in").await, "/account");
    elsewhere.open("/account").await.expect(200, "/account");
    // Two factors in one: nothing else is asked for, and it is fresh enough for anything.
    let page = elsewhere.open("/account/passkeys").await.expect(200, "/account/passkeys");
    let id = page.hidden("id").unwrap();
    let fields = [("action", "rename"), ("id", &*id), ("name", "Laptop")];
    let page = elsewhere.submit(&page, "/account/passkeys", &fields).await.expect(200, "/account/passkeys");
    assert!(page.text.contains("Laptop"), "{page:?}");
    let page = elsewhere.submit(&page, "/account/passkeys", &[("action", "remove"), ("id", &id)]).await;
    assert!(!page.expect(200, "/account/passkeys").text.contains("Laptop"));
    assert!(factors::of(&app.ctx().await, user.id).await.unwrap().passkeys.is_empty());
}

async fn a_passkey_is_a_second_factor(setup: Setup) {
    let (app, user) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    let mut device = Device::new(app.config.http.issuer.as_str(), user.id);
    add(&browser, &mut device, "").await;
    let page = browser.open("/account/passkeys").await;
    assert!(page.text.contains("Unknown browser"), "a passkey without a name is called after the browser: {page:?}");

    let elsewhere = Browser::new(&app);
    let page = enter(&elsewhere).await.expect(200, "/login/mfa");
    let before = elsewhere.cookie("gatehouse_session");
    assert_eq!(by_passkey(&elsewhere, &mut device, &page, "second-factor").await, "/account");
    assert_ne!(elsewhere.cookie("gatehouse_session"), before, "a raised session has another cookie");
    elsewhere.open("/account").await.expect(200, "/account");
}

async fn a_script_of_another_site_gets_nothing(setup: Setup) {
    let (app, user) = start(&setup).await;
    let browser = Browser::new(&app);
    let page = browser.open("/login").await.expect(200, "/login");
    let csrf = csrf_of(&page);
    for token in ["", "wrong", &format!("{csrf}x")] {
        for path in ["/login/passkey/options", "/login/passkey", "/account/passkeys/options"] {
            assert_eq!(browser.post_json(path, token, &json!({})).await.status, 403, "{path}");
        }
    }
    let other = Browser::new(&app);
    other.open("/login").await;
    assert_eq!(other.post_json("/login/passkey/options", &csrf, &json!({})).await.status, 403, "another browser's");
    assert_eq!(browser.post_json("/login/passkey/options", &csrf, &json!({})).await.status, 200);
    let nobody = browser.post_json("/account/passkeys/options", &csrf, &json!({})).await;
    assert_eq!((nobody.status, nobody.json()["location"].as_str()), (401, Some("/login?next=%2Faccount%2Fpasskeys")));

    // An answer to a question that was put to another browser.
    let there = Browser::new(&app);
    enter(&there).await.expect(200, "/account");
    let mut device = Device::new(app.config.http.issuer.as_str(), user.id);
    add(&there, &mut device, "A key").await;
    let question = browser.post_json("/login/passkey/options", &csrf, &json!({})).await.body(200);
    let body = json!({ "credential": device.get(&question) });
    let page = other.open("/login").await;
    let stolen = other.post_json("/login/passkey", &csrf_of(&page), &body).await;
    assert_eq!((stolen.status, stolen.json()["location"].as_str()), (400, None));
    for malformed in [json!({}), json!({ "credential": 1 }), json!({ "credential": {}, "remember": true })] {
        assert_eq!(browser.post_json("/login/passkey", &csrf, &malformed).await.status, 400, "{malformed}");
    }
    assert_eq!(browser.post_json("/login/passkey", &csrf, &body).await.status, 200);
}

async fn who_signed_in_long_ago_signs_in_again_first(setup: Setup) {
    let (app, _) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    let page = browser.open("/account/totp").await.expect(200, "/account/totp");
    app.advance(app.config.sessions.recent + STEP);
    let page = browser.submit(&page, "/account/totp", &[("action", "begin")]).await.expect(200, "/login");
    browser.open("/account/passkeys").await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    page.expect(200, "/account/totp");
    set_up(&app, &browser).await;
}

async fn every_change_is_told_by_mail(setup: Setup) {
    let (app, user) = start(&setup).await;
    let browser = Browser::new(&app);
    enter(&browser).await.expect(200, "/account");
    set_up(&app, &browser).await;
    let page = browser.open("/account/recovery-codes").await;
    browser.submit(&page, "/account/recovery-codes", &[("action", "renew")]).await;
    let page = browser.open("/account/totp").await;
    browser.submit(&page, "/account/totp", &[("action", "remove")]).await;
    let mut device = Device::new(app.config.http.issuer.as_str(), user.id);
    add(&browser, &mut device, "A key").await;
    let page = browser.open("/account/passkeys").await;
    let id = page.hidden("id").unwrap();
    browser.submit(&page, "/account/passkeys", &[("action", "remove"), ("id", &id)]).await;
    app.all_mail_sent().await;
    let subjects: Vec<String> =
        app.mails().into_iter().filter(|mail| mail.to == ALICE).map(|mail| mail.subject).collect();
    assert_eq!(subjects.len(), 5, "{subjects:?}");
}
