//! The pages around mail: registration, proof of an address, a forgotten password. What they answer
//! tells nobody whether an account exists, and opening a link changes nothing.

use gatehouse::config::Rate;

use crate::support::{Browser, Page, Setup, TestApp, both_engines};

both_engines!(
    somebody_registers_proves_the_address_and_signs_in,
    registering_looks_the_same_for_every_address,
    forgetting_looks_the_same_for_every_address,
    opening_a_link_changes_nothing,
    a_forgotten_password_is_set_anew_and_everybody_signed_out,
    what_is_wrong_is_said_and_nothing_typed_is_lost,
    pages_and_mails_speak_one_language,
    a_tenant_has_pages_of_its_own,
    an_address_may_ask_so_often,
    a_closed_registration_has_no_page,
);

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";
const NEW: &str = "seven lanterns on the pier";

async fn register(browser: &Browser, email: &str, password: &str) -> Page {
    let page = browser.open("/register").await.expect(200, "/register");
    browser.submit(&page, "/register", &[("name", "Alice"), ("email", email), ("password", password)]).await
}

async fn sign_in(browser: &Browser, password: &str) -> Page {
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", ALICE), ("password", password)]).await
}

async fn forget(browser: &Browser, email: &str) -> Page {
    let page = browser.open("/forgot-password").await.expect(200, "/forgot-password");
    browser.submit(&page, "/forgot-password", &[("email", email)]).await
}

/// A page without what is another one for each browser.
fn bare(page: &Page) -> String {
    let mut text = page.text.clone();
    for form in page.forms() {
        for (_, value) in form.hidden.iter().filter(|(_, value)| !value.is_empty()) {
            text = text.replace(value.as_str(), "");
        }
    }
    format!("{} {}\n{text}", page.status, page.url)
}

async fn somebody_registers_proves_the_address_and_signs_in(app: TestApp) {
    let browser = Browser::new(&app);
    register(&browser, ALICE, PASSWORD).await.expect(200, "/verify-email");
    sign_in(&browser, "wrong wrong wrong").await.expect(422, "/login");
    let page = sign_in(&browser, PASSWORD).await.expect(200, "/verify-email");
    app.mail_to(ALICE, "Confirm").await;
    let page = browser.submit(&page, "/verify-email", &[("email", ALICE), ("action", "resend")]).await;
    page.expect(200, "/verify-email");
    let link = app.mail_to(ALICE, "Confirm").await.link.unwrap();
    // The mail is read somewhere else.
    let elsewhere = Browser::new(&app);
    let page = elsewhere.open(&link).await.expect(200, "/verify-email");
    assert!(page.text.contains(ALICE));
    let page = elsewhere.submit(&page, "/verify-email", &[]).await.expect(200, "/verify-email");
    assert!(!page.url.contains("token"), "{}", page.url);
    assert_eq!(elsewhere.open("/account").await.path(), "/login", "a link signs nobody in");
    sign_in(&browser, PASSWORD).await.expect(200, "/account");
    let page = elsewhere.open(&link).await;
    assert_eq!(page.status, 400, "once");
}

async fn registering_looks_the_same_for_every_address(app: TestApp) {
    app.user(ALICE, "another password").await;
    let mut seen = Vec::new();
    for email in [ALICE, "nobody@example.org"] {
        for password in [PASSWORD, "password", "short"] {
            let page = register(&Browser::new(&app), email, password).await;
            seen.push(bare(&page).replace(email, ""));
        }
    }
    assert!(seen[0].starts_with("200 "), "{}", seen[0]);
    assert_eq!(seen[..3], seen[3..]);
}

async fn forgetting_looks_the_same_for_every_address(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let mut seen = Vec::new();
    for email in [ALICE, "nobody@example.org", "not an address", "x"] {
        seen.push(bare(&forget(&Browser::new(&app), email).await));
    }
    seen.dedup();
    assert!(seen.len() == 1 && seen[0].starts_with("200 "), "{seen:?}");
    app.mail_to(ALICE, "Set a new password").await;
    app.all_mail_sent().await;
    assert!(app.mails().is_empty());
}

async fn opening_a_link_changes_nothing(app: TestApp) {
    let browser = Browser::new(&app);
    register(&browser, ALICE, PASSWORD).await.expect(200, "/verify-email");
    let proof = app.mail_to(ALICE, "Confirm").await.link.unwrap();
    forget(&browser, ALICE).await.expect(200, "/forgot-password");
    let reset = app.mail_to(ALICE, "Set a new password").await.link.unwrap();
    let before = app.rows_of_people().await;
    for link in [&proof, &reset] {
        for _ in 0..3 {
            assert_eq!(Browser::new(&app).open(link).await.status, 200);
        }
        let head = Browser::new(&app).send(reqwest::Method::HEAD, link, None).await;
        assert_eq!(head.status, 200);
        let stripped = link.split_once("token=").unwrap();
        for wrong in ["", "ghm_", "x", &stripped.1.to_lowercase(), &"9".repeat(600)] {
            let page = Browser::new(&app).open(&format!("{}token={wrong}", stripped.0)).await;
            assert!(page.status == 400 || (wrong.is_empty() || wrong.len() == 600), "{page:?}");
            assert!(page.status < 500, "{page:?}");
        }
    }
    assert_eq!(app.rows_of_people().await, before);
}

async fn a_forgotten_password_is_set_anew_and_everybody_signed_out(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let (signed_in, forgetful) = (Browser::new(&app), Browser::new(&app));
    sign_in(&signed_in, PASSWORD).await.expect(200, "/account");
    forget(&forgetful, ALICE).await.expect(200, "/forgot-password");
    let link = app.mail_to(ALICE, "Set a new password").await.link.unwrap();
    let page = forgetful.open(&link).await.expect(200, "/reset-password");
    let page = forgetful.submit(&page, "/reset-password", &[("password", "password")]).await;
    let page = page.expect(422, "/reset-password");
    let page = forgetful.submit(&page, "/reset-password", &[("password", NEW)]).await.expect(200, "/reset-password");
    assert!(!page.url.contains("token"), "{}", page.url);
    assert_eq!(forgetful.open("/account").await.path(), "/login", "a reset signs nobody in");
    assert_eq!(signed_in.open("/account").await.path(), "/login", "and everybody out");
    assert_eq!(forgetful.open(&link).await.status, 400);
    sign_in(&forgetful, PASSWORD).await.expect(422, "/login");
    sign_in(&forgetful, NEW).await.expect(200, "/account");
    app.mail_to(ALICE, "was changed").await;
}

async fn what_is_wrong_is_said_and_nothing_typed_is_lost(app: TestApp) {
    let browser = Browser::new(&app);
    for (email, password, wrong) in [
        ("alice", PASSWORD, "email"),
        (ALICE, "password1", "password"),
        ("", PASSWORD, "email"),
        (ALICE, "", "password"),
    ] {
        let page = register(&browser, email, password).await.expect(422, "/register");
        assert!(page.text.contains(&format!("{wrong}-error")), "{}", page.text);
        assert!(page.text.contains("value=\"Alice\"") && (email.is_empty() || page.text.contains(email)));
        assert!(password.is_empty() || !page.text.contains(password), "a password is never shown");
    }
    forget(&browser, "").await.expect(422, "/forgot-password");
    app.all_mail_sent().await;
    assert!(app.mails().is_empty());
}

async fn pages_and_mails_speak_one_language(app: TestApp) {
    let browser = Browser::new(&app);
    browser.speaks("zh-CN,zh;q=0.9");
    let page = register(&browser, ALICE, PASSWORD).await.expect(200, "/verify-email");
    assert!(page.text.contains("lang=\"zh-Hans\""));
    app.mail_to(ALICE, "请确认").await;
    // What was chosen on the page goes before what the browser says.
    let page = browser.open("/forgot-password?ui_locales=en").await.expect(200, "/forgot-password");
    let page = browser.submit(&page, "/forgot-password", &[("email", ALICE)]).await;
    assert!(page.expect(200, "/forgot-password").text.contains("lang=\"en\""));
    app.mail_to(ALICE, "Set a new password").await;
}

async fn a_tenant_has_pages_of_its_own(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let base = format!("/t/{}", tenant.id);
    let browser = Browser::new(&app);
    let page = browser.open(&format!("{base}/register")).await.expect(200, &format!("{base}/register"));
    let fields = [("name", "Alice"), ("email", ALICE), ("password", PASSWORD)];
    browser.submit(&page, "/register", &fields).await.expect(200, &format!("{base}/verify-email"));
    let mail = app.mail_to(ALICE, "Acme").await;
    let (_, query) = mail.link.as_ref().unwrap().split_once('?').unwrap();
    assert_eq!(browser.open(&format!("/verify-email?{query}")).await.status, 400, "another tenant's link");
    let page = browser.open(mail.link.as_ref().unwrap()).await.expect(200, &format!("{base}/verify-email"));
    browser.submit(&page, "/verify-email", &[]).await.expect(200, &format!("{base}/verify-email"));
    sign_in(&browser, PASSWORD).await.expect(422, "/login");
    let page = browser.open(&format!("{base}/login")).await;
    let page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    page.expect(200, &format!("{base}/account"));
}

async fn an_address_may_ask_so_often(setup: Setup) {
    let app = setup
        .start_with(|config| {
            config.limits.mail = Rate::per_hour(2, 2);
            config.limits.sign_up = Rate::per_hour(2, 2);
        })
        .await;
    let browser = Browser::new(&app);
    for n in 0..3 {
        let status = if n < 2 { 200 } else { 429 };
        assert_eq!(forget(&browser, ALICE).await.status, status);
        let page = register(&browser, &format!("somebody{n}@example.org"), PASSWORD).await;
        assert_eq!(page.status, status);
        assert_eq!(page.headers.contains_key("retry-after"), status == 429);
    }
}

async fn a_closed_registration_has_no_page(setup: Setup) {
    let app = setup.start_with(|config| config.registration.self_registration = false).await;
    let browser = Browser::new(&app);
    assert_eq!(browser.open("/register").await.status, 403);
    assert!(!browser.open("/login").await.text.contains("/register"));
}
