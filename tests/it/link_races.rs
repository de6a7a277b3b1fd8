//! A mailed link, used a hundred times at once over two copies: it counts once.

use futures_util::future::join_all;
use gatehouse::domain::{DomainError, recovery, registration, verification};

use crate::support::{TestApp, both_engines};

both_engines!(a_reset_link_counts_once, a_verification_link_counts_once, of_many_reset_links_one_counts);

const ALICE: &str = "alice@example.org";
const MANY: usize = 100;

/// Does it so often at once, by both copies in turn; how often it was done.
async fn successes<T>(copies: &[TestApp; 2], attempt: impl AsyncFn(TestApp, usize) -> Result<T, DomainError>) -> usize {
    let outcomes = join_all((0..MANY).map(|n| attempt(copies[n % 2].clone(), n))).await;
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(_) | Err(DomainError::NotFound(_))), "{:?}", outcome.as_ref().err());
    }
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

async fn link(app: &TestApp) -> String {
    recovery::request(&app.ctx().await, ALICE).await.unwrap();
    app.mail_to(ALICE, "Set a new password").await.token()
}

async fn a_reset_link_counts_once(app: TestApp) {
    app.user(ALICE, "open sesame").await;
    let copies = app.copies().await;
    let token = link(&copies[0]).await;
    let done = successes(&copies, async |app, n| {
        recovery::reset(&app.ctx().await, &token, &format!("harbour number {n} at dawn")).await
    })
    .await;
    assert_eq!(done, 1);
    let sql = copies[0].sql().await;
    assert_eq!(sql.number("SELECT token_epoch FROM users WHERE email = 'alice@example.org'").await, 1);
    let audit = "SELECT count(*) FROM audit_log WHERE action = 'user.reset_password'";
    assert_eq!(sql.number(audit).await, 1, "one change, one row");
}

async fn a_verification_link_counts_once(app: TestApp) {
    registration::register(&app.ctx().await, ALICE, None, "a quiet harbour at dawn").await.unwrap();
    let token = app.mail_to(ALICE, "Confirm").await.token();
    let copies = app.copies().await;
    let done = successes(&copies, async |app, _| verification::verify_email(&app.ctx().await, &token).await).await;
    assert_eq!(done, 1);
}

async fn of_many_reset_links_one_counts(app: TestApp) {
    app.user(ALICE, "open sesame").await;
    let copies = app.copies().await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(link(&copies[0]).await);
    }
    let done = successes(&copies, async |app, n| {
        recovery::reset(&app.ctx().await, &tokens[n % 5], &format!("harbour number {n} at dawn")).await
    })
    .await;
    assert_eq!(done, 1, "the first one ends what the others were made under");
}
