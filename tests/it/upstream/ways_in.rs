//! The sign-in page: buttons, addresses that lead elsewhere, and the way in when all others are down.

use gatehouse::model::connection::ConnectionSettings;
use serde_json::json;

use super::provider::{ALICE, PASSWORD, Provider, arrived_at_provider, organization, start};
use crate::support::{Browser, RelyingParty, Setup, both_engines, code_app};

both_engines!(an_address_leads_where_its_domain_belongs, without_such_addresses_the_page_is_what_it_was);

async fn an_address_leads_where_its_domain_belongs(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let acme = organization(&app, "Acme").await;
    let of = ["acme.example", "Straße.example"];
    let connection = provider.connection_of(&app, ConnectionSettings::default(), Some(acme), &of).await;
    app.user(ALICE, PASSWORD).await;
    app.user("boss@acme.example", PASSWORD).await;
    let browser = Browser::new(&app);
    let page = browser.open("/login").await.expect(200, "/login");
    assert!(!page.text.contains("/login/with/"), "an organization's connection has no button");
    assert!(!page.text.contains("name=\"password\""), "the name comes first");
    let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap().to_owned();
    assert!(policy.contains(&format!("form-action 'self' {}", provider.issuer())), "{policy}");

    // Whether there is such an account makes no difference.
    for address in ["boss@acme.example", "nobody@acme.example", " NOBODY@Acme.Example "] {
        let page = browser.open("/login").await;
        let page = browser.submit(&page, "/login", &[("identifier", address)]).await;
        assert_eq!(arrived_at_provider(&page).connection, connection.id.to_string());
    }
    for address in [ALICE, "nobody@example.org", "acme.example", "x@sub.acme.example", "alice"] {
        let page = browser.open("/login").await;
        let page = browser.submit(&page, "/login", &[("identifier", address)]).await.expect(200, "/login");
        assert!(page.text.contains("name=\"password\"") && page.text.contains(address), "{address}: {}", page.text);
    }
    // The second step signs in, and what was left out is asked for.
    let page = browser.open("/login").await;
    let page = browser.submit(&page, "/login", &[("identifier", ALICE)]).await;
    let page = browser.submit(&page, "/login", &[("identifier", ALICE)]).await;
    assert_eq!(page.status, 422);
    let page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    page.expect(200, "/account");

    // The way in when all others are down.
    let local = Browser::new(&app);
    let page = local.open("/login?local=1").await;
    assert!(page.text.contains("name=\"password\""));
    let page = local.submit(&page, "/login", &[("identifier", "boss@acme.example")]).await;
    assert_eq!(page.status, 422, "nobody is sent elsewhere");
    let with = [("identifier", "boss@acme.example"), ("password", PASSWORD)];
    local.submit(&page, "/login", &with).await.expect(200, "/account");

    // Within the sign-in of a client it leads back to the client.
    let (party, browser) = (RelyingParty::new(&app, code_app()).await, Browser::new(&app));
    let page = browser.open(&party.request(&[])).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", "new@acme.example")]).await;
    let claims = json!({ "email": "new@acme.example" });
    let page = provider.come_back(&app, &browser, &arrived_at_provider(&page), &claims).await;
    let page = browser.submit(&page.expect(200, "/consent"), "/consent", &[("action", "allow")]).await;
    party.redeem(page.answer().code(), &[]).await.expect(200);
    let members = "SELECT count(*) FROM memberships JOIN users ON users.id = memberships.user_id \
                   WHERE users.email = 'new@acme.example' AND memberships.role = 'member'";
    assert_eq!(app.sql().await.number(members).await, 1);
}

async fn without_such_addresses_the_page_is_what_it_was(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let page = browser.open("/login").await.expect(200, "/login");
    assert!(page.text.contains("name=\"password\"") && page.text.contains("Continue with Example &#38; Sons"));
    let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    browser.speaks("zh");
    assert!(browser.open("/login").await.text.contains("使用 Example &#38; Sons 继续"));
}
