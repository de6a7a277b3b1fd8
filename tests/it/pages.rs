//! Pages for people, in a browser without script: what all of them have in common, sign-in from the
//! first page to the last, and the account.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::tenants;
use gatehouse::http::mount::{Endpoint, routes};
use gatehouse::model::client_settings::ClientSettings;
use gatehouse::telemetry::Surface;
use reqwest::Method;
use serde_json::json;

use crate::factors::with_app;
use crate::support::routes::{Caller, PASSWORD, World, known};
use crate::support::{Browser, Page, RelyingParty, Setup, Sql, TestApp, both_engines, code_app, totp_code};

both_engines!(
    every_page_is_dressed_alike,
    looking_changes_nothing,
    what_changes_something_carries_the_token_of_its_page,
    forms_that_are_none_are_refused,
    nobody_learns_which_names_exist,
    a_sign_in_leads_where_it_was_wanted,
    who_is_remembered_keeps_the_cookie,
    a_second_factor_is_asked_for,
    an_app_is_signed_in_to,
    who_says_no_is_believed,
    an_account_is_chosen,
    a_sign_in_belongs_to_one_browser,
    pages_speak_the_reader_s_language,
    what_a_client_is_called_stays_text,
    a_profile_says_what_its_owner_says,
    a_password_is_changed_by_who_knows_it,
    old_sign_ins_do_not_change_credentials,
    sessions_are_shown_and_ended,
    what_an_app_was_allowed_is_taken_back,
    an_account_ends_for_good,
    a_device_is_connected,
    people_sign_out,
    tenants_have_pages_of_their_own,
);

const EMAIL: &str = "ann@example.org";

/// Somebody with a browser.
async fn ann(app: &TestApp) -> Browser {
    app.user(EMAIL, PASSWORD).await;
    Browser::new(app)
}

async fn sign_in(browser: &Browser, email: &str, password: &str) -> Page {
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", email), ("password", password)]).await
}

/// Somebody who is signed in.
async fn ann_inside(app: &TestApp) -> Browser {
    let browser = ann(app).await;
    sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/account");
    browser
}

fn pages_for_people(world: &World) -> impl Iterator<Item = Endpoint> {
    let pages = routes().into_iter().filter(|endpoint| endpoint.surface == Surface::Pages);
    // A style sheet is looked at with the page that names it.
    let pages = pages.filter(|endpoint| endpoint.name != "brand.brand");
    pages.filter(move |endpoint| known(endpoint, world).caller == Caller::Browser)
}

fn method(endpoint: &Endpoint) -> Method {
    endpoint.method.as_str().parse().unwrap()
}

/// Every row but what jobs write by themselves.
async fn rows(sql: &Sql) -> Vec<String> {
    let all = sql.dump(&["signing_keys", "changes", "leases"]).await;
    all.into_iter().filter(|row| !row.contains("key.publish")).collect()
}

/// Where browsers are sent for what they must have to read a page.
async fn style_weight(app: &TestApp, page: &str) -> usize {
    let mut weight = 0;
    for address in page.split('"').filter(|text| text.starts_with("/static/")) {
        weight += app.get(address).await.expect(200).text.len();
    }
    weight
}

async fn every_page_is_dressed_alike(app: TestApp) {
    let world = World::default(&app).await;
    let (inside, outside) = (ann_inside(&app).await, Browser::new(&app));
    for browser in [&inside, &outside] {
        for endpoint in pages_for_people(&world).filter(|endpoint| endpoint.method.as_str() == "GET") {
            let (path, answer) = (&endpoint.path, browser.send(Method::GET, &endpoint.path, None).await);
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            if (300..400).contains(&answer.status) {
                assert!(answer.header("location").unwrap().starts_with('/'), "{path}: {answer:?}");
                continue;
            }
            assert!(answer.status < 500, "{path}: {answer:?}");
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
            let policy = answer.header("content-security-policy").unwrap();
            for needed in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(policy.contains(needed), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
            assert_eq!(policy.contains("script-src"), answer.text.contains("<script"), "{path}: {policy}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
            assert!(answer.text.starts_with("<!doctype html>") && answer.text.contains("<html lang=\"en\">"), "{path}");
            for forbidden in [" style=", "<style", " onclick=", " onload=", "javascript:"] {
                assert!(!answer.text.contains(forbidden), "{path}: {forbidden}");
            }
            let weight = answer.text.len() + style_weight(&app, &answer.text).await;
            assert!(weight < 50_000, "{path} weighs {weight}");
        }
    }
    // Cookies: for this site alone, out of reach of scripts, and not sent along from elsewhere.
    let answer = Browser::new(&app).send(Method::GET, "/login", None).await;
    for line in answer.headers.get_all("set-cookie") {
        let line = line.to_str().unwrap();
        for needed in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(line.contains(needed), "{line}");
        }
    }
}

async fn looking_changes_nothing(app: TestApp) {
    let world = World::default(&app).await;
    let browser = ann_inside(&app).await;
    let sql = app.sql().await;
    let before = rows(&sql).await;
    for endpoint in pages_for_people(&world).filter(|endpoint| endpoint.method.as_str() == "GET") {
        for query in ["", "?action=allow&action=sign-out", "?token=ghm_x&user_code=BCDF-GHJK&next=/account/delete"] {
            browser.send(Method::GET, &format!("{}{query}", endpoint.path), None).await;
        }
    }
    assert_eq!(rows(&sql).await, before);
    sql.close().await;
}

async fn what_changes_something_carries_the_token_of_its_page(app: TestApp) {
    let world = World::default(&app).await;
    let (browser, stranger) = (ann_inside(&app).await, Browser::new(&app));
    let own = browser.open("/account/sessions").await.hidden("csrf");
    let own = own.unwrap_or_default();
    let foreign = stranger.open("/login").await.hidden("csrf").unwrap();
    let sql = app.sql().await;
    let before = rows(&sql).await;
    let mut tried = 0;
    for endpoint in pages_for_people(&world).filter(|endpoint| endpoint.method.as_str() == "POST") {
        tried += 1;
        for token in [None, Some(""), Some("x"), Some(foreign.as_str())] {
            let mut form = vec![("action".to_owned(), "end-others".to_owned())];
            form.extend(token.map(|token| ("csrf".to_owned(), token.to_owned())));
            let answer = browser.send(method(&endpoint), &endpoint.path, Some(&form)).await;
            assert_eq!(answer.status, 403, "{} with {token:?}: {answer:?}", endpoint.path);
        }
        // The right token does not help a page of another site.
        let cookies = format!("gatehouse_session={}", browser.cookie("gatehouse_session").unwrap());
        for site in ["cross-site", "same-site"] {
            let request = app.request(method(&endpoint), &endpoint.path).header("cookie", &cookies);
            let request = request.header("sec-fetch-site", site).header("x-csrf", &own);
            app.send(request.form(&[("csrf", &own)])).await.expect(403);
        }
    }
    assert!(tried > 10, "{tried}");
    assert_eq!(rows(&sql).await, before);
    sql.close().await;
}

async fn forms_that_are_none_are_refused(app: TestApp) {
    let world = World::default(&app).await;
    let browser = ann_inside(&app).await;
    let csrf = browser.open("/account/profile").await.hidden("csrf").unwrap();
    let cookies = format!("gatehouse_session={}", browser.cookie("gatehouse_session").unwrap());
    for endpoint in pages_for_people(&world).filter(|endpoint| endpoint.method.as_str() == "POST") {
        let path = &endpoint.path;
        let twice = format!("csrf={csrf}&action=x&action=y");
        let large = format!("csrf={csrf}&x={}", "m".repeat(70_000));
        for (kind, body, statuses) in [
            ("application/json", "{}".to_owned(), &[403_u16, 415] as &[_]),
            ("text/plain", "canary".to_owned(), &[403, 415]),
            ("application/x-www-form-urlencoded", twice, &[400, 403]),
            ("application/x-www-form-urlencoded", format!("csrf={csrf}&x=%00"), &[400, 403]),
            ("application/x-www-form-urlencoded", large, &[413, 403]),
            ("application/x-www-form-urlencoded", "%ff=%ff&&==&canary".to_owned(), &[403]),
        ] {
            let request = app.request(Method::POST, path).header("content-type", kind).header("cookie", &cookies);
            let answer = app.send(request.body(body)).await;
            assert!(statuses.contains(&answer.status), "{path} {kind}: {answer:?}");
            assert!(!answer.text.contains("canary"), "{path}: {answer:?}");
        }
        // What is odd in each field of a form that is one.
        for odd in ["", " ", "\u{202e}canary", &"m".repeat(5_000), "<script>canary</script>", "../..", "-1"] {
            let fields = ["identifier", "password", "code", "method", "session", "client_id", "confirm", "t", "next"];
            for field in fields.into_iter().chain(["user_code", "id", "name", "birthdate", "action", "token", "email"])
            {
                let form = [("csrf".to_owned(), csrf.clone()), (field.to_owned(), odd.to_owned())];
                let answer = browser.send(Method::POST, path, Some(&form)).await;
                assert!(answer.status < 500, "{path} {field}={odd:?}: {answer:?}");
                assert!(!answer.text.contains("<script>canary"), "{path} {field}: {answer:?}");
            }
            if browser.send(Method::GET, "/account", None).await.status != 200 {
                break; // It was the form that signs out.
            }
        }
    }
}

async fn nobody_learns_which_names_exist(app: TestApp) {
    let browser = ann(&app).await;
    let shape = |page: Page| {
        // What differs from page to page: tokens, and the name that was typed.
        let text: Vec<String> =
            page.text.lines().filter(|line| !line.contains("name=\"csrf\"")).map(str::to_owned).collect();
        (page.status, text.join("\n").replace("nobody@example.org", EMAIL).replace("data-csrf", "").len() / 64)
    };
    let known = sign_in(&browser, EMAIL, "not the password").await.expect(422, "/login");
    assert!(known.text.contains("role=\"alert\"") && known.text.contains(EMAIL), "{known:?}");
    assert!(!known.text.contains("not the password"));
    let unknown = sign_in(&browser, "nobody@example.org", "not the password").await;
    assert_eq!(shape(known), shape(unknown));
    let page = browser.open("/login").await;
    let page = browser.submit(&page, "/login", &[("identifier", ""), ("password", "")]).await.expect(422, "/login");
    assert_eq!(page.text.matches("aria-invalid").count(), 2);
    assert_eq!(page.text.matches(" autofocus").count(), 1);
}

async fn a_sign_in_leads_where_it_was_wanted(app: TestApp) {
    let browser = ann(&app).await;
    let page = browser.open("/account/sessions").await.expect(200, "/login");
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    browser.submit(&page, "/login", &fields).await.expect(200, "/account/sessions");
    // Who is in already needs no sign-in.
    browser.open("/login").await.expect(200, "/account");
    for elsewhere in ["https://evil.example", "//evil.example", "/static/style.css", "/account/../x"] {
        let browser = Browser::new(&app);
        let page = browser.open(&format!("/login?next={elsewhere}")).await;
        browser.submit(&page, "/login", &fields).await.expect(200, "/account");
    }
}

async fn who_is_remembered_keeps_the_cookie(app: TestApp) {
    let browser = ann(&app).await;
    for (remember, kept) in [("", false), ("1", true)] {
        browser.clear();
        let page = browser.open("/login").await;
        let mut form = page.form("/login").hidden;
        for (name, value) in [("identifier", EMAIL), ("password", PASSWORD), ("remember", remember)] {
            form.push((name.to_owned(), value.to_owned()));
        }
        let before = browser.cookie("gatehouse_session");
        let answer = browser.send(Method::POST, "/login", Some(&form)).await.expect(303);
        let line = answer.header("set-cookie").unwrap();
        assert!(line.starts_with("gatehouse_session=") && line.contains("Max-Age=") == kept, "{line}");
        assert_ne!(browser.cookie("gatehouse_session"), before, "a sign-in changes the cookie");
    }
}

async fn a_second_factor_is_asked_for(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let (secret, codes) = with_app(&app, &user).await;
    let browser = Browser::new(&app);
    let page = sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/login/mfa");
    assert!(page.text.contains("one-time-code") && page.text.contains("method=recovery"), "{page:?}");
    // Until then nobody is signed in.
    browser.open("/account").await.expect(200, "/login");
    let page = browser.open("/login/mfa").await.expect(200, "/login/mfa");
    let page = browser.submit(&page, "/login/mfa", &[("code", "000000")]).await.expect(422, "/login/mfa");
    assert!(page.text.contains("aria-describedby=\"code-error\""), "{page:?}");
    let code = totp_code(&secret, app.now());
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    browser.submit(&page, "/login/mfa", &[("code", &spaced)]).await.expect(200, "/account");
    // A recovery code does too, and the browser may be trusted from then on.
    let browser = Browser::new(&app);
    sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/login/mfa");
    let page = browser.open("/login/mfa?method=recovery").await.expect(200, "/login/mfa");
    browser.submit(&page, "/login/mfa", &[("code", &codes[0]), ("trust", "1")]).await.expect(200, "/account");
    let page = browser.open("/logout").await.expect(200, "/logout");
    browser.submit(&page, "/logout", &[("action", "sign-out")]).await.expect(200, "/logout");
    sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/account");
    // Who is somebody else says so.
    let browser = Browser::new(&app);
    let page = sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/login/mfa");
    browser.submit(&page, "/login/mfa", &[("action", "another")]).await.expect(200, "/login");
    browser.open("/login/mfa").await.expect(200, "/login");
}

fn shown_app() -> NewClient {
    let settings = ClientSettings {
        logo_uri: Some("https://rp.example/logo.png".to_owned()),
        tos_uri: Some("https://rp.example/terms".to_owned()),
        policy_uri: Some("https://rp.example/privacy".to_owned()),
        ..ClientSettings::default()
    };
    NewClient { settings, ..code_app() }
}

async fn an_app_is_signed_in_to(app: TestApp) {
    let browser = ann(&app).await;
    let party = RelyingParty::new(&app, shown_app()).await;
    let scope = [("scope", "openid email offline_access"), ("login_hint", EMAIL), ("prompt", "consent")];
    let page = browser.open(&party.request(&scope)).await.expect(200, "/login");
    for shown in [
        "A relying party",
        "https://rp.example/logo.png",
        "https://rp.example/terms",
        "https://rp.example/privacy",
        EMAIL,
    ] {
        assert!(page.text.contains(shown), "{shown}: {page:?}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https:;"), "{policy}");
    let page = browser.submit(&page, "/login", &[("password", PASSWORD), ("identifier", EMAIL)]).await;
    let page = page.expect(200, "/consent");
    for shown in
        ["A relying party would like to", "Know that it is you", "See your email address", "Stay connected", EMAIL]
    {
        assert!(page.text.contains(shown), "{shown}: {page:?}");
    }
    let left = browser.submit(&page, "/consent", &[("action", "allow")]).await.answer();
    party.redeem(left.code(), &[]).await.expect(200);
    // Only what is new is asked for again.
    browser.open(&party.request(&[("scope", "openid email")])).await.answer().code();
    let page = browser.open(&party.request(&[("scope", "openid phone")])).await.expect(200, "/consent");
    assert!(page.text.contains("Allowed before") && page.text.contains("See your phone number"), "{page:?}");
}

async fn who_says_no_is_believed(app: TestApp) {
    let browser = ann(&app).await;
    let party = RelyingParty::new(&app, code_app()).await;
    let page = browser.open(&party.request(&[])).await.expect(200, "/login");
    let left = browser.submit(&page, "/login", &[("action", "cancel")]).await.answer();
    assert_eq!((left.get("error"), left.get("state")), (Some("access_denied"), Some("a state")));
    let page = browser.open(&party.request(&[])).await;
    let page = browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    let page = page.expect(200, "/consent");
    let left = browser.submit(&page, "/consent", &[("action", "deny")]).await.answer();
    assert_eq!(left.get("error"), Some("access_denied"));
    assert!(left.get("code").is_none());
    // Nothing is remembered.
    browser.open(&party.request(&[])).await.expect(200, "/consent");
}

async fn an_account_is_chosen(app: TestApp) {
    let browser = ann_inside(&app).await;
    app.user("bob@example.org", PASSWORD).await;
    let party = RelyingParty::new(&app, code_app()).await;
    let choose = [("prompt", "select_account")];
    let page = browser.open(&party.request(&choose)).await.expect(200, "/login/select-account");
    assert!(page.text.contains(EMAIL), "{page:?}");
    let page = browser.submit(&page, "/login/select-account", &[("action", "continue")]).await.expect(200, "/consent");
    browser.submit(&page, "/consent", &[("action", "allow")]).await.answer().code();
    // Or another one, whose session takes the place of the first.
    let page = browser.open(&party.request(&choose)).await;
    let page = browser.submit(&page, "/login/select-account", &[("action", "another")]).await;
    let fields = [("identifier", "bob@example.org"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &fields).await.expect(200, "/consent");
    assert!(page.text.contains("bob@example.org"), "{page:?}");
    let page = browser.open(&party.request(&choose)).await;
    let left = browser.submit(&page, "/login/select-account", &[("action", "cancel")]).await.answer();
    assert_eq!(left.get("error"), Some("access_denied"));
    // Who must prove it anew is asked for nothing but the password.
    let page = browser.open(&party.request(&[("prompt", "login")])).await.expect(200, "/login");
    assert!(page.text.contains("bob@example.org") && page.hidden("identifier").is_some(), "{page:?}");
    browser.submit(&page, "/login", &[("password", PASSWORD)]).await.expect(200, "/consent");
}

async fn a_sign_in_belongs_to_one_browser(app: TestApp) {
    let (browser, other) = (ann(&app).await, Browser::new(&app));
    let party = RelyingParty::new(&app, code_app()).await;
    let page = browser.open(&party.request(&[])).await;
    let reference = page.hidden("t").unwrap();
    other.open("/login").await;
    for path in ["/login", "/login/mfa", "/consent", "/login/select-account", "/oauth/authorize"] {
        let page = other.open(&format!("{path}?t={reference}")).await;
        assert_eq!(page.status, 400, "{path}: {page:?}");
        assert!(page.text.contains("no longer open") && page.text.contains("Support code"), "{path}: {page:?}");
    }
    app.advance(Duration::from_secs(2 * 3600));
    assert_eq!(browser.open(&format!("/login?t={reference}")).await.status, 400);
}

async fn pages_speak_the_reader_s_language(app: TestApp) {
    let browser = ann(&app).await;
    let party = RelyingParty::new(&app, code_app()).await;
    browser.speaks("zh-CN,zh;q=0.9");
    assert!(browser.open("/login").await.text.contains("<html lang=\"zh-Hans\">"));
    // The client's wish comes before what the browser says, and the reader's before both; it stays.
    let page = browser.open(&party.request(&[("ui_locales", "fr en zh")])).await.expect(200, "/login");
    assert!(page.text.contains("<html lang=\"en\">"), "{page:?}");
    let link = page.text.split('"').find(|text| text.starts_with("/login?") && text.contains("ui_locales=zh")).unwrap();
    let page = browser.open(&link.replace("&#38;", "&").replace("&amp;", "&")).await.expect(200, "/login");
    assert!(page.text.contains("以继续使用 A relying party"), "{page:?}");
    let wrong = browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", "x")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("账号或密码不正确"), "{wrong:?}");
    let page = browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    assert!(page.path() == "/consent" && page.text.contains("A relying party 希望"), "{page:?}");
}

async fn what_a_client_is_called_stays_text(app: TestApp) {
    let browser = ann(&app).await;
    let name = "<script>alert('A')</script>";
    let party = RelyingParty::new(&app, NewClient { name: name.to_owned(), ..code_app() }).await;
    let hint = [("login_hint", "\"><script>alert('B')</script>")];
    let page = browser.open(&party.request(&hint)).await.expect(200, "/login");
    assert!(!page.text.contains("<script>alert") && page.text.contains("&#60;script&#62;alert"), "{page:?}");
    let page = browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    assert!(!page.expect(200, "/consent").text.contains("<script>alert"));
}

async fn a_profile_says_what_its_owner_says(app: TestApp) {
    let browser = ann_inside(&app).await;
    let page = browser.open("/account/profile").await.expect(200, "/account/profile");
    let said = [
        ("name", "Ann <Example>"),
        ("given_name", "Ann"),
        ("username", "ann.example"),
        ("birthdate", "1990-12-31"),
        ("phone_number", "+44 20 7946 0000"),
        ("website", "https://ann.example.org"),
        ("locality", "London"),
        ("country", "United Kingdom"),
        ("zoneinfo", "Europe/London"),
        ("locale", "en-GB"),
    ];
    let page = browser.submit(&page, "/account/profile", &said).await.expect(200, "/account/profile");
    assert!(page.text.contains("role=\"status\"") && page.text.contains("Ann &#60;Example&#62;"), "{page:?}");
    let party = RelyingParty::new(&app, code_app()).await;
    let tokens = party.tokens(&browser, EMAIL, &[("scope", "openid profile phone address")]).await;
    let claims = party.userinfo(&tokens.str("access_token")).await.body(200);
    for (name, value) in &said[..6] {
        let claim = if *name == "username" { "preferred_username" } else { name };
        assert_eq!(claims[claim], json!(value), "{name}");
    }
    assert_eq!(claims["address"], json!({ "locality": "London", "country": "United Kingdom" }));
    assert_eq!(claims["phone_number_verified"], false);
    // One signs in with the new name.
    let elsewhere = Browser::new(&app);
    sign_in(&elsewhere, "ANN.example", PASSWORD).await.expect(200, "/account");
    // What is wrong is said at its field, and everything that was typed is kept.
    app.user("bob@example.org", PASSWORD).await;
    let wrong = [("birthdate", "1990-02-30"), ("website", "ann"), ("nickname", "Annie"), ("username", "a b")];
    let page = browser.submit(&page, "/account/profile", &wrong).await.expect(422, "/account/profile");
    assert_eq!(page.text.matches("aria-invalid").count(), 3, "{page:?}");
    assert!(page.text.contains("value=\"1990-02-30\"") && page.text.contains("value=\"Annie\""), "{page:?}");
    let elsewhere = Browser::new(&app);
    sign_in(&elsewhere, "bob@example.org", PASSWORD).await;
    let page = elsewhere.open("/account/profile").await;
    let page = elsewhere.submit(&page, "/account/profile", &[("username", "Ann.Example")]).await;
    assert!(page.expect(422, "/account/profile").text.contains("username-error"));
}

async fn a_password_is_changed_by_who_knows_it(app: TestApp) {
    let (browser, elsewhere) = (ann_inside(&app).await, Browser::new(&app));
    sign_in(&elsewhere, EMAIL, PASSWORD).await.expect(200, "/account");
    let page = browser.open("/.well-known/change-password").await.expect(200, "/account/password");
    let change = async |current: &str, new: &str| {
        browser.submit(&page, "/account/password", &[("current", current), ("password", new)]).await
    };
    let new = "seven lanterns over the canal";
    for (current, password, field) in [
        ("wrong", new, "current"),
        (PASSWORD, "short", "password"),
        (PASSWORD, "password1234", "password"),
        (PASSWORD, "", "password"),
    ] {
        let page = change(current, password).await.expect(422, "/account/password");
        assert!(page.text.contains(&format!("id=\"{field}-error\"")), "{current} {password}: {page:?}");
        assert!(!page.text.contains(new), "{page:?}");
    }
    let page = change(PASSWORD, new).await.expect(200, "/account/password");
    assert!(page.text.contains("Your password is changed."), "{page:?}");
    elsewhere.open("/account").await.expect(200, "/login");
    sign_in(&elsewhere, EMAIL, PASSWORD).await.expect(422, "/login");
    sign_in(&elsewhere, EMAIL, new).await.expect(200, "/account");
}

async fn old_sign_ins_do_not_change_credentials(app: TestApp) {
    let browser = ann_inside(&app).await;
    app.advance(app.config.sessions.recent + Duration::from_secs(1));
    browser.open("/account").await.expect(200, "/account");
    for path in ["/account/password", "/account/delete"] {
        let page = browser.open(path).await.expect(200, "/login");
        assert!(page.text.contains("Confirm that it’s you") && page.hidden("identifier").as_deref() == Some(EMAIL));
    }
    let page = browser.open("/account/password").await;
    browser.submit(&page, "/login", &[("password", PASSWORD)]).await.expect(200, "/account/password");
}

async fn sessions_are_shown_and_ended(app: TestApp) {
    let (browser, second, third) = (ann_inside(&app).await, Browser::new(&app), Browser::new(&app));
    for other in [&second, &third] {
        sign_in(other, EMAIL, PASSWORD).await.expect(200, "/account");
    }
    let page = browser.open("/account/sessions").await;
    assert_eq!(page.text.matches("name=\"session\"").count(), 2, "{page:?}");
    let page = browser.submit(&page, "/account/sessions", &[("action", "end")]).await;
    assert_eq!(page.text.matches("name=\"session\"").count(), 1, "{page:?}");
    browser.submit(&page, "/account/sessions", &[("action", "end-others")]).await.expect(200, "/account/sessions");
    for other in [&second, &third] {
        other.open("/account").await.expect(200, "/login");
    }
    browser.open("/account").await.expect(200, "/account");
    // Another person's session is nobody's here.
    app.user("bob@example.org", PASSWORD).await;
    sign_in(&third, EMAIL, PASSWORD).await.expect(200, "/account");
    let of_ann = browser.open("/account/sessions").await.hidden("session").unwrap();
    let page = sign_in(&second, "bob@example.org", PASSWORD).await;
    let form = [("csrf".to_owned(), page.hidden("csrf").unwrap()), ("session".to_owned(), of_ann)];
    second.send(Method::POST, "/account/sessions", Some(&form)).await.expect(303);
    third.open("/account").await.expect(200, "/account");
}

async fn what_an_app_was_allowed_is_taken_back(app: TestApp) {
    let browser = ann(&app).await;
    let party = RelyingParty::new(&app, code_app()).await;
    let tokens = party.tokens(&browser, EMAIL, &[("scope", "openid email")]).await;
    let page = browser.open("/account/applications").await;
    assert!(page.text.contains("A relying party") && page.text.contains("See your email address"), "{page:?}");
    let page = browser.submit(&page, "/account/applications", &[("action", "remove")]).await;
    assert!(page.expect(200, "/account/applications").text.contains("You have not connected"));
    let refresh = tokens.str("refresh_token");
    party
        .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)])
        .await
        .is_oauth_error(400, "invalid_grant");
    assert_eq!(party.userinfo(&tokens.str("access_token")).await.status, 401);
    browser.open(&party.request(&[])).await.expect(200, "/consent");
}

async fn an_account_ends_for_good(app: TestApp) {
    let browser = ann_inside(&app).await;
    let page = browser.open("/account/delete").await.expect(200, "/account/delete");
    let page = browser.submit(&page, "/account/delete", &[("confirm", "ann")]).await.expect(422, "/account/delete");
    let page = browser.submit(&page, "/account/delete", &[("confirm", EMAIL)]).await.expect(200, "/account/delete");
    assert!(page.text.contains("Your account is deleted"), "{page:?}");
    browser.open("/account").await.expect(200, "/login");
    sign_in(&browser, EMAIL, PASSWORD).await.expect(422, "/login");
    // The name is free again, and nothing of the old account is in the new one.
    app.user(EMAIL, PASSWORD).await;
    sign_in(&browser, EMAIL, PASSWORD).await.expect(200, "/account");
}

async fn a_device_is_connected(app: TestApp) {
    let browser = ann(&app).await;
    let grant = vec![gatehouse::model::client::GrantType::DeviceCode];
    let client = app.client(NewClient { grant_types: grant, redirect_uris: Vec::new(), ..code_app() }).await;
    let begin = async || {
        app.basic("/oauth/device_authorization", &client.id, &client.secret, &[("scope", "openid email")])
            .await
            .body(200)
    };
    let device = begin().await;
    let page = browser.open(device["verification_uri_complete"].as_str().unwrap()).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", PASSWORD)]).await;
    let code = device["user_code"].as_str().unwrap();
    let page = page.expect(200, "/device");
    assert!(page.text.contains(code), "{page:?}");
    let wrong = browser.submit(&page, "/device", &[("user_code", "BBBB-BBBB")]).await.expect(422, "/device");
    assert!(wrong.text.contains("user_code-error"), "{wrong:?}");
    let typed = code.to_lowercase().replace('-', " ");
    let page = browser.submit(&page, "/device", &[("user_code", &typed)]).await.expect(200, "/device");
    assert!(page.text.contains("Connect A relying party?") && page.text.contains(code), "{page:?}");
    let page = browser.submit(&page, "/device", &[("action", "allow")]).await.expect(200, "/device");
    assert!(page.text.contains("Your device is connected"), "{page:?}");
    let ask = async |device: &serde_json::Value| {
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        let fields = [grant, ("device_code", device["device_code"].as_str().unwrap())];
        app.basic("/oauth/token", &client.id, &client.secret, &fields).await
    };
    ask(&device).await.expect(200).str("access_token");
    // A code counts once, and no is no.
    let page = browser.open("/device").await;
    browser.submit(&page, "/device", &[("user_code", code)]).await.expect(422, "/device");
    let device = begin().await;
    let fields = [("user_code", device["user_code"].as_str().unwrap()), ("action", "deny")];
    let page = browser.submit(&page, "/device", &fields).await.expect(200, "/device");
    assert!(page.text.contains("Nothing was connected"), "{page:?}");
    ask(&device).await.is_oauth_error(400, "access_denied");
}

async fn people_sign_out(app: TestApp) {
    let browser = ann_inside(&app).await;
    let page = browser.open("/logout").await.expect(200, "/logout");
    assert!(page.text.contains(EMAIL), "{page:?}");
    browser.submit(&page, "/logout", &[("action", "stay")]).await.expect(200, "/logout");
    browser.open("/account").await.expect(200, "/account");
    let page = browser.submit(&page, "/logout", &[("action", "sign-out")]).await.expect(200, "/logout");
    assert!(page.text.contains("You are signed out"), "{page:?}");
    browser.open("/account").await.expect(200, "/login");
    assert!(browser.open("/logout").await.text.contains("You are signed out"));
}

async fn tenants_have_pages_of_their_own(app: TestApp) {
    let tenant = app.tenant("Harbour & Sons").await;
    let color = "#ffd400".parse().unwrap();
    tenants::update(&app.ctx_of(&tenant).await, move |tenant| tenant.settings.color = Some(color)).await.unwrap();
    let world = World::of(&app, &tenant).await;
    let browser = Browser::new(&app);
    let page = browser.open(&format!("{}/login", world.prefix)).await;
    assert!(page.text.contains("Harbour &#38; Sons"), "{page:?}");
    let sheet = format!("{}/brand.css?v=ffd400", world.prefix);
    assert!(page.text.contains(&format!("href=\"{sheet}\"")), "{page:?}");
    assert!(
        page.text.contains("rel=\"icon\" href=\"data:image/svg+xml,") && page.text.contains("%23ffd400"),
        "{page:?}"
    );
    let css = app.get(&sheet).await.expect(200);
    assert_eq!(css.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(css.text.contains("--accent:#ffd400;--on-accent:#000000"), "{css:?}");
    let fields = [("identifier", world.email.as_str()), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &fields).await;
    assert_eq!((page.status, page.path()), (200, format!("{}/account", world.prefix).as_str()));
    // Who is lost finds back to what is the tenant's.
    let lost = browser.open(&format!("{}/login?t=nothing", world.prefix)).await;
    let account = format!("href=\"{}/account\"", world.prefix);
    assert!(lost.status == 400 && lost.text.contains(&account), "{lost:?}");
    // The session is this tenant's alone.
    browser.open("/account").await.expect(200, "/login");
    assert_eq!(browser.open("/t/tnt_00000000000000000000000000000000/login").await.status, 404);
}

#[test]
fn over_https_cookies_are_bound_to_the_host() {
    crate::support::drive(crate::support::Engine::Sqlite, async |setup: Setup| {
        let app = setup.start_with(|config| config.http.issuer = "https://id.example.org".parse().unwrap()).await;
        let answer = Browser::new(&app).send(Method::GET, "/login", None).await.expect(200);
        let lines: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.starts_with("__Host-gatehouse_") && line.contains("Secure")), "{lines:?}");
    });
}
