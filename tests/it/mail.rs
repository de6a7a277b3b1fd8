//! Mail leaves the house once, whatever happens on the way, and waits where it can't.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::config::{Mailbox, Rate, SmtpUrl, Value as _};
use gatehouse::domain::recovery;
use gatehouse::model::language::Language;
use serde_json::json;

use crate::support::{Mail, MailServer, Setup, TestApp, both_engines, within};

both_engines!(
    without_a_server_it_lies_in_a_folder,
    it_goes_to_the_mail_server,
    a_server_that_is_busy_is_tried_again_ever_later,
    what_the_server_will_never_take_is_dropped,
    what_is_too_old_is_dropped,
    copies_send_each_mail_once,
    a_restart_sends_what_was_left,
    it_speaks_the_reader_s_language,
    a_person_gets_so_many,
    a_slow_server_delays_nobody,
);

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";

async fn ask(app: &TestApp, address: &str) {
    recovery::request(&app.ctx().await, address).await.unwrap();
}

/// An application with a mail server.
async fn with_server(setup: &Setup, server: &MailServer) -> TestApp {
    setup
        .start_with(|config| {
            config.mail.smtp_url = Some(SmtpUrl::parse(&server.url).unwrap());
            config.mail.from = Some(Mailbox::parse("Harbour <no-reply@harbour.example>").unwrap());
            config.limits.mail_per_person = Rate::OFF;
        })
        .await
}

/// A mail that could not leave, and its link: for the test that looks into every table.
pub async fn leave_rows(app: TestApp) -> TestApp {
    app.all_mail_sent().await;
    let server = MailServer::start().await;
    server.refuse(1000, "451 later");
    let app = app
        .restart_with(|config| {
            config.mail.smtp_url = Some(SmtpUrl::parse(&server.url).unwrap());
            config.mail.from = Some(Mailbox::parse("no-reply@harbour.example").unwrap());
        })
        .await;
    app.user("waits@example.org", PASSWORD).await;
    ask(&app, "waits@example.org").await;
    pausing(&app, 10).await;
    app
}

async fn arrived(server: &MailServer, count: usize) -> Vec<Mail> {
    within(Duration::from_secs(20), "mail at the server", async || server.taken().len() >= count).await;
    let taken = server.taken();
    assert_eq!(taken.len(), count);
    taken.iter().map(|message| Mail::parse(message)).collect()
}

/// Waits until the first mail in the outbox has been tried so often.
async fn tried(app: &TestApp, times: i64) {
    let sql = app.sql().await;
    within(Duration::from_secs(20), "another attempt", async || {
        sql.number("SELECT coalesce(max(attempts), 0) FROM mail_outbox").await >= times
    })
    .await;
    sql.close().await;
}

/// Waits until a mail that was tried is to be tried again after so many seconds.
async fn pausing(app: &TestApp, pause: u64) {
    let sql = app.sql().await;
    let at = (app.now() + Duration::from_secs(pause)).millis();
    let due = format!("SELECT count(*) FROM mail_outbox WHERE next_at = {at}");
    within(Duration::from_secs(20), "a pause", async || sql.number(&due).await == 1).await;
    sql.close().await;
}

async fn without_a_server_it_lies_in_a_folder(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    within(Duration::from_secs(20), "a mail", async || app.mails().len() == 1).await;
    let files = std::fs::read_dir(app.config.secrets.data_dir.join("outbox")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    for file in files {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for the operator's eyes only");
    }
    let mail = app.mail_to(ALICE, "Set a new password").await;
    let link = mail.link.clone().unwrap();
    assert!(link.starts_with(&format!("{}/reset-password?token=ghm_", app.config.http.issuer)), "{link}");
    assert!(mail.html.contains(&link) && mail.text.contains("within 1 hour"), "{mail:?}");
    app.all_mail_sent().await;
    assert!(app.core.metrics.render().contains(r#"gatehouse_mails_total{outcome="sent"} 1"#));
}

async fn it_goes_to_the_mail_server(setup: Setup) {
    let server = MailServer::start().await;
    let app = with_server(&setup, &server).await;
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    let mail = arrived(&server, 1).await.remove(0);
    assert_eq!((mail.to.as_str(), mail.from.as_str()), (ALICE, "Harbour <no-reply@harbour.example>"));
    assert!(mail.subject.contains("Harbour"), "{mail:?}");
    recovery::reset(&app.ctx().await, &mail.token(), "another quiet harbour").await.unwrap();
    arrived(&server, 2).await;
    app.all_mail_sent().await;
    assert!(app.mails().is_empty(), "none is left in a file");
    // The database never knew the secret.
    let rows = app.sql().await.dump(&[]).await.join("\n");
    assert!(!rows.contains(&mail.token()));
}

async fn a_server_that_is_busy_is_tried_again_ever_later(setup: Setup) {
    let server = MailServer::start().await;
    server.refuse(3, "451 later");
    let app = with_server(&setup, &server).await;
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    tried(&app, 1).await;
    for (attempt, pause) in [(2, 10), (3, 20), (4, 40)] {
        pausing(&app, pause).await;
        app.advance(Duration::from_secs(pause));
        if attempt < 4 {
            tried(&app, attempt).await;
        }
    }
    arrived(&server, 1).await;
    app.all_mail_sent().await;
    assert_eq!(app.sql().await.number("SELECT count(*) FROM audit_log WHERE action = 'mail.drop'").await, 0);
}

async fn what_the_server_will_never_take_is_dropped(setup: Setup) {
    let server = MailServer::start().await;
    server.refuse(1, "550 no alice@example.org here");
    let app = with_server(&setup, &server).await;
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    app.all_mail_sent().await;
    assert!(server.taken().is_empty() && server.refusals_left() == 0);
    dropped(&app, "reset_password after 1 attempts: the mail server answered 550").await;
}

/// Waits for the row that says why a mail was dropped, and to whom it does not say.
async fn dropped(app: &TestApp, why: &str) {
    let sql = app.sql().await;
    let query = "SELECT detail FROM audit_log WHERE action = 'mail.drop' AND outcome = 'failure'";
    within(Duration::from_secs(20), "a row", async || !sql.texts(query).await.is_empty()).await;
    let rows = sql.texts(query).await;
    sql.close().await;
    assert!(rows.len() == 1 && rows[0].starts_with(why) && !rows[0].contains(ALICE), "{rows:?}");
}

async fn what_is_too_old_is_dropped(setup: Setup) {
    let server = MailServer::start().await;
    server.refuse(1000, "421 not today");
    let app = with_server(&setup, &server).await;
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    pausing(&app, 10).await;
    app.advance(Duration::from_secs(24 * 3600 - 1));
    app.all_mail_sent().await;
    dropped(&app, "reset_password after 2 attempts: the mail server answered 421").await;
}

async fn copies_send_each_mail_once(setup: Setup) {
    let server = MailServer::start().await;
    let copies = with_server(&setup, &server).await.copies().await;
    for n in 0..30 {
        copies[0].user(&format!("person{n}@example.org"), PASSWORD).await;
    }
    join_all((0..30).map(|n| {
        let app = copies[n % 2].clone();
        async move { ask(&app, &format!("person{n}@example.org")).await }
    }))
    .await;
    let mut to: Vec<String> = arrived(&server, 30).await.into_iter().map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 30);
    copies[0].all_mail_sent().await;
    assert_eq!(server.taken().len(), 30);
}

async fn a_restart_sends_what_was_left(setup: Setup) {
    let server = MailServer::start().await;
    server.refuse(1, "451 later");
    let app = with_server(&setup, &server).await;
    app.user(ALICE, PASSWORD).await;
    ask(&app, ALICE).await;
    pausing(&app, 10).await;
    let app = app.restart_with(|config| config.mail.smtp_url = None).await;
    app.advance(Duration::from_secs(3600));
    app.mail_to(ALICE, "Set a new password").await;
    app.all_mail_sent().await;
}

async fn it_speaks_the_reader_s_language(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    let mut ctx = app.ctx().await;
    ctx.origin.language = Language::Zh;
    recovery::request(&ctx, ALICE).await.unwrap();
    let mail = app.mail_to(ALICE, "新密码").await;
    assert!(mail.text.contains("1 小时内有效") && mail.html.contains("lang=\"zh-Hans\""), "{mail:?}");
    // What somebody says of themselves goes before what their browser says.
    let new = gatehouse::domain::users::NewUser {
        email: Some("li@example.org"),
        email_verified: true,
        username: None,
        name: None,
        password: gatehouse::domain::users::NewPassword::None,
        profile: json!({ "locale": "zh-CN" }),
        roles: &[],
    };
    gatehouse::domain::users::create(&app.ctx().await, new).await.unwrap();
    ask(&app, "LI@example.org").await;
    app.mail_to("li@example.org", "新密码").await;
}

async fn a_person_gets_so_many(app: TestApp) {
    app.user(ALICE, PASSWORD).await;
    app.user("bob@example.org", PASSWORD).await;
    for n in 0..8 {
        ask(&app, if n % 2 == 0 { ALICE } else { "ALICE@example.org" }).await;
    }
    ask(&app, "bob@example.org").await;
    app.all_mail_sent().await;
    let to = |address: &str| app.mails().into_iter().filter(|mail| mail.to == address).count();
    assert_eq!((to(ALICE), to("bob@example.org")), (5, 1));
    app.advance(Duration::from_secs(361));
    ask(&app, ALICE).await;
    app.all_mail_sent().await;
    assert_eq!(app.mails().into_iter().filter(|mail| mail.to == ALICE).count(), 6);
}

/// A server that takes connections and says nothing.
async fn a_slow_server_delays_nobody(setup: Setup) {
    let tarpit = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}?tls=none", tarpit.local_addr().unwrap());
    let app = setup
        .start_with(|config| {
            config.mail.smtp_url = Some(SmtpUrl::parse(&url).unwrap());
            config.mail.from = Some(Mailbox::parse("no-reply@harbour.example").unwrap());
        })
        .await;
    app.user(ALICE, PASSWORD).await;
    let start = std::time::Instant::now();
    for address in [ALICE, "nobody@example.org"] {
        ask(&app, address).await;
    }
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waits for the mail server");
    let (connection, _) = tarpit.accept().await.unwrap();
    drop(connection);
}
