//! What an attacker would try next: each test is named after what must not come of it.

use std::time::Duration;

use gatehouse::domain::clients::{self, ClientChange, NewClient};
use gatehouse::domain::sessions::Browser as Digest;
use gatehouse::domain::sign_in::{self, Code};
use gatehouse::domain::{Ctx, factors, recovery, users};
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::client_settings::SubjectType;
use gatehouse::model::ids::ClientId;
use gatehouse::model::tenant::RegistrationPolicy;
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde_json::json;

use crate::support::{
    Answer, Browser, Client, Page, Receiver, RelyingParty, Setup, TestApp, VERIFIER, both_engines, challenge,
    claims_of, code_app, totp_code,
};

both_engines!(
    what_a_device_was_allowed_does_not_outlive_the_password,
    what_a_device_was_allowed_does_not_outlive_the_consent,
    a_session_from_before_the_second_factor_changes_no_credentials,
    a_form_of_another_site_takes_no_cookie_away,
    no_name_of_a_session_tells_two_sectors_that_it_is_one_person,
    who_has_no_redirect_uri_claims_no_sector,
    an_app_that_widens_itself_after_the_consent_asks_again,
    a_service_does_not_turn_its_permissions_into_a_scope,
    a_reset_gives_no_new_guesses_at_the_second_factor,
    a_reset_of_an_account_that_was_never_proved_takes_its_factors,
    nobody_fills_the_database_with_what_is_no_request,
);

const ANN: &str = "ann@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";
const NEW: &str = "seven lanterns over the canal";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const STEP: Duration = Duration::from_secs(30);

async fn enter(browser: &Browser, password: &str) -> Page {
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", ANN), ("password", password)]).await
}

async fn inside(app: &TestApp) -> Browser {
    let browser = Browser::new(app);
    enter(&browser, PASSWORD).await.expect(200, "/account");
    browser
}

fn television() -> NewClient {
    NewClient {
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::DeviceCode, GrantType::RefreshToken],
        redirect_uris: Vec::new(),
        ..code_app()
    }
}

/// A device that Ann has allowed, and that has not asked since: its client and code.
async fn allowed(app: &TestApp, browser: &Browser) -> (Client, String) {
    let client = app.client(television()).await;
    let form = [("client_id", &*client.id), ("scope", "openid email")];
    let device = app.form("/oauth/device_authorization", &form).await.expect(200);
    let page = browser.open("/device").await.expect(200, "/device");
    let fields = [("user_code", &*device.str("user_code")), ("action", "allow")];
    browser.submit(&page, "/device", &fields).await.expect(200, "/device");
    (client, device.str("device_code"))
}

async fn ask(app: &TestApp, client: &Client, code: &str) -> Answer {
    app.form("/oauth/token", &[("grant_type", DEVICE), ("client_id", &client.id), ("device_code", code)]).await
}

async fn what_a_device_was_allowed_does_not_outlive_the_password(app: TestApp) {
    let ann = app.user(ANN, PASSWORD).await;
    let (client, code) = allowed(&app, &inside(&app).await).await;
    users::set_password(&app.ctx().await, ann.id, NEW, 6).await.unwrap();
    ask(&app, &client, &code).await.is_oauth_error(400, "invalid_grant");
}

async fn what_a_device_was_allowed_does_not_outlive_the_consent(app: TestApp) {
    app.user(ANN, PASSWORD).await;
    let browser = inside(&app).await;
    let (client, code) = allowed(&app, &browser).await;
    let page = browser.open("/account/applications").await.expect(200, "/account/applications");
    browser.submit(&page, "/account/applications", &[("action", "remove")]).await.expect(200, "/account/applications");
    let answer = ask(&app, &client, &code).await.expect(400);
    assert!(["invalid_grant", "access_denied"].contains(&answer.str("error").as_str()), "{answer:?}");
}

/// Sets an authenticator app up on the pages; its secret.
async fn set_up(app: &TestApp, browser: &Browser) -> String {
    let page = browser.open("/account/totp").await.expect(200, "/account/totp");
    let page = browser.submit(&page, "/account/totp", &[("action", "begin")]).await.expect(200, "/account/totp");
    let (_, rest) = page.text.split_once("<code class=\"secret\">").unwrap();
    let secret = rest.split('<').next().unwrap().to_owned();
    let code = totp_code(&secret, app.now());
    browser.submit(&page, "/account/totp", &[("code", &code)]).await.expect(200, "/account/totp");
    app.advance(STEP);
    secret
}

async fn a_session_from_before_the_second_factor_changes_no_credentials(app: TestApp) {
    app.user(ANN, PASSWORD).await;
    let (ann, thief) = (inside(&app).await, inside(&app).await);
    let secret = set_up(&app, &ann).await;
    // Where the factor was set up, it has been shown.
    ann.open("/account/totp").await.expect(200, "/account/totp");
    // Elsewhere the sign-in is as fresh, and the password is known, but that is not enough any more.
    for path in ["/account/totp", "/account/password", "/account/passkeys", "/account/delete"] {
        thief.open(path).await.expect(200, "/login");
    }
    let page = thief.open("/account/totp").await;
    let remove = [("csrf".to_owned(), page.hidden("csrf").unwrap()), ("action".to_owned(), "remove".to_owned())];
    thief.send(Method::POST, "/account/totp", Some(&remove)).await.expect(303);
    let page = thief.submit(&page, "/login", &[("identifier", ANN), ("password", PASSWORD)]).await;
    let page = page.expect(200, "/login/mfa");
    thief.open("/account").await.expect(200, "/login");
    // Who has the factor too goes on.
    let code = totp_code(&secret, app.now());
    thief.submit(&page, "/login/mfa", &[("code", &code)]).await.expect(200, "/account/totp");
}

async fn a_form_of_another_site_takes_no_cookie_away(app: TestApp) {
    let long = format!("client_id=x&state={}", "x".repeat(9000));
    for (path, body) in [
        ("/login", "identifier=a&password=b"),
        ("/logout", "action=sign-out"),
        ("/forgot-password", "email=a%40example.org"),
        ("/oauth/authorize", &*long),
        ("/oauth/authorize", "client_id=x"),
        ("/oauth/logout", &*long),
    ] {
        let request = app.request(Method::POST, path).header("sec-fetch-site", "cross-site");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
        let answer = app.send(request).await;
        assert!(!answer.headers.contains_key(SET_COOKIE), "{path}: {answer:?}");
    }
    let answer = app.send(app.request(Method::POST, "/login/passkey/options").json(&json!({}))).await;
    assert!(!answer.headers.contains_key(SET_COOKIE), "{answer:?}");
}

async fn no_name_of_a_session_tells_two_sectors_that_it_is_one_person(app: TestApp) {
    app.user(ANN, PASSWORD).await;
    let browser = Browser::new(&app);
    let mut seen = Vec::new();
    for host in ["one.example", "one.example", "two.example"] {
        let mut new = NewClient { redirect_uris: vec![format!("https://{host}/callback")], ..code_app() };
        new.settings.subject_type = SubjectType::Pairwise;
        let party = RelyingParty::new(&app, new).await;
        let tokens = party.tokens(&browser, ANN, &[]).await;
        let claims = claims_of(&tokens.str("id_token"));
        seen.push((claims["sub"].clone(), claims["sid"].clone()));
    }
    assert_eq!(seen[0], seen[1], "one session, one sector");
    assert_ne!(seen[0].0, seen[2].0);
    assert_ne!(seen[0].1, seen[2].1);
}

async fn who_has_no_redirect_uri_claims_no_sector(setup: Setup) {
    let app = setup.start_with(|config| config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let document = Receiver::start().await.shows("/sector.json", json!(["https://victim.example/callback"]));
    let mut new = television();
    new.settings.subject_type = SubjectType::Pairwise;
    new.settings.sector_identifier_uri = Some(document);
    let refused = clients::create(&app.ctx().await, new).await.err().unwrap().to_string();
    assert!(refused.contains("sector_identifier_uri"), "{refused}");
}

async fn an_app_that_widens_itself_after_the_consent_asks_again(app: TestApp) {
    app.user(ANN, PASSWORD).await;
    let party = RelyingParty::new(&app, NewClient { scope: "openid email".parse().unwrap(), ..code_app() }).await;
    let browser = Browser::new(&app);
    let page = browser.open(&party.request(&[("scope", "openid email phone")])).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", ANN), ("password", PASSWORD)]).await;
    let mut form = page.expect(200, "/consent").form("/consent").hidden;
    form.push(("action".to_owned(), "allow".to_owned()));
    let on = browser.send(Method::POST, "/consent", Some(&form)).await.expect(303);
    let id: ClientId = party.client.id.parse().unwrap();
    let wider = ClientChange { scope: Some("openid email phone".parse().unwrap()), ..ClientChange::default() };
    clients::update(&app.ctx().await, &id, wider).await.unwrap();
    browser.open(on.header("location").unwrap()).await.expect(200, "/consent");
}

async fn a_service_does_not_turn_its_permissions_into_a_scope(app: TestApp) {
    let open = |tenant: &mut gatehouse::model::tenant::Tenant| tenant.settings.registration = RegistrationPolicy::Open;
    gatehouse::domain::tenants::update(&app.ctx().await, open).await.unwrap();
    let wish = json!({ "redirect_uris": ["https://rp.example/callback"] });
    let made = app.send(app.request(Method::POST, "/oauth/register").json(&wish)).await.expect(201);
    let id: ClientId = made.str("client_id").parse().unwrap();
    // The operator makes it a service beside.
    let grants = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
    let scope = Some("openid user:read".parse().unwrap());
    let change = ClientChange { grant_types: Some(grants), scope, ..ClientChange::default() };
    clients::update(&app.ctx().await, &id, change).await.unwrap();
    let wish = json!({ "client_id": id.as_str(), "redirect_uris": ["https://rp.example/callback"] });
    let put = app.request(Method::PUT, &made.str("registration_client_uri"));
    app.send(put.bearer_auth(made.str("registration_access_token")).json(&wish)).await.expect(200);
    let client = clients::find(&app.ctx().await, &id).await.unwrap();
    assert!(!client.scope.contains("user:read") && !client.permissions.contains("user:read"), "{}", client.scope);
}

/// Wrong codes until none is looked at any more.
async fn lock_second_factor(ctx: &Ctx<'_>, entered: &sign_in::Arrival, browser: &Digest) {
    let sign_in::Arrival::Entered(entered) = entered else { panic!("no session") };
    for _ in 0..=ctx.core.config.lockout.failures {
        let outcome = sign_in::with_code(ctx, &entered.session, Code::Totp("000000"), false, browser).await;
        assert!(outcome.unwrap().is_none());
    }
}

async fn a_reset_gives_no_new_guesses_at_the_second_factor(app: TestApp) {
    app.user(ANN, PASSWORD).await;
    let secret = set_up(&app, &inside(&app).await).await;
    let (ctx, browser) = (app.ctx().await, Digest { digest: [7; 32], user_agent: None });
    let entered = sign_in::with_password(&ctx, ANN, PASSWORD, false, &browser, None).await.unwrap();
    lock_second_factor(&ctx, &entered, &browser).await;
    recovery::request(&ctx, ANN).await.unwrap();
    let link = app.mail_to(ANN, "Set a new password").await.token();
    recovery::reset(&ctx, &link, NEW).await.unwrap();
    let entered = sign_in::with_password(&ctx, ANN, NEW, false, &browser, None).await.unwrap();
    let sign_in::Arrival::Entered(entered) = entered else { panic!("no session") };
    let code = totp_code(&secret, app.now());
    let outcome = sign_in::with_code(&ctx, &entered.session, Code::Totp(&code), false, &browser).await;
    assert!(outcome.unwrap().is_none(), "the right one is not looked at either");
}

async fn a_reset_of_an_account_that_was_never_proved_takes_its_factors(setup: Setup) {
    let app = setup.start_with(|config| config.registration.require_verified_email = false).await;
    let ctx = app.ctx().await;
    // Whoever knows the address makes the account first, and leaves a factor in it.
    gatehouse::domain::registration::register(&ctx, ANN, Some("Not Ann"), PASSWORD).await.unwrap();
    set_up(&app, &inside(&app).await).await;
    recovery::request(&ctx, ANN).await.unwrap();
    let link = app.mail_to(ANN, "Set a new password").await.token();
    let ann = recovery::reset(&ctx, &link, NEW).await.unwrap();
    let left = factors::of(&ctx, ann.id).await.unwrap();
    assert!(!left.totp && left.recovery_codes_left == 0 && !users::find(&ctx, ann.id).await.unwrap().has_second_factor);
    enter(&Browser::new(&app), NEW).await.expect(200, "/account");
}

async fn nobody_fills_the_database_with_what_is_no_request(app: TestApp) {
    let party = RelyingParty::new(&app, code_app()).await;
    let browser = Browser::new(&app);
    let junk = "j".repeat(6000);
    browser.open(&party.request(&[("unknown", &junk), ("state", "a state")])).await.expect(200, "/login");
    let sql = app.sql().await;
    let kept = sql.texts("SELECT parameters FROM authorization_requests").await;
    sql.close().await;
    assert!(kept.len() == 1 && kept[0].contains("a state") && !kept[0].contains(&junk), "{kept:?}");
    // What is known is bounded as a whole.
    let challenge = challenge(VERIFIER);
    let long = format!("{{\"userinfo\":{{\"{}\":null}}}}", "x".repeat(17_000));
    let fields = [
        ("response_type", "code"),
        ("redirect_uri", &*party.redirect_uri),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("claims", &long),
    ];
    let pushed = app.basic("/oauth/par", &party.client.id, &party.client.secret, &fields).await;
    pushed.is_oauth_error(400, "invalid_request");
}
