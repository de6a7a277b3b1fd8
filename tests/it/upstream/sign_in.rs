//! Somebody comes in: there, back, and on to where they were going.

use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::model::connection::{ConnectionSettings, OidcProvider, Provider as By};
use serde_json::json;

use super::provider::{ALICE, Provider, SECRET, arrived_at_provider, set_out, start};
use crate::support::{Browser, RelyingParty, Setup, VERIFIER, both_engines, challenge, claims_of, code_app};

both_engines!(
    who_comes_for_the_first_time_gets_an_account_and_finds_it_again,
    what_is_asked_is_what_the_standard_wants,
    a_sign_in_of_a_client_goes_on_where_it_was,
    userinfo_adds_what_the_token_does_not_say,
    every_tenant_has_connections_of_its_own,
);

async fn who_comes_for_the_first_time_gets_an_account_and_finds_it_again(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let page = provider.sign_in(&app, &browser, &connection, &json!({})).await.expect(200, "/account");
    assert!(page.text.contains("Alice Adams"), "{}", page.text);
    let sql = app.sql().await;
    let query = format!("SELECT id FROM users WHERE email = '{ALICE}' AND email_verified AND password_hash IS NULL");
    let count = format!("SELECT count(*) FROM ({query}) AS found");
    assert_eq!(sql.number(&count).await, 1);

    // Whatever their address is by now: it is still them.
    let again = Browser::new(&app);
    let moved = json!({ "email": "alice@elsewhere.example", "name": "Alice Brown" });
    provider.sign_in(&app, &again, &connection, &moved).await.expect(200, "/account");
    assert_eq!(sql.number("SELECT count(*) FROM identities").await, 1);
    assert_eq!(sql.number("SELECT count(DISTINCT user_id) FROM sessions").await, 1);
    let made = sql.texts("SELECT detail FROM audit_log WHERE action = 'user.create' AND actor = 'anonymous'").await;
    assert_eq!(made, [format!("connection:{} 248289761001", connection.id)]);
    let came =
        format!("SELECT count(*) FROM audit_log WHERE action = 'user.sign_in' AND detail LIKE '%{}%'", connection.id);
    assert_eq!(sql.number(&came).await, 2);
}

async fn what_is_asked_is_what_the_standard_wants(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
    let asked = &journey.asked;
    assert_eq!(asked.address, provider.receiver.uri("/authorize"));
    assert_eq!(asked.get("response_type"), Some("code"));
    assert_eq!(asked.get("client_id"), Some("gatehouse"));
    assert_eq!(asked.get("scope"), Some("openid email"));
    assert_eq!(asked.get("code_challenge_method"), Some("S256"));
    assert_eq!(asked.get("prompt"), None);
    let callback = format!("{}/login/with/{}/callback", app.base, connection.id);
    assert_eq!(asked.get("redirect_uri"), Some(callback.as_str()));
    provider.come_back(&app, &browser, &journey, &json!({})).await.expect(200, "/account");

    let redeemed = provider.receiver.received("/token").pop().unwrap();
    assert_eq!(redeemed.field("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(redeemed.field("code").as_deref(), Some("a-code"));
    assert_eq!(redeemed.field("redirect_uri"), Some(callback));
    let verifier = redeemed.field("code_verifier").unwrap();
    assert_eq!(asked.get("code_challenge"), Some(challenge(&verifier).as_str()));
    assert!(redeemed.head.to_lowercase().contains("authorization: basic "), "{}", redeemed.head);
    assert_ne!(verifier, VERIFIER);

    // Nothing of it can be read in the database.
    let dump = app.sql().await.dump(&[]).await.join("\n");
    for secret in [verifier.as_str(), journey.state(), SECRET] {
        assert!(!dump.contains(secret));
    }

    // Who is in already is asked to show that it is still them.
    let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
    assert_eq!(journey.asked.get("prompt"), Some("login"));
}

async fn a_sign_in_of_a_client_goes_on_where_it_was(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let (party, browser) = (RelyingParty::new(&app, code_app()).await, Browser::new(&app));
    let page = browser.open(&party.request(&[])).await.expect(200, "/login");
    let link = format!("/login/with/{}?t=", connection.id);
    let start = page.text.find(&link).expect("a button");
    let href: String = page.text[start..].chars().take_while(|c| *c != '"').collect();
    assert!(page.text.contains("Continue with Example &#38; Sons"), "{}", page.text);
    let journey = arrived_at_provider(&browser.open(&href).await);
    let page = provider.come_back(&app, &browser, &journey, &json!({})).await.expect(200, "/consent");
    let page = browser.submit(&page, "/consent", &[("action", "allow")]).await;
    let tokens = party.redeem(page.answer().code(), &[]).await.body(200);
    let claims = claims_of(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["acr"], "urn:gatehouse:acr:single");
}

async fn userinfo_adds_what_the_token_does_not_say(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let By::Oidc(oidc) = connection.provider.clone() else { panic!("OpenID Connect") };
    let change = ConnectionChange {
        provider: Some(By::Oidc(OidcProvider { userinfo: true, ..oidc })),
        ..ConnectionChange::default()
    };
    connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap();
    let bare = json!({ "email": null, "email_verified": null, "name": null });

    // Of somebody else it says nothing that counts.
    provider.receiver.shows("/userinfo", json!({ "sub": "other", "email": ALICE, "email_verified": true }));
    provider.sign_in(&app, &Browser::new(&app), &connection, &bare).await;
    assert_eq!(super::provider::sessions(&app).await, 0);
    assert!(super::provider::reason(&app).await.contains("somebody else"));

    let said = json!({ "sub": "248289761001", "email": ALICE, "email_verified": true, "name": "Alice" });
    provider.receiver.shows("/userinfo", said);
    provider.sign_in(&app, &Browser::new(&app), &connection, &bare).await.expect(200, "/account");
    let asked = provider.receiver.received("/userinfo").pop().unwrap();
    assert!(asked.head.contains("Bearer an-access-token"));
    assert_eq!(app.sql().await.texts("SELECT name FROM users WHERE email_verified AND name = 'Alice'").await.len(), 1);
}

async fn every_tenant_has_connections_of_its_own(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let tenant = app.tenant("other").await;
    let browser = Browser::new(&app);
    let path = format!("/t/{}/login/with/{}", tenant.id, connection.id);
    assert_eq!(browser.open(&path).await.status, 404);
    assert_eq!(browser.open(&format!("{path}/callback?state=x&code=y")).await.status, 404);
    assert!(!browser.open(&format!("/t/{}/login", tenant.id)).await.text.contains("/login/with/"));
    assert_eq!(browser.open("/login/with/nothing").await.status, 404);
}
