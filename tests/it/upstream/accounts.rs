//! Whose account it is: connection and subject say so, addresses never do.

use std::collections::BTreeMap;

use gatehouse::domain::access::Powers;
use gatehouse::domain::identities::{self, Claimed};
use gatehouse::domain::roles::{self, NewRole};
use gatehouse::domain::{recovery, registration, users};
use gatehouse::model::connection::{ConnectionSettings, Mapping};
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::role::RoleScope;
use serde_json::json;

use super::provider::{ALICE, PASSWORD, Provider, arrived_at_provider, organization, reason, sessions, start};
use crate::support::{Browser, Page, Setup, TestApp, both_engines, totp_code};

both_engines!(
    an_address_that_is_taken_is_linked_by_its_owner_alone,
    an_address_that_is_not_proved_is_nobodys,
    where_no_accounts_are_made_an_account_can_be_linked,
    another_subject_is_another_person,
    a_username_that_is_taken_stays_where_it_is,
    roles_and_membership_come_and_go_with_what_the_provider_says,
    the_second_factor_of_here_is_asked_for,
    who_is_signed_in_links_and_unlinks,
    the_last_way_in_stays,
    a_reset_of_an_account_that_was_never_proved_unlinks_it,
);

async fn count(app: &TestApp, query: &str) -> i64 {
    app.sql().await.number(query).await
}

async fn sign_in(page: &Page, browser: &Browser) -> Page {
    browser.submit(page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await
}

async fn an_address_that_is_taken_is_linked_by_its_owner_alone(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let alice = app.user(ALICE, PASSWORD).await;
    let (browser, mallory) = (Browser::new(&app), Browser::new(&app));
    let page = provider.sign_in(&app, &browser, &connection, &json!({})).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(page.text.contains("You already have an account"), "{}", page.text);
    assert!(reason(&app).await.contains("already taken"));
    assert_eq!((sessions(&app).await, count(&app, "SELECT count(*) FROM identities").await), (0, 0));

    // Somebody else's browser is offered nothing, and can't take what was offered here.
    let page = mallory.open("/login?next=/account/sign-ins").await;
    let page = sign_in(&page, &mallory).await.expect(200, "/account/sign-ins");
    assert!(!page.text.contains("Is this you?"));

    let page = browser.open("/login?next=/account/sign-ins&local=1").await;
    let page = sign_in(&page, &browser).await.expect(200, "/account/sign-ins");
    assert!(page.text.contains("Is this you?") && page.text.contains(ALICE), "{}", page.text);
    let offer = page.hidden("offer").unwrap();
    let elsewhere = mallory.open("/account/sign-ins").await;
    let stolen = [("action", "accept"), ("offer", offer.as_str())];
    assert_eq!(mallory.submit(&elsewhere, "/account/sign-ins", &stolen).await.status, 404);
    let page = browser.submit(&page, "/account/sign-ins", &[("action", "accept")]).await;
    assert!(page.expect(200, "/account/sign-ins").text.contains("It is linked"));
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 1);
    assert_eq!(browser.submit(&elsewhere, "/account/sign-ins", &stolen).await.status, 403, "another page's form");

    // From now on it is the same account.
    let fresh = Browser::new(&app);
    provider.sign_in(&app, &fresh, &connection, &json!({})).await.expect(200, "/account");
    let users = app.sql().await.texts("SELECT count(*) || '' FROM users WHERE password_hash IS NULL").await;
    assert_eq!(users, ["0"]);
    assert!(alice.password_hash.is_some());
}

async fn an_address_that_is_not_proved_is_nobodys(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    app.user(ALICE, PASSWORD).await;
    for (n, verified) in [json!(false), json!(null), json!("false")].into_iter().enumerate() {
        let claims = json!({ "sub": format!("stranger-{n}"), "email_verified": verified });
        provider.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
    }
    assert_eq!(count(&app, &format!("SELECT count(*) FROM users WHERE email = '{ALICE}'")).await, 1);
    let nameless = "SELECT count(*) FROM users WHERE email IS NULL AND username IS NULL AND NOT email_verified";
    assert_eq!(count(&app, nameless).await, 3);

    // A connection whose addresses are trusted whatever it says.
    let trusting = ConnectionSettings { trusts_email: true, ..ConnectionSettings::default() };
    let connection = Provider::start().await;
    let of = connection.connection(&app, trusting).await;
    let claims = json!({ "email": "bob@example.org", "email_verified": false });
    connection.sign_in(&app, &Browser::new(&app), &of, &claims).await.expect(200, "/account");
    assert_eq!(count(&app, "SELECT count(*) FROM users WHERE email = 'bob@example.org' AND email_verified").await, 1);
}

async fn where_no_accounts_are_made_an_account_can_be_linked(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let closed = ConnectionSettings { just_in_time: false, ..ConnectionSettings::default() };
    let connection = provider.connection(&app, closed).await;
    app.user(ALICE, PASSWORD).await;
    let browser = Browser::new(&app);
    let page = provider.sign_in(&app, &browser, &connection, &json!({ "email_verified": false })).await;
    assert_eq!(page.status, 403, "nobody's address leads to nobody's account");
    let page = provider.sign_in(&app, &browser, &connection, &json!({})).await;
    assert_eq!(page.status, 409, "{}", page.text);
    let page = browser.open("/login?next=/account/sign-ins&local=1").await;
    let page = sign_in(&page, &browser).await.expect(200, "/account/sign-ins");
    let page = browser.submit(&page, "/account/sign-ins", &[("action", "accept")]).await;
    assert!(page.expect(200, "/account/sign-ins").text.contains("It is linked"));
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
}

async fn another_subject_is_another_person(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
    // The address was given to somebody new there.
    let page = provider.sign_in(&app, &Browser::new(&app), &connection, &json!({ "sub": "another" })).await;
    assert_eq!(page.status, 409);
    // And a provider of the same subjects is another provider.
    let other = Provider::start().await;
    let of = other.connection(&app, ConnectionSettings::default()).await;
    let page = other.sign_in(&app, &Browser::new(&app), &of, &json!({})).await;
    assert_eq!(page.status, 409);
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 1);
}

async fn a_username_that_is_taken_stays_where_it_is(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    for (sub, name) in [("1", "octo"), ("2", "OCTO"), ("3", "not a username")] {
        let claims = json!({ "sub": sub, "email": null, "preferred_username": name });
        provider.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
    }
    assert_eq!(app.sql().await.texts("SELECT username FROM users WHERE username IS NOT NULL").await, ["octo"]);
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 3);
}

async fn roles_and_membership_come_and_go_with_what_the_provider_says(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let (ctx, operator) = (app.ctx().await, Powers::operator());
    let new = NewRole {
        code: "PRINTER".parse().unwrap(),
        name: "Printer".to_owned(),
        description: None,
        scope: RoleScope::Tenant,
        is_system: false,
    };
    roles::create(&ctx, &operator, new).await.unwrap();
    let acme = organization(&app, "Acme").await;
    let mapping = Mapping {
        role: Some("groups".to_owned()),
        memberships: BTreeMap::from([("bosses".to_owned(), MembershipRole::Admin)]),
        roles: BTreeMap::from([("printers".to_owned(), "PRINTER".to_owned())]),
        ..Mapping::default()
    };
    let settings = ConnectionSettings { mapping, ..ConnectionSettings::default() };
    let connection = provider.connection_of(&app, settings, Some(acme), &[]).await;
    let come = async |groups: serde_json::Value| {
        let claims = json!({ "groups": groups });
        provider.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
        let sql = app.sql().await;
        let roles = sql
            .texts(
                "SELECT roles.code FROM role_assignments JOIN roles ON roles.id = role_assignments.role_id \
                 WHERE role_assignments.granted_by LIKE 'connection:%'",
            )
            .await;
        (roles, sql.texts("SELECT role FROM memberships").await)
    };
    let (none, printer) = (Vec::<String>::new(), vec!["PRINTER".to_owned()]);
    assert_eq!(come(json!(["printers", "others"])).await, (printer.clone(), vec!["member".to_owned()]));
    assert_eq!(come(json!("bosses")).await, (none.clone(), vec!["admin".to_owned()]));
    assert_eq!(come(json!(["printers", "super_admin"])).await, (printer, vec!["admin".to_owned()]));
    assert_eq!(come(json!([])).await.0, none);
}

async fn the_second_factor_of_here_is_asked_for(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    provider.sign_in(&app, &browser, &connection, &json!({})).await.expect(200, "/account");
    let page = browser.open("/account/totp").await.expect(200, "/account/totp");
    let page = browser.submit(&page, "/account/totp", &[("action", "begin")]).await.expect(200, "/account/totp");
    let text = page.text.split("<code class=\"secret\">").nth(1).unwrap();
    let secret: String = text.chars().take_while(|c| *c != '<').collect();
    let code = totp_code(&secret, app.now());
    browser.submit(&page, "/account/totp", &[("code", &code)]).await.expect(200, "/account/totp");

    // Whatever the provider says it asked for: this connection is not trusted in that.
    let mfa = json!({ "amr": ["pwd", "mfa"] });
    let fresh = Browser::new(&app);
    let page = provider.sign_in(&app, &fresh, &connection, &mfa).await.expect(200, "/login/mfa");
    fresh.open("/account").await.expect(200, "/login");
    app.advance(std::time::Duration::from_secs(30));
    let code = totp_code(&secret, app.now());
    let page = fresh.submit(&page, "/login/mfa", &[("method", "totp"), ("code", &code)]).await;
    page.expect(200, "/account");

    let settings = ConnectionSettings { trusts_second_factor: true, ..ConnectionSettings::default() };
    let change = gatehouse::domain::connections::ConnectionChange {
        settings: Some(settings),
        ..gatehouse::domain::connections::ConnectionChange::default()
    };
    gatehouse::domain::connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap();
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/login/mfa");
    provider.sign_in(&app, &Browser::new(&app), &connection, &mfa).await.expect(200, "/account");
}

async fn who_is_signed_in_links_and_unlinks(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let (alice, bob) = (Browser::new(&app), Browser::new(&app));
    app.user(ALICE, PASSWORD).await;
    app.user("bob@example.org", PASSWORD).await;
    let page = alice.open("/login?next=/account/sign-ins").await;
    let page = sign_in(&page, &alice).await.expect(200, "/account/sign-ins");
    let page = alice.submit(&page, "/account/sign-ins", &[("action", "link")]).await;
    let journey = arrived_at_provider(&page);
    let other = json!({ "sub": "7", "email": "alice@elsewhere.example" });
    let page = provider.come_back(&app, &alice, &journey, &other).await.expect(200, "/account/sign-ins");
    assert!(page.text.contains("It is linked") && page.text.contains("Example &#38; Sons"), "{}", page.text);
    provider.sign_in(&app, &Browser::new(&app), &connection, &other).await.expect(200, "/account");
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 1);

    // Who is nobody there is linked to nobody.
    for sub in ["a\u{0}b".to_owned(), "x".repeat(256)] {
        let page = bob.open("/login?next=/account/sign-ins").await;
        let page = bob.submit(&page, "/login", &[("identifier", "bob@example.org"), ("password", PASSWORD)]).await;
        let page = bob.submit(&page, "/account/sign-ins", &[("action", "link")]).await;
        let page = provider.come_back(&app, &bob, &arrived_at_provider(&page), &json!({ "sub": sub })).await;
        assert_eq!(page.status, 403, "{}", page.text);
        bob.clear();
    }

    // What is somebody's already stays theirs.
    let page = bob.open("/login?next=/account/sign-ins").await;
    let page = bob.submit(&page, "/login", &[("identifier", "bob@example.org"), ("password", PASSWORD)]).await;
    let page = bob.submit(&page, "/account/sign-ins", &[("action", "link")]).await;
    let page = provider.come_back(&app, &bob, &arrived_at_provider(&page), &other).await;
    assert!(page.text.contains("linked to somebody already"), "{}", page.text);
    let refused = "SELECT count(*) FROM audit_log WHERE action = 'identity.link' AND outcome = 'failure'";
    assert_eq!(count(&app, refused).await, 3);

    // Who signs out on the way links nothing to whoever comes next.
    let page = bob.open("/account/sign-ins").await;
    let page = bob.submit(&page, "/account/sign-ins", &[("action", "link")]).await;
    let journey = arrived_at_provider(&page);
    let page = bob.open("/logout").await;
    bob.submit(&page, "/logout", &[("action", "sign-out")]).await;
    assert_eq!(provider.come_back(&app, &bob, &journey, &json!({ "sub": "8" })).await.status, 400);
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 1);

    let page = alice.open("/account/sign-ins").await;
    let page = alice.submit(&page, "/account/sign-ins", &[("action", "unlink")]).await;
    assert!(page.text.contains("It is unlinked"), "{}", page.text);
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 0);
    // What is changed about the ways in is changed by who signed in a moment ago.
    app.advance(std::time::Duration::from_secs(3600));
    alice.open("/account/sign-ins").await.expect(200, "/login");
}

async fn the_last_way_in_stays(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    provider.sign_in(&app, &browser, &connection, &json!({})).await.expect(200, "/account");
    let page = browser.open("/account/sign-ins").await.expect(200, "/account/sign-ins");
    let page = browser.submit(&page, "/account/sign-ins", &[("action", "unlink")]).await;
    assert_eq!(page.status, 409);
    assert!(page.text.contains("only way into your account"), "{}", page.text);
    assert_eq!(count(&app, "SELECT count(*) FROM identities").await, 1);
}

async fn a_reset_of_an_account_that_was_never_proved_unlinks_it(setup: Setup) {
    let app = setup.start_with(|config| config.registration.require_verified_email = false).await;
    let (ctx, provider) = (app.ctx().await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    // Whoever knows the address makes the account first, and links what is theirs.
    registration::register(&ctx, ALICE, Some("Not Alice"), PASSWORD).await.unwrap();
    app.user("bob@example.org", PASSWORD).await;
    for address in [ALICE, "bob@example.org"] {
        let user = users::find_by_identifier(&ctx, address).await.unwrap();
        let claimed = Claimed { subject: address.to_owned(), ..Claimed::default() };
        identities::link(&ctx, user.id, &connection, &claimed).await.unwrap();
        recovery::request(&ctx, address).await.unwrap();
        let link = app.mail_to(address, "Set a new password").await.token();
        recovery::reset(&ctx, &link, "a quiet harbour at dusk").await.unwrap();
    }
    assert_eq!(app.sql().await.texts("SELECT subject FROM identities").await, ["bob@example.org"]);
}
