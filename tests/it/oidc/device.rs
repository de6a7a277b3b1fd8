//! Signing in on a device that has no browser of its own (RFC 8628).

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::{consents, users};
use gatehouse::model::client::{AuthMethod, GrantType};
use serde_json::{Value, json};

use super::suite::{ALICE, BOB, PASSWORD, person};
use crate::support::{Answer, Browser, Client, Page, TestApp, both_engines, claims_of, code_app};

both_engines!(
    a_device_signs_in,
    whoever_asks_too_often_waits_longer,
    a_person_can_say_no,
    codes_expire,
    a_code_is_its_clients_and_counts_once,
    the_person_types_the_code_and_compares,
    a_code_in_the_address_is_not_a_yes,
    what_is_wrong_is_refused,
    a_device_stays_signed_in_when_the_browser_signs_out,
    who_is_disabled_meanwhile_gets_nothing,
    what_is_taken_back_before_it_was_fetched_is_not_given,
    another_tenant_knows_nothing_of_it,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SECOND: Duration = Duration::from_secs(1);

fn television() -> NewClient {
    NewClient {
        auth_method: AuthMethod::None,
        name: "The television".to_owned(),
        grant_types: vec![GrantType::DeviceCode, GrantType::RefreshToken],
        redirect_uris: Vec::new(),
        ..code_app()
    }
}

async fn begin(app: &TestApp, client: &Client, scope: &str) -> Answer {
    app.form("/oauth/device_authorization", &[("client_id", &client.id), ("scope", scope)]).await
}

/// Begins; the code of the device and that of the person.
async fn begun(app: &TestApp, client: &Client) -> (String, String) {
    let answer = begin(app, client, "openid email").await.expect(200);
    (answer.str("device_code"), answer.str("user_code"))
}

async fn ask(app: &TestApp, client: &Client, code: &str) -> Answer {
    let fields = [("grant_type", GRANT), ("client_id", &*client.id), ("device_code", code)];
    app.form("/oauth/token", &fields).await
}

async fn sign_in(app: &TestApp, email: &str) -> Browser {
    let browser = Browser::new(app);
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", email), ("password", PASSWORD)]).await.expect(200, "/account");
    browser
}

/// Types a code on the page.
async fn typed(browser: &Browser, code: &str) -> Page {
    let page = browser.open("/device").await.expect(200, "/device");
    browser.submit(&page, "/device", &[("user_code", code)]).await
}

async fn say(browser: &Browser, code: &str, action: &str) -> Page {
    let page = typed(browser, code).await.expect(200, "/device");
    browser.submit(&page, "/device", &[("action", action)]).await
}

async fn a_device_signs_in(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let client = app.client(television()).await;
    let answer = begin(&app, &client, "openid email").await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let said = answer.json();
    assert_eq!((&said["interval"], &said["expires_in"]), (&json!(5), &json!(600)));
    assert_eq!(said["verification_uri"], format!("{}/device", app.base));
    let (device, user) = (answer.str("device_code"), answer.str("user_code"));
    assert_eq!(said["verification_uri_complete"], format!("{}/device?user_code={user}", app.base));
    assert!(super::suite::entropy(&device) > 96.0);
    ask(&app, &client, &device).await.is_oauth_error(400, "authorization_pending");
    // Whoever is not signed in is, on the way.
    let browser = Browser::new(&app);
    let page = browser.open(&format!("/device?user_code={user}")).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    let page = page.expect(200, "/device");
    assert!(page.text.contains(&format!(r#"value="{user}""#)), "{}", page.text);
    let page = browser.submit(&page, "/device", &[("user_code", &user)]).await.expect(200, "/device");
    browser.submit(&page, "/device", &[("action", "allow")]).await.expect(200, "/device");
    let tokens = ask(&app, &client, &device).await.expect(200);
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let id = claims_of(&tokens.str("id_token"));
    super::suite::verified(&app, &tokens.str("id_token")).await;
    assert_eq!((&id["sub"], &id["aud"], id.get("nonce")), (&json!(alice.id.to_string()), &json!(client.id), None));
    assert_eq!((&id["amr"], &id["acr"]), (&json!(["pwd"]), &json!("urn:gatehouse:acr:single")));
    let said = app.get_as(&tokens.str("access_token"), "/oauth/userinfo").await.body(200);
    assert_eq!(said["email"], ALICE);
    let fields =
        [("grant_type", "refresh_token"), ("client_id", &client.id), ("refresh_token", &tokens.str("refresh_token"))];
    app.form("/oauth/token", &fields).await.expect(200);
}

/// §3.5.
async fn whoever_asks_too_often_waits_longer(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    let hear = async |code: &str| ask(&app, &client, &device).await.is_oauth_error(400, code);
    hear("authorization_pending").await;
    app.advance(4 * SECOND);
    hear("slow_down").await;
    // Five seconds more than before from now on.
    app.advance(9 * SECOND);
    hear("slow_down").await;
    app.advance(14 * SECOND);
    hear("slow_down").await;
    app.advance(20 * SECOND);
    hear("authorization_pending").await;
    say(&sign_in(&app, ALICE).await, &user, "allow").await.expect(200, "/device");
    ask(&app, &client, &device).await.expect(200);
}

async fn a_person_can_say_no(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    let browser = sign_in(&app, ALICE).await;
    say(&browser, &user, "deny").await.expect(200, "/device");
    ask(&app, &client, &device).await.is_oauth_error(400, "access_denied");
    // What was said stays said.
    assert_eq!(typed(&browser, &user).await.status, 422);
}

async fn codes_expire(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    let browser = sign_in(&app, ALICE).await;
    let page = typed(&browser, &user).await.expect(200, "/device");
    app.advance(600 * SECOND);
    assert_eq!(browser.submit(&page, "/device", &[("action", "allow")]).await.status, 422);
    ask(&app, &client, &device).await.is_oauth_error(400, "expired_token");
    // Also one that was allowed in time and not fetched.
    let (device, user) = begun(&app, &client).await;
    say(&browser, &user, "allow").await.expect(200, "/device");
    app.advance(600 * SECOND);
    ask(&app, &client, &device).await.is_oauth_error(400, "expired_token");
}

async fn a_code_is_its_clients_and_counts_once(app: TestApp) {
    person(&app, ALICE).await;
    let (client, other) = (app.client(television()).await, app.client(television()).await);
    let (device, user) = begun(&app, &client).await;
    say(&sign_in(&app, ALICE).await, &user, "allow").await.expect(200, "/device");
    ask(&app, &other, &device).await.is_oauth_error(400, "invalid_grant");
    ask(&app, &client, &device).await.expect(200);
    ask(&app, &client, &device).await.is_oauth_error(400, "invalid_grant");
    for wrong in ["nothing", "ghd_x", &user] {
        ask(&app, &client, wrong).await.is_oauth_error(400, "invalid_grant");
    }
}

/// §5.4 and §6.1.
async fn the_person_types_the_code_and_compares(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let browser = sign_in(&app, ALICE).await;
    let (_, user) = begun(&app, &client).await;
    assert!(user.len() == 9 && user.bytes().all(|b| b"BCDFGHJKLMNPQRSTVWXZ-".contains(&b)), "{user}");
    for spelling in [user.clone(), user.to_lowercase(), user.replace('-', " "), format!(" {} ", user.replace('-', ""))]
    {
        let page = typed(&browser, &spelling).await.expect(200, "/device");
        assert!(
            page.text.contains(&user) && page.text.contains("The television") && page.text.contains(ALICE),
            "{}",
            page.text
        );
    }
    for wrong in ["BCDF-GHJK", "", "nothing at all", "<script>"] {
        let page = typed(&browser, wrong).await;
        assert_eq!((page.status, page.path()), (422, "/device"));
        assert!(!page.text.contains("<script>"));
    }
}

async fn a_code_in_the_address_is_not_a_yes(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    let browser = sign_in(&app, ALICE).await;
    let page = browser.open(&format!("/device?user_code={user}&action=allow")).await.expect(200, "/device");
    ask(&app, &client, &device).await.is_oauth_error(400, "authorization_pending");
    let page = browser.submit(&page, "/device", &[("user_code", &user)]).await.expect(200, "/device");
    app.advance(5 * SECOND);
    ask(&app, &client, &device).await.is_oauth_error(400, "authorization_pending");
    let forged = browser.submit(&page, "/device", &[("action", "allow"), ("csrf", "x")]).await;
    assert_eq!(forged.status, 403);
    app.advance(5 * SECOND);
    ask(&app, &client, &device).await.is_oauth_error(400, "authorization_pending");
}

async fn what_is_wrong_is_refused(app: TestApp) {
    let client = app.client(television()).await;
    begin(&app, &client, "unknown").await.is_oauth_error(400, "invalid_scope");
    begin(&app, &Client { id: "app_nobody".to_owned(), ..client.clone() }, "openid").await.expect(400);
    let without = app.client(NewClient { auth_method: AuthMethod::None, ..code_app() }).await;
    begin(&app, &without, "openid").await.is_oauth_error(400, "unauthorized_client");
    let fields = [("client_id", &*client.id), ("resource", "https://unknown.example")];
    app.form("/oauth/device_authorization", &fields).await.is_oauth_error(400, "invalid_target");
    // A client with a secret proves it.
    let secret = app.client(NewClient { auth_method: AuthMethod::ClientSecretBasic, ..television() }).await;
    begin(&app, &secret, "openid").await.is_oauth_error(400, "invalid_client");
    let fields = [("scope", "openid")];
    app.basic("/oauth/device_authorization", &secret.id, &secret.secret, &fields).await.expect(200);
    app.get("/oauth/device_authorization").await.expect(405);
    let fields = [("grant_type", GRANT), ("client_id", &*client.id)];
    app.form("/oauth/token", &fields).await.is_oauth_error(400, "invalid_request");
}

async fn a_device_stays_signed_in_when_the_browser_signs_out(app: TestApp) {
    person(&app, ALICE).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    let browser = sign_in(&app, ALICE).await;
    say(&browser, &user, "allow").await.expect(200, "/device");
    let tokens = ask(&app, &client, &device).await.expect(200);
    assert_eq!(claims_of(&tokens.str("id_token")).get("sid"), None::<&Value>);
    let page = browser.open("/logout").await.expect(200, "/logout");
    browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
    app.get_as(&tokens.str("access_token"), "/oauth/userinfo").await.expect(200);
}

async fn who_is_disabled_meanwhile_gets_nothing(app: TestApp) {
    let bob = person(&app, BOB).await;
    let client = app.client(television()).await;
    let (device, user) = begun(&app, &client).await;
    say(&sign_in(&app, BOB).await, &user, "allow").await.expect(200, "/device");
    users::set_enabled(&app.ctx().await, bob.id, false).await.unwrap();
    ask(&app, &client, &device).await.is_oauth_error(400, "invalid_grant");
}

async fn what_is_taken_back_before_it_was_fetched_is_not_given(app: TestApp) {
    let alice = person(&app, ALICE).await;
    person(&app, BOB).await;
    let client = app.client(television()).await;
    let (hers, his) = (begun(&app, &client).await, begun(&app, &client).await);
    say(&sign_in(&app, ALICE).await, &hers.1, "allow").await.expect(200, "/device");
    say(&sign_in(&app, BOB).await, &his.1, "allow").await.expect(200, "/device");
    consents::withdraw(&app.ctx().await, alice.id, &client.id.parse().unwrap()).await.unwrap();
    ask(&app, &client, &hers.0).await.is_oauth_error(400, "access_denied");
    ask(&app, &client, &his.0).await.expect(200);
}

async fn another_tenant_knows_nothing_of_it(app: TestApp) {
    person(&app, ALICE).await;
    let tenant = app.tenant("another").await;
    let client = crate::support::register(&app.ctx_of(&tenant).await, television()).await;
    let path = format!("/t/{}/oauth/device_authorization", tenant.id);
    let answer = app.form(&path, &[("client_id", &client.id)]).await.expect(200);
    assert_eq!(answer.str("verification_uri"), format!("{}/device", tenant.issuer));
    let page = typed(&sign_in(&app, ALICE).await, &answer.str("user_code")).await;
    assert_eq!(page.status, 422);
    ask(&app, &client, &answer.str("device_code")).await.is_oauth_error(400, "invalid_client");
}
