//! People make accounts of their own: an address is proved before it counts, and whether it had an
//! account before is told to its owner alone.

use std::time::Duration;

use gatehouse::domain::password_policy::Weakness;
use gatehouse::domain::{DomainError, mail_links, registration, users, verification};
use gatehouse::model::mail::LinkPurpose;

use crate::support::{Setup, TestApp, both_engines};

both_engines!(
    an_account_counts_once_its_address_is_proved,
    a_taken_address_is_told_to_its_owner_alone,
    registering_twice_gives_nobody_s_password_a_chance,
    what_can_t_be_an_account_is_refused_alike_for_every_address,
    it_can_be_closed,
    another_link_goes_to_who_needs_one,
    looking_at_a_link_changes_nothing,
);

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";

async fn register(app: &TestApp, email: &str) -> Result<(), DomainError> {
    registration::register(&app.ctx().await, email, Some("Alice"), PASSWORD).await.map(drop)
}

async fn an_account_counts_once_its_address_is_proved(app: TestApp) {
    register(&app, ALICE).await.unwrap();
    let ctx = app.ctx().await;
    let user = users::find_by_identifier(&ctx, ALICE).await.unwrap();
    assert!(user.verification_due && !user.email_verified);
    let mail = app.mail_to(ALICE, "Confirm your e-mail address").await;
    assert!(!mail.text.contains("Alice"), "nobody's words in a mail to somebody else: {mail:?}");
    let issuer = &app.config.http.issuer;
    assert!(mail.link.as_ref().unwrap().starts_with(&format!("{issuer}/verify-email?token=ghm_")), "{mail:?}");

    let proved = verification::verify_email(&ctx, &mail.token()).await.unwrap();
    assert_eq!(proved.id, user.id);
    let user = users::find(&ctx, user.id).await.unwrap();
    assert!(user.email_verified && !user.verification_due);
    let sql = app.sql().await;
    for action in ["user.register", "user.verify_email"] {
        let query = format!(
            "SELECT count(*) FROM audit_log WHERE action = '{action}' AND target = 'user:{}' AND outcome = 'success'",
            user.id
        );
        assert_eq!(sql.number(&query).await, 1, "{action}");
    }
    assert_eq!(user.name.as_deref(), Some("Alice"));
}

/// How many rows tell of people, whatever they say.
async fn counts(app: &TestApp) -> Vec<(&'static str, i64)> {
    app.all_mail_sent().await;
    let sql = app.sql().await;
    let mut counts = Vec::new();
    for rows in [
        "audit_log WHERE action LIKE 'user.%'",
        "changes WHERE kind = 'user'",
        "users",
        "user_identifiers",
        "mail_links",
        "lockouts",
        "sessions",
    ] {
        counts.push((rows, sql.number(&format!("SELECT count(*) FROM {rows}")).await));
    }
    sql.close().await;
    counts
}

async fn a_taken_address_is_told_to_its_owner_alone(app: TestApp) {
    app.user(ALICE, "another password").await;
    let before = counts(&app).await;
    for spelling in [ALICE, "ALICE@EXAMPLE.ORG", " Alice@example.org "] {
        register(&app, spelling).await.expect("the same answer as for a free one");
        let mail = app.mail_to(ALICE, "You have an account").await;
        let link = mail.link.unwrap();
        assert_eq!(link, format!("{}/forgot-password", app.config.http.issuer), "no link that does anything");
    }
    let mut after = counts(&app).await;
    after[0].1 -= 3; // three tries, three rows
    assert_eq!(after, before);
    let sql = app.sql().await;
    let tries = "SELECT count(*) FROM audit_log WHERE action = 'user.register' AND outcome = 'failure'";
    assert_eq!(sql.number(tries).await, 3);
}

async fn registering_twice_gives_nobody_s_password_a_chance(app: TestApp) {
    register(&app, ALICE).await.unwrap();
    let first = app.mail_to(ALICE, "Confirm").await;
    let ctx = app.ctx().await;
    let hash = users::find_by_identifier(&ctx, ALICE).await.unwrap().password_hash;
    registration::register(&ctx, ALICE, None, "somebody else's password").await.unwrap();
    app.mail_to(ALICE, "You have an account").await;
    assert_eq!(users::find_by_identifier(&ctx, ALICE).await.unwrap().password_hash, hash, "the first one stays");
    verification::verify_email(&ctx, &first.token()).await.unwrap();
}

async fn what_can_t_be_an_account_is_refused_alike_for_every_address(app: TestApp) {
    app.user(ALICE, "another password").await;
    let ctx = app.ctx().await;
    let before = counts(&app).await;
    for email in [ALICE, "nobody@example.org"] {
        for (password, weakness) in [
            ("short", Weakness::TooShort(8)),
            ("password1", Weakness::Common),
            ("example.org", Weakness::Personal),
            (&*"x".repeat(257), Weakness::TooLong(256)),
        ] {
            let refused = registration::register(&ctx, email, None, password).await;
            let Err(DomainError::Invalid(why)) = refused else { panic!("{refused:?}") };
            assert_eq!((why.field, why.weakness), ("password", Some(weakness)), "{password}");
        }
        let refused = registration::register(&ctx, email, Some(&"x".repeat(201)), PASSWORD).await;
        assert!(matches!(refused, Err(DomainError::Invalid(why)) if why.field == "name"));
    }
    for email in ["", "alice", "alice@", "a@b@c.d", "Alice <alice@example.org>", "alice@example.org\r\nBcc: x@y.z"] {
        let refused = register(&app, email).await;
        assert!(matches!(refused, Err(DomainError::Invalid(why)) if why.field == "email"), "{email:?}");
    }
    assert_eq!(counts(&app).await, before);
    assert!(app.mails().is_empty());
}

async fn it_can_be_closed(setup: Setup) {
    let app = setup.start_with(|config| config.registration.self_registration = false).await;
    assert!(matches!(register(&app, ALICE).await, Err(DomainError::Forbidden(_))));
    let tenant = app.tenant("Acme").await;
    let closed = registration::register(&app.ctx_of(&tenant).await, ALICE, None, PASSWORD).await;
    assert!(matches!(closed, Err(DomainError::Forbidden(_))));
    // A tenant decides for itself.
    let sql = app.sql().await;
    sql.run("UPDATE tenants SET settings = '{\"self_registration\":true}' WHERE name = 'Acme'").await;
    let app = app.restart().await;
    let ctx = app.ctx_of(&tenant).await;
    registration::register(&ctx, ALICE, None, PASSWORD).await.unwrap();
    let mail = app.mail_to(ALICE, "Confirm").await;
    assert!(mail.subject.contains("Acme") && mail.from.contains("Acme"), "{mail:?}");
    assert!(mail.link.as_ref().unwrap().starts_with(&format!("{}/verify-email?", tenant.issuer)), "{mail:?}");
    let elsewhere = verification::verify_email(&app.ctx().await, &mail.token()).await;
    assert!(matches!(elsewhere, Err(DomainError::NotFound(_))), "another tenant's link");
    verification::verify_email(&ctx, &mail.token()).await.unwrap();
}

async fn another_link_goes_to_who_needs_one(app: TestApp) {
    app.user("bob@example.org", PASSWORD).await;
    register(&app, ALICE).await.unwrap();
    let first = app.mail_to(ALICE, "Confirm").await;
    let ctx = app.ctx().await;
    app.all_mail_sent().await;
    for name in [ALICE, "bob@example.org", "nobody@example.org", "", "\u{0}"] {
        verification::resend(&ctx, name).await.expect("the same answer for everybody");
    }
    let second = app.mail_to(ALICE, "Confirm").await;
    app.all_mail_sent().await;
    assert!(app.mails().is_empty(), "who has proved it needs no link, nobody gets none");
    app.advance(Duration::from_secs(24 * 3600));
    for mail in [&first, &second] {
        let late = verification::verify_email(&ctx, &mail.token()).await;
        assert!(matches!(late, Err(DomainError::NotFound(_))), "a day is over");
    }
    verification::resend(&ctx, ALICE).await.unwrap();
    let third = app.mail_to(ALICE, "Confirm").await;
    verification::verify_email(&ctx, &third.token()).await.unwrap();
    let again = verification::verify_email(&ctx, &third.token()).await;
    assert!(matches!(again, Err(DomainError::NotFound(_))), "once");
}

async fn looking_at_a_link_changes_nothing(app: TestApp) {
    register(&app, ALICE).await.unwrap();
    let token = app.mail_to(ALICE, "Confirm").await.token();
    app.all_mail_sent().await;
    let ctx = app.ctx().await;
    let before = app.rows_of_people().await;
    for _ in 0..3 {
        let user = mail_links::peek(&ctx, LinkPurpose::VerifyEmail, &token).await.unwrap();
        assert_eq!(user.email.as_deref(), Some(ALICE));
    }
    for (purpose, wrong) in [
        (LinkPurpose::ResetPassword, token.clone()),
        (LinkPurpose::VerifyEmail, token.replace("ghm_", "ghv_")),
        (LinkPurpose::VerifyEmail, String::new()),
        (LinkPurpose::VerifyEmail, format!("{token}x")),
    ] {
        let refused = mail_links::peek(&ctx, purpose, &wrong).await;
        assert!(matches!(refused, Err(DomainError::NotFound(_))), "{purpose} {wrong}");
    }
    assert_eq!(app.rows_of_people().await, before);
}
