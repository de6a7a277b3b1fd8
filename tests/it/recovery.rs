//! A forgotten password: the link does one thing, once, for whom it was mailed to; and what was
//! issued before ends.

use std::time::Duration;

use gatehouse::domain::sessions::Browser;
use gatehouse::domain::{DomainError, Noun, mail_links, passwords, recovery, sign_in, users, verification};
use gatehouse::model::mail::LinkPurpose;
use gatehouse::model::user::User;

use crate::support::{TestApp, both_engines};

both_engines!(
    a_reset_ends_what_was_before,
    names_that_nobody_has_look_the_same,
    a_link_counts_once,
    a_link_counts_for_an_hour,
    a_link_counts_for_its_purpose_and_tenant_alone,
    a_link_dies_with_what_it_was_made_under,
    of_two_links_one_counts,
    a_weak_password_leaves_the_link_as_it_is,
    a_reset_proves_the_address,
    changing_a_password_takes_the_present_one,
);

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";
const NEW: &str = "seven lanterns on the pier";

async fn link_for(app: &TestApp, address: &str) -> String {
    recovery::request(&app.ctx().await, address).await.unwrap();
    app.mail_to(address, "Set a new password").await.token()
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Result<User, DomainError> {
    recovery::reset(&app.ctx().await, token, password).await
}

#[track_caller]
fn no_link(outcome: Result<User, DomainError>) {
    assert!(matches!(outcome, Err(DomainError::NotFound(Noun::Link))), "{:?}", outcome.err());
}

async fn enter(app: &TestApp, password: &str) -> Option<String> {
    enter_in(app, password, [7; 32]).await
}

async fn enter_in(app: &TestApp, password: &str, browser: [u8; 32]) -> Option<String> {
    let browser = Browser { digest: browser, user_agent: None };
    match sign_in::with_password(&app.ctx().await, ALICE, password, false, &browser, None).await {
        Ok(sign_in::Arrival::Entered(entered)) => Some(entered.cookie.expose().clone()),
        Ok(sign_in::Arrival::VerificationDue(_)) => panic!("proved already"),
        Err(DomainError::NotAuthenticated(_)) => None,
        Err(why) => panic!("{why}"),
    }
}

async fn is_open(app: &TestApp, cookie: &str) -> bool {
    gatehouse::domain::sessions::find(&app.ctx().await, cookie).await.unwrap().is_some()
}

async fn a_reset_ends_what_was_before(app: TestApp) {
    let alice = app.user(ALICE, PASSWORD).await;
    let people = app.password_app("openid").await;
    let tokens = app.sign_in(&people, ALICE, PASSWORD).await.expect(200);
    let cookie = enter(&app, PASSWORD).await.unwrap();
    app.sql().await.run("UPDATE users SET has_second_factor = true, email_verified = false").await;
    for _ in 0..12 {
        app.sign_in(&people, ALICE, "wrong").await.expect(400);
    }
    let token = link_for(&app, ALICE).await;
    assert!(is_open(&app, &cookie).await, "asking changes nothing");

    let user = reset(&app, &token, NEW).await.unwrap();
    assert_eq!(user.id, alice.id);
    let user = users::find(&app.ctx().await, alice.id).await.unwrap();
    assert!(user.has_second_factor, "the second factor stays");
    assert!(user.email_verified, "the link has proved the address");
    assert_eq!(user.token_epoch, alice.token_epoch + 1);
    assert!(!is_open(&app, &cookie).await, "sessions end");
    app.refresh(&people, &tokens.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&tokens.str("access_token")).await);
    let mail = app.mail_to(ALICE, "password").await;
    assert!(mail.subject.contains("was changed"), "{mail:?}");
    assert_eq!(mail.link, Some(format!("{}/forgot-password", app.config.http.issuer)));
    app.sql().await.run("UPDATE users SET has_second_factor = false").await;
    let app = app.restart().await;
    app.sign_in(&people, ALICE, PASSWORD).await.is_oauth_error(400, "invalid_grant");
    app.sign_in(&people, ALICE, NEW).await.expect(200);
}

/// How many rows tell of people, without the links that were mailed since.
async fn rows(app: &TestApp) -> usize {
    app.rows_of_people().await.iter().filter(|row| !row.starts_with("mail_links")).count()
}

async fn names_that_nobody_has_look_the_same(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let mut seen = Vec::new();
    for name in [ALICE, "nobody@example.org", "ALICE@example.org", "", "alice", "\u{0}\r\n", &"x".repeat(10_000)] {
        let before = rows(&app).await;
        recovery::request(&app.ctx().await, name).await.expect("one answer for all");
        seen.push(rows(&app).await - before);
    }
    assert!(seen.iter().all(|rows| *rows == 1), "one row in the audit log each: {seen:?}");
    assert_eq!(app.mails().len(), 2, "those who have an account got their mail");
    let known = app.sql().await.dump(&[]).await.join("\n");
    assert!(!known.contains("nobody@example.org"), "no guessed name stays");
}

async fn a_link_counts_once(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let token = link_for(&app, ALICE).await;
    reset(&app, &token, NEW).await.unwrap();
    no_link(reset(&app, &token, "something else entirely").await);
    assert!(enter(&app, NEW).await.is_some());
    for wrong in ["", "ghm_", &token[..20], &token.to_lowercase(), &format!("{token}0")] {
        no_link(reset(&app, wrong, NEW).await);
    }
}

async fn a_link_counts_for_an_hour(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let early = link_for(&app, ALICE).await;
    app.advance(Duration::from_secs(3599));
    mail_links::peek(&app.ctx().await, LinkPurpose::ResetPassword, &early).await.unwrap();
    app.advance(Duration::from_secs(1));
    no_link(reset(&app, &early, NEW).await);
    assert!(enter(&app, PASSWORD).await.is_some());
    gatehouse::domain::upkeep::clean(&app.core).await.unwrap();
    assert!(app.sql().await.rows("mail_links").await.is_empty(), "what is over is cleaned up");
}

async fn a_link_counts_for_its_purpose_and_tenant_alone(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let token = link_for(&app, ALICE).await;
    no_link(verification::verify_email(&app.ctx().await, &token).await);
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, ALICE, PASSWORD).await;
    let elsewhere = app.ctx_of(&tenant).await;
    no_link(recovery::reset(&elsewhere, &token, NEW).await);
    recovery::request(&elsewhere, ALICE).await.unwrap();
    let theirs = app.mail_to(ALICE, "Acme").await.token();
    no_link(reset(&app, &theirs, NEW).await);
    recovery::reset(&elsewhere, &theirs, NEW).await.unwrap();
    reset(&app, &token, NEW).await.unwrap();
}

async fn a_link_dies_with_what_it_was_made_under(app: TestApp) {
    let alice = app.user(ALICE, PASSWORD).await;
    let ctx = app.ctx().await;
    let sql = app.sql().await;

    let moved = link_for(&app, ALICE).await;
    sql.run("UPDATE users SET email = 'alice@elsewhere.example'").await;
    no_link(reset(&app, &moved, NEW).await);
    sql.run("UPDATE users SET email = 'alice@example.org'").await;

    let changed = link_for(&app, ALICE).await;
    users::set_password(&ctx, alice.id, "set by an administrator", 8).await.unwrap();
    no_link(reset(&app, &changed, NEW).await);

    let disabled = link_for(&app, ALICE).await;
    users::set_enabled(&ctx, alice.id, false).await.unwrap();
    no_link(reset(&app, &disabled, NEW).await);
    recovery::request(&ctx, ALICE).await.unwrap();
    app.all_mail_sent().await;
    assert!(app.mails().is_empty(), "a disabled account gets no link");
    users::set_enabled(&ctx, alice.id, true).await.unwrap();
    no_link(reset(&app, &disabled, NEW).await);
    assert!(enter(&app, "set by an administrator").await.is_some());
}

async fn of_two_links_one_counts(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let [one, two] = [link_for(&app, ALICE).await, link_for(&app, ALICE).await];
    reset(&app, &two, NEW).await.unwrap();
    no_link(reset(&app, &one, "something else entirely").await);
}

async fn a_weak_password_leaves_the_link_as_it_is(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let token = link_for(&app, ALICE).await;
    for weak in ["short", "password", ALICE, "aaaaaaaaaaaa"] {
        let refused = reset(&app, &token, weak).await;
        assert!(matches!(refused, Err(DomainError::Invalid(why)) if why.weakness.is_some()), "{weak}");
    }
    reset(&app, &token, NEW).await.unwrap();
}

async fn a_reset_proves_the_address(app: TestApp) {
    let ctx = app.ctx().await;
    gatehouse::domain::registration::register(&ctx, ALICE, None, PASSWORD).await.unwrap();
    app.mail_to(ALICE, "Confirm").await;
    let browser = Browser { digest: [7; 32], user_agent: None };
    let early = sign_in::with_password(&ctx, ALICE, PASSWORD, false, &browser, None).await.unwrap();
    assert!(matches!(early, sign_in::Arrival::VerificationDue(_)));
    let token = link_for(&app, ALICE).await;
    reset(&app, &token, NEW).await.unwrap();
    assert!(enter(&app, NEW).await.is_some());
}

async fn changing_a_password_takes_the_present_one(app: TestApp) {
    let alice = app.user(ALICE, PASSWORD).await;
    let (here, elsewhere) = (enter(&app, PASSWORD).await.unwrap(), enter(&app, PASSWORD).await.unwrap());
    let ctx = app.ctx().await;
    let keep = gatehouse::domain::sessions::find(&ctx, &here).await.unwrap().unwrap().id;
    let refused = passwords::change(&ctx, alice.id, "wrong", NEW, Some(keep)).await;
    assert!(matches!(refused, Err(DomainError::Invalid(why)) if why.field == "current"));
    let refused = passwords::change(&ctx, alice.id, PASSWORD, "password", Some(keep)).await;
    assert!(matches!(refused, Err(DomainError::Invalid(why)) if why.field == "password"));
    assert!(is_open(&app, &elsewhere).await);
    passwords::change(&ctx, alice.id, PASSWORD, NEW, Some(keep)).await.unwrap();
    assert!(is_open(&app, &here).await && !is_open(&app, &elsewhere).await);
    app.mail_to(ALICE, "was changed").await;
    assert!(enter(&app, PASSWORD).await.is_none() && enter(&app, NEW).await.is_some());
    // Guessing the present password here is guessing it.
    for _ in 0..12 {
        let _ = passwords::change(&ctx, alice.id, "wrong", PASSWORD, None).await;
    }
    assert!(enter_in(&app, NEW, [8; 32]).await.is_none(), "locked for strangers");
}
