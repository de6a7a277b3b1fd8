//! An invitation's link: it joins only the address that was asked, once, on a page that signs in or
//! registers first. Opening it changes nothing.

use std::time::Duration;

use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, NewOrganization, OrganizationChange};
use gatehouse::domain::{account, invitations, users};
use gatehouse::model::audit::Actor;
use gatehouse::model::ids::OrganizationId;
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::user::User;

use crate::support::routes::PASSWORD;
use crate::support::{Browser, Page, Setup, TestApp, both_engines};

both_engines!(
    somebody_new_registers_and_joins,
    somebody_with_an_account_signs_in_and_joins,
    somebody_who_is_signed_in_joins,
    somebody_else_may_change_the_account,
    opening_it_changes_nothing,
    a_link_that_does_not_count_says_so,
    it_joins_only_the_address_that_was_asked,
    a_hundred_at_once_join_once,
    who_asked_must_still_be_able_to,
    a_deleted_account_has_asked_nobody,
    a_closed_registration_lets_the_invited_in,
    what_is_wrong_is_said,
    it_speaks_the_reader_s_language,
    a_tenant_has_invitations_of_its_own,
);

const NEW: &str = "new@example.org";

struct Acme {
    id: OrganizationId,
    owner: User,
}

async fn acme(app: &TestApp) -> Acme {
    let owner = app.user("owner@example.org", PASSWORD).await;
    let new = NewOrganization { name: "Acme", ..NewOrganization::default() };
    let made = memberships::found(&app.ctx().await, owner.id, &new).await.unwrap();
    // Who joins joins later.
    app.advance(Duration::from_millis(5));
    Acme { id: made.organization.id, owner }
}

impl Acme {
    /// Asks somebody in; the link of the mail.
    async fn ask(&self, app: &TestApp, email: &str, role: MembershipRole) -> String {
        let by = Keeper::Member(self.owner.id);
        invitations::invite(&app.ctx().await, by, self.id, email, role).await.unwrap();
        app.mail_to(email, "You are invited").await.link.unwrap()
    }

    /// Who belongs to it, with what they are.
    async fn members(&self, app: &TestApp) -> Vec<(String, MembershipRole)> {
        let listed = memberships::list(&app.ctx().await, self.id, None, 100).await.unwrap();
        listed.into_iter().map(|(one, user)| (user.email.unwrap_or_default(), one.role)).collect()
    }
}

async fn sign_in(browser: &Browser, page: &Page, email: &str) -> Page {
    browser.submit(page, "/login", &[("identifier", email), ("password", PASSWORD)]).await
}

async fn signed_in(app: &TestApp, email: &str) -> Browser {
    let browser = Browser::new(app);
    let page = browser.open("/login").await;
    sign_in(&browser, &page, email).await.expect(200, "/account");
    browser
}

async fn accept(browser: &Browser, page: &Page) -> Page {
    browser.submit(page, "/invitation", &[("action", "accept")]).await
}

async fn register(browser: &Browser, page: &Page, name: &str, password: &str) -> Page {
    browser.submit(page, "/invitation", &[("action", "register"), ("name", name), ("password", password)]).await
}

async fn somebody_new_registers_and_joins(app: TestApp) {
    let acme = acme(&app).await;
    let link = acme.ask(&app, NEW, MembershipRole::Admin).await;
    let browser = Browser::new(&app);
    let page = browser.open(&link).await.expect(200, "/invitation");
    assert!(page.text.contains("Acme") && page.text.contains(NEW), "{page:?}");
    let page = register(&browser, &page, "Newton", PASSWORD).await.expect(200, "/invitation");
    let user = users::find_by_identifier(&app.ctx().await, NEW).await.unwrap();
    assert!(user.email_verified && !user.verification_due, "following the link has proved the address");
    assert_eq!(user.name.as_deref(), Some("Newton"));
    assert_eq!(acme.members(&app).await.len(), 1, "not before they say so");
    let page = accept(&browser, &page).await.expect(200, "/invitation");
    assert!(page.text.contains("You have joined") && !page.url.contains("token"), "{page:?}");
    assert_eq!(acme.members(&app).await[1], (NEW.to_owned(), MembershipRole::Admin));
    app.all_mail_sent().await;
    let verify = "SELECT count(*) FROM mail_links";
    assert_eq!(app.sql().await.number(verify).await, 0, "no second mail to prove the address");
    browser.open("/account").await.expect(200, "/account");
    assert_eq!(browser.open(&link).await.status, 400, "once");
}

async fn somebody_with_an_account_signs_in_and_joins(app: TestApp) {
    let acme = acme(&app).await;
    app.user(NEW, PASSWORD).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let browser = Browser::new(&app);
    let page = browser.open(&link).await.expect(200, "/invitation");
    assert!(page.forms().is_empty(), "an account is there: {page:?}");
    let login = page.text.split("href=\"").find(|rest| rest.contains("/login?")).unwrap();
    let login = crate::support::unescaped(login.split('"').next().unwrap());
    let page = browser.open(&login).await.expect(200, "/login");
    assert!(page.text.contains(&format!("value=\"{NEW}\"")), "the address is filled in: {page:?}");
    let page = sign_in(&browser, &page, NEW).await.expect(200, "/invitation");
    accept(&browser, &page).await.expect(200, "/invitation");
    assert_eq!(acme.members(&app).await[1], (NEW.to_owned(), MembershipRole::Member));
}

async fn somebody_who_is_signed_in_joins(app: TestApp) {
    let acme = acme(&app).await;
    app.user("NEW@Example.org", PASSWORD).await;
    let browser = signed_in(&app, NEW).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let page = browser.open(&link).await.expect(200, "/invitation");
    accept(&browser, &page).await.expect(200, "/invitation");
    assert_eq!(acme.members(&app).await.len(), 2);
    let audit = "SELECT count(*) FROM audit_log WHERE action = 'invitation.accept' AND outcome = 'success'";
    assert_eq!(app.sql().await.number(audit).await, 1);
    // Sent twice, it says that it is over.
    assert_eq!(accept(&browser, &page).await.status, 400);
}

async fn somebody_else_may_change_the_account(app: TestApp) {
    let acme = acme(&app).await;
    app.user("other@example.org", PASSWORD).await;
    app.user(NEW, PASSWORD).await;
    let browser = signed_in(&app, "other@example.org").await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let page = browser.open(&link).await.expect(200, "/invitation");
    assert!(page.text.contains("other@example.org") && page.text.contains(NEW), "{page:?}");
    assert!(!page.text.contains("value=\"accept\""), "{page:?}");
    let forced = accept(&browser, &page).await;
    assert_eq!(forced.status, 400, "{forced:?}");
    assert_eq!(acme.members(&app).await.len(), 1);
    let page = browser.submit(&page, "/invitation", &[("action", "switch")]).await.expect(200, "/invitation");
    assert!(page.text.contains("/login?"), "{page:?}");
    assert_eq!(browser.open("/account").await.path(), "/login", "signed out");
}

async fn opening_it_changes_nothing(app: TestApp) {
    let acme = acme(&app).await;
    app.user("other@example.org", PASSWORD).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let others = signed_in(&app, "other@example.org").await;
    app.all_mail_sent().await;
    let sql = app.sql().await;
    // What jobs do beside.
    let quiet = ["leases", "signing_keys", "changes", "sessions"];
    let rows = async || {
        let mut rows = sql.dump(&quiet).await;
        rows.retain(|row| !row.contains("key.publish"));
        rows
    };
    let before = rows().await;
    for browser in [&Browser::new(&app), &others] {
        for _ in 0..3 {
            browser.open(&link).await.expect(200, "/invitation");
        }
        browser.send(reqwest::Method::HEAD, &link, None).await;
    }
    assert_eq!(rows().await, before);
    // Nor does a form that comes from nowhere.
    let token = link.split_once("token=").unwrap().1.to_owned();
    let form = [("token".to_owned(), token), ("action".to_owned(), "accept".to_owned())];
    let forged = others.send(reqwest::Method::POST, "/invitation", Some(&form)).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    assert_eq!(acme.members(&app).await.len(), 1);
}

async fn a_link_that_does_not_count_says_so(app: TestApp) {
    let acme = acme(&app).await;
    let ctx = app.ctx().await;
    let browser = Browser::new(&app);
    let replaced = acme.ask(&app, NEW, MembershipRole::Member).await;
    let withdrawn = acme.ask(&app, NEW, MembershipRole::Member).await;
    let own = memberships::of_user(&app.core, ctx.tenant_id(), acme.owner.id).await.unwrap();
    let id = invitations::list(&ctx, &own[0]).await.unwrap()[0].id;
    browser.open(&withdrawn).await.expect(200, "/invitation");
    invitations::withdraw(&ctx, Keeper::Member(acme.owner.id), acme.id, id).await.unwrap();
    let old = acme.ask(&app, NEW, MembershipRole::Member).await;
    app.advance(app.config.tokens.invitation_link - Duration::from_secs(1));
    browser.open(&old).await.expect(200, "/invitation");
    app.advance(Duration::from_secs(1));
    let disabled = acme.ask(&app, "another@example.org", MembershipRole::Member).await;
    let change = |enabled| OrganizationChange { enabled: Some(enabled), ..OrganizationChange::default() };
    organizations::update(&ctx, acme.id, &change(false)).await.unwrap();
    for dead in [&replaced, &withdrawn, &old, &disabled, "/invitation", "/invitation?token=ghi_1", "/invitation?token="]
    {
        let page = browser.open(dead).await;
        assert_eq!(page.status, 400, "{dead}: {page:?}");
        assert!(page.text.contains("no longer works"), "{page:?}");
    }
    organizations::update(&ctx, acme.id, &change(true)).await.unwrap();
    browser.open(&disabled).await.expect(200, "/invitation");
}

async fn it_joins_only_the_address_that_was_asked(app: TestApp) {
    let acme = acme(&app).await;
    let other = app.user("other@example.org", PASSWORD).await;
    let (ctx, link) = (app.ctx().await, acme.ask(&app, NEW, MembershipRole::Owner).await);
    let token = link.split_once("token=").unwrap().1;
    assert!(invitations::accept(&ctx, other.id, token).await.is_err());
    let asked = app.user(NEW, PASSWORD).await;
    users::set_enabled(&ctx, asked.id, false).await.unwrap();
    assert!(invitations::accept(&ctx, asked.id, token).await.is_err());
    users::set_enabled(&ctx, asked.id, true).await.unwrap();
    invitations::accept(&ctx, asked.id, token).await.unwrap();
    assert_eq!(acme.members(&app).await[1], (NEW.to_owned(), MembershipRole::Owner));
}

async fn a_hundred_at_once_join_once(app: TestApp) {
    let acme = acme(&app).await;
    let user = app.user(NEW, PASSWORD).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let token = link.split_once("token=").unwrap().1;
    let [here, there] = app.copies().await;
    let follow = async |n: usize| {
        let app = if n.is_multiple_of(2) { &here } else { &there };
        invitations::accept(&app.ctx().await, user.id, token).await.is_ok()
    };
    let joined = futures_util::future::join_all((0..100).map(follow)).await;
    assert_eq!(joined.into_iter().filter(|joined| *joined).count(), 1);
    assert_eq!(acme.members(&here).await.len(), 2);
}

async fn who_asked_must_still_be_able_to(app: TestApp) {
    let acme = acme(&app).await;
    let ctx = app.ctx().await;
    let second = app.user("second@example.org", PASSWORD).await;
    memberships::add(&ctx, Keeper::Administrator, acme.id, second.id, MembershipRole::Owner).await.unwrap();
    let ask = async |email: &'static str| {
        let by = Keeper::Member(second.id);
        invitations::invite(&ctx, by, acme.id, email, MembershipRole::Owner).await.unwrap();
        let link = app.mail_to(email, "You are invited").await.link.unwrap();
        let user = app.user(email, PASSWORD).await;
        (user.id, link.split_once("token=").unwrap().1.to_owned())
    };
    // Lowered: it is taken back.
    let (user, token) = ask("one@example.org").await;
    let by = Keeper::Member(acme.owner.id);
    memberships::set_role(&ctx, by, acme.id, second.id.uuid(), MembershipRole::Admin).await.unwrap();
    assert!(invitations::accept(&ctx, user, &token).await.is_err());
    memberships::set_role(&ctx, by, acme.id, second.id.uuid(), MembershipRole::Owner).await.unwrap();
    // Taken out: too.
    let (user, token) = ask("two@example.org").await;
    memberships::remove(&ctx, by, acme.id, second.id.uuid()).await.unwrap();
    assert!(invitations::accept(&ctx, user, &token).await.is_err());
    // Disabled: for as long as they are.
    memberships::add(&ctx, Keeper::Administrator, acme.id, second.id, MembershipRole::Owner).await.unwrap();
    let (user, token) = ask("disabled@example.org").await;
    users::set_enabled(&ctx, second.id, false).await.unwrap();
    assert!(invitations::accept(&ctx, user, &token).await.is_err());
    users::set_enabled(&ctx, second.id, true).await.unwrap();
    invitations::accept(&ctx, user, &token).await.unwrap();
    // Gone by themselves: they meant it when they could.
    let (user, token) = ask("three@example.org").await;
    account::delete(&ctx.clone().by(Actor::User(second.id)), second.id).await.unwrap();
    invitations::accept(&ctx, user, &token).await.unwrap();
}

async fn a_deleted_account_has_asked_nobody(app: TestApp) {
    let acme = acme(&app).await;
    let ctx = app.ctx().await;
    let link = acme.ask(&app, NEW, MembershipRole::Owner).await;
    let (user, second) = (app.user(NEW, PASSWORD).await, app.user("second@example.org", PASSWORD).await);
    memberships::add(&ctx, Keeper::Administrator, acme.id, second.id, MembershipRole::Owner).await.unwrap();
    account::delete(&ctx, acme.owner.id).await.unwrap();
    assert!(invitations::accept(&ctx, user.id, link.split_once("token=").unwrap().1).await.is_err());
}

async fn a_closed_registration_lets_the_invited_in(setup: Setup) {
    let app = setup.start_with(|config| config.registration.self_registration = false).await;
    let acme = acme(&app).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let browser = Browser::new(&app);
    let page = browser.open(&link).await.expect(200, "/invitation");
    let page = register(&browser, &page, "Newton", PASSWORD).await.expect(200, "/invitation");
    accept(&browser, &page).await.expect(200, "/invitation");
}

async fn what_is_wrong_is_said(app: TestApp) {
    let acme = acme(&app).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let browser = Browser::new(&app);
    let page = browser.open(&link).await;
    let again = register(&browser, &page, "Newton", "password").await.expect(422, "/invitation");
    assert!(again.text.contains("Newton") && !again.text.contains("\"password\" value=\"password\""), "{again:?}");
    register(&browser, &page, "", PASSWORD).await.expect(422, "/invitation");
    register(&browser, &page, "Newton", "").await.expect(422, "/invitation");
    // Somebody made the account in another window.
    app.user(NEW, PASSWORD).await;
    let page = register(&browser, &page, "Newton", PASSWORD).await.expect(200, "/invitation");
    assert!(page.text.contains("/login?"), "{page:?}");
}

async fn it_speaks_the_reader_s_language(app: TestApp) {
    let acme = acme(&app).await;
    let link = acme.ask(&app, NEW, MembershipRole::Member).await;
    let browser = Browser::new(&app);
    browser.speaks("zh-CN");
    let page = browser.open(&link).await.expect(200, "/invitation");
    assert!(page.text.contains("加入 Acme"), "{page:?}");
    let english = browser.open(&format!("{link}&lang=en")).await.expect(200, "/invitation");
    assert!(english.text.contains("Join Acme"), "{english:?}");
}

async fn a_tenant_has_invitations_of_its_own(app: TestApp) {
    let tenant = app.tenant("Other").await;
    let ctx = app.ctx_of(&tenant).await;
    let (id, _) = app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    let new = NewOrganization { name: "Acme", ..NewOrganization::default() };
    let owner = id.parse().unwrap();
    let made = memberships::found(&ctx, owner, &new).await.unwrap();
    let by = Keeper::Member(owner);
    invitations::invite(&ctx, by, made.organization.id, NEW, MembershipRole::Member).await.unwrap();
    let link = app.mail_to(NEW, "You are invited").await.link.unwrap();
    assert!(link.starts_with(&format!("{}/invitation?token=", tenant.issuer)), "{link}");
    let browser = Browser::new(&app);
    assert_eq!(browser.open(&link.replace(&format!("/t/{}", tenant.id), "")).await.status, 400);
    let path = format!("/t/{}/invitation", tenant.id);
    let page = browser.open(&link).await.expect(200, &path);
    let page = register(&browser, &page, "Newton", PASSWORD).await.expect(200, &path);
    accept(&browser, &page).await.expect(200, &path);
    assert_eq!(memberships::list(&ctx, made.organization.id, None, 100).await.unwrap().len(), 2);
}
