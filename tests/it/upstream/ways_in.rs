//! The sign-in page: buttons, addresses that lead elsewhere, and the way in when all others are down.

use gatehouse::domain::identities::{self, Claimed};
use gatehouse::model::connection::ConnectionSettings;
use serde_json::json;

use super::provider::{ALICE, PASSWORD, Provider, arrived_at_provider, organization, reason, start};
use crate::support::{Browser, RelyingParty, Setup, both_engines, code_app};

both_engines!(
    an_address_leads_where_its_domain_belongs,
    a_company_has_its_own_people_from_where_everybody_is,
    without_such_addresses_the_page_is_what_it_was,
);

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
    for address in [
        "boss@acme.example",
        "nobody@acme.example",
        " NOBODY@Acme.Example ",
        "x@straße.example",
        "x@Straße.Example",
        "x@xn--strae-oqa.example",
    ] {
        let page = browser.open("/login").await;
        let page = browser.submit(&page, "/login", &[("identifier", address)]).await;
        assert_eq!(arrived_at_provider(&page).connection, connection.id.to_string());
    }
    for address in [
        ALICE,
        "nobody@example.org",
        "acme.example",
        "x@sub.acme.example",
        "x@acme%2eexample",
        "x@acme.example.",
        "alice",
    ] {
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

async fn a_company_has_its_own_people_from_where_everybody_is(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let acme = organization(&app, "Acme").await;
    let connection = provider.connection_of(&app, ConnectionSettings::default(), Some(acme), &["acme.example"]).await;
    for stranger in [
        json!({ "email": "eve@everybody.example" }),
        json!({ "email": "eve@acme.example", "email_verified": false }),
        json!({ "email": "acme.example" }),
        json!({ "email": "eve@acme%2eexample" }),
        json!({ "email": "eve@sub.acme.example" }),
        json!({ "email": null }),
    ] {
        let page = provider.sign_in(&app, &Browser::new(&app), &connection, &stranger).await;
        assert_eq!(page.status, 403, "{stranger}");
        assert!(reason(&app).await.contains("none of the connection's domains"));
    }
    // Nor is anybody of the company for having linked an account there to theirs.
    let eve = app.user("eve@everybody.example", PASSWORD).await;
    let claimed = Claimed { subject: "eve".to_owned(), ..Claimed::default() };
    identities::link(&app.ctx().await, eve.id, &connection, &claimed).await.unwrap();
    let claims = json!({ "sub": "eve", "email": "eve@everybody.example" });
    provider.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
    assert_eq!(app.sql().await.number("SELECT count(*) FROM memberships").await, 0);

    let claims = json!({ "email": "Ann@ACME.example" });
    provider.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
    assert_eq!(app.sql().await.number("SELECT count(*) FROM memberships").await, 1);
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
