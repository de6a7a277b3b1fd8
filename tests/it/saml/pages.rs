//! From our own pages to a workspace's provider and back: by an address of the company.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::users::NewPassword;
use gatehouse::model::organization::MembershipRole;
use reqwest::Method;

use crate::support::saml::{Journey, Sso};
use crate::support::{Browser, RelyingParty, TestApp, both_engines, code_app, make_user};

both_engines!(
    an_address_leads_to_the_provider_and_back,
    who_finished_for_somebody_else_is_nobody,
    what_was_believed_before_a_change_counts_no_longer,
    a_member_finds_their_account,
    the_provider_ends_what_began_there,
);

const ADDRESS: &str = "alice@example.com";

async fn of_company(app: &TestApp) -> Sso<'_> {
    Sso::with(app, |_, _| {}, |new| new.domains = vec!["example.com".to_owned()]).await
}

/// From a page that asks for the name to the provider.
async fn set_out(browser: &Browser, from: &str) -> Journey {
    let page = browser.open(from).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", ADDRESS)]).await;
    Journey::at(page.left_for.as_deref().unwrap_or_else(|| panic!("still with us: {page:?}")))
}

/// What the provider's form leads to, which comes without our cookies.
async fn posted(sso: &Sso<'_>, journey: &Journey) -> String {
    let answer = sso.post(&journey.relay_state, &sso.says(journey).response()).await.expect(303);
    assert!(answer.header("set-cookie").is_none());
    answer.header("location").unwrap().to_owned()
}

async fn an_address_leads_to_the_provider_and_back(app: TestApp) {
    let sso = of_company(&app).await;
    let browser = Browser::new(&app);
    let page = browser.open("/login").await.expect(200, "/login");
    assert!(!page.text.contains("/login/with/") && !page.text.contains("name=\"password\""));
    let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap();
    assert!(policy.contains("form-action 'self' https:"), "{policy}");

    let journey = set_out(&browser, "/login?next=/account/sessions").await;
    assert!(!journey.request.contains("ForceAuthn"), "{}", journey.request);
    let back = posted(&sso, &journey).await;
    let callback = format!("{}/login/with/{}/callback?state=", app.config.http.issuer, sso.connection.id);
    assert!(back.starts_with(&callback) && !back.contains(&journey.relay_state), "{back}");
    browser.open(&back).await.expect(200, "/account/sessions");
    let sql = app.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM memberships").await, 1);
    assert_eq!(sql.number("SELECT count(*) FROM saml_sessions WHERE session_id IS NOT NULL").await, 1);
    sql.close().await;
    // Once, and no other answer to the same request.
    assert_ne!(browser.open(&back).await.status, 200);
    sso.post(&journey.relay_state, &sso.says(&journey).response()).await.expect(400);

    // Who is in already shows that it is still them.
    let again = browser.open(&format!("/login/with/{}", sso.connection.id)).await;
    let again = Journey::at(again.left_for.as_deref().unwrap());
    assert!(again.request.contains("ForceAuthn=\"true\""), "{}", again.request);
    browser.open(&posted(&sso, &again).await).await.expect(200, "/account");

    // Within the sign-in of a client it leads back to the client.
    let (party, browser) = (RelyingParty::new(&app, code_app()).await, Browser::new(&app));
    let journey = set_out(&browser, &party.request(&[])).await;
    let page = browser.open(&posted(&sso, &journey).await).await.expect(200, "/consent");
    let page = browser.submit(&page, "/consent", &[("action", "allow")]).await;
    party.redeem(page.answer().code(), &[]).await.expect(200);
}

async fn who_finished_for_somebody_else_is_nobody(app: TestApp) {
    let sso = of_company(&app).await;
    let (mallory, alice) = (Browser::new(&app), Browser::new(&app));
    alice.open("/login").await;
    let sessions = async || {
        let sql = app.sql().await;
        let found = sql.number("SELECT count(*) FROM sessions").await;
        sql.close().await;
        found
    };
    // Mallory lures Alice into finishing what Mallory began: neither comes in as the other.
    let journey = set_out(&mallory, "/login").await;
    let back = posted(&sso, &journey).await;
    assert_ne!(alice.open(&back).await.status, 200);
    let began = format!("/login/with/{}/callback?state={}", sso.connection.id, journey.relay_state);
    assert_ne!(mallory.open(&began).await.status, 200);
    assert_eq!(sessions().await, 0);
    // Nor is a journey of a page answered before its provider has.
    let journey = set_out(&alice, "/login").await;
    let early = format!("/login/with/{}/callback?state={}", sso.connection.id, journey.relay_state);
    assert_ne!(alice.open(&early).await.status, 200);
    sso.post(&journey.relay_state, &sso.says(&journey).response()).await.expect(400);
    assert_eq!(sessions().await, 0);
    // And one that was handed over is no reference for another answer.
    let journey = set_out(&alice, "/login").await;
    let back = posted(&sso, &journey).await;
    let state = back.split_once("state=").unwrap().1;
    sso.post(state, &sso.says(&journey).response()).await.expect(400);
    alice.open(&back).await.expect(200, "/account");
    assert_eq!(sessions().await, 1);
}

async fn what_was_believed_before_a_change_counts_no_longer(app: TestApp) {
    let sso = of_company(&app).await;
    let browser = Browser::new(&app);
    let back = posted(&sso, &set_out(&browser, "/login").await).await;
    app.advance(std::time::Duration::from_secs(1));
    let change = ConnectionChange { name: Some("Another".to_owned()), ..ConnectionChange::default() };
    connections::update(&app.ctx().await, &Powers::operator(), sso.connection.id, change).await.unwrap();
    assert_eq!(browser.open(&back).await.status, 400);
    let back = posted(&sso, &set_out(&browser, "/login").await).await;
    browser.open(&back).await.expect(200, "/account");
}

async fn a_member_finds_their_account(app: TestApp) {
    let sso = of_company(&app).await;
    let ctx = app.ctx().await;
    let alice = make_user(&ctx, ADDRESS, NewPassword::None, &[]).await;
    // Who does not belong to the workspace is none of the provider's, but may link their account.
    let browser = Browser::new(&app);
    let journey = set_out(&browser, "/login").await;
    assert_eq!(browser.open(&posted(&sso, &journey).await).await.status, 409);
    memberships::add(&ctx, Keeper::Administrator, sso.workspace, alice.id, MembershipRole::Member).await.unwrap();
    let browser = Browser::new(&app);
    let journey = set_out(&browser, "/login").await;
    browser.open(&posted(&sso, &journey).await).await.expect(200, "/account");
    let sql = app.sql().await;
    let linked =
        format!("SELECT count(*) FROM audit_log WHERE action = 'identity.link' AND target = 'user:{}'", alice.id);
    assert_eq!(sql.number(&linked).await, 1);
    assert_eq!(sql.number("SELECT count(*) FROM identities").await, 1);
    sql.close().await;
}

async fn the_provider_ends_what_began_there(app: TestApp) {
    let sso = of_company(&app).await;
    let (party, browser) = (RelyingParty::new(&app, code_app()).await, Browser::new(&app));
    let journey = set_out(&browser, &party.request(&[])).await;
    let page = browser.open(&posted(&sso, &journey).await).await.expect(200, "/consent");
    let page = browser.submit(&page, "/consent", &[("action", "allow")]).await;
    let tokens = party.redeem(page.answer().code(), &[]).await.body(200);
    let access = tokens["access_token"].as_str().unwrap();
    browser.open("/account").await.expect(200, "/account");
    let wish = super::sign_out::Sent::wish(&sso, ADDRESS, &["s1"]);
    app.get(&format!("{}?{}", sso.path("slo"), wish.query())).await.expect(302);
    browser.open("/account").await.expect(200, "/login");
    app.get_as(access, "/oauth/userinfo").await.expect(401);
    // A form from elsewhere is no sign-in of ours, whatever cookies come with it.
    let journey = set_out(&browser, "/login").await;
    let form = [
        ("SAMLResponse".to_owned(), STANDARD.encode(sso.says(&journey).response())),
        ("RelayState".to_owned(), journey.relay_state.clone()),
    ];
    browser.send(Method::POST, &sso.path("acs"), Some(&form)).await.expect(303);
    browser.open("/account").await.expect(200, "/login");
}
