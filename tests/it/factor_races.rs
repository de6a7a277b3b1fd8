//! What of a second factor counts once, tried a hundred times at once: over two copies on one
//! PostgreSQL, and over the one process that serves an SQLite file.

use futures_util::future::join_all;
use gatehouse::domain::factors::{self, passkeys, recovery_codes, totp};
use gatehouse::domain::users;

use crate::factors::{with_app, with_passkey};
use crate::support::{Device, Setup, TestApp, both_engines, by_name, totp_code};

both_engines!(
    a_code_of_the_app_counts_once,
    a_recovery_code_counts_once,
    an_answer_of_a_passkey_counts_once,
    an_app_is_confirmed_once,
    the_flag_is_right_whoever_comes_last,
);

/// How many at once.
const MANY: usize = 100;
const BROWSER: [u8; 32] = [1; 32];

/// Tries the same thing many times at once, of both copies in turn; how often it was let through.
async fn successes(copies: &[TestApp; 2], attempt: impl AsyncFn(&TestApp) -> bool) -> usize {
    let outcomes = join_all((0..MANY).map(|n| attempt(&copies[n % 2]))).await;
    outcomes.into_iter().filter(|success| *success).count()
}

async fn a_code_of_the_app_counts_once(setup: Setup) {
    // Without the lock, which would turn most of them away before they are looked at.
    let app = setup.start_with(|config| config.lockout.failures = 0).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let (secret, _) = with_app(&app, &user).await;
    let copies = app.copies().await;
    let code = totp_code(&secret, copies[0].now());
    let check = async |app: &TestApp| totp::check(&app.ctx().await, user.id, &code).await.unwrap();
    assert_eq!(successes(&copies, check).await, 1);
}

async fn a_recovery_code_counts_once(setup: Setup) {
    let app = setup.start_with(|config| config.lockout.failures = 0).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let (_, codes) = with_app(&app, &user).await;
    let copies = app.copies().await;
    let check =
        async |app: &TestApp| recovery_codes::check_and_use(&app.ctx().await, user.id, &codes[0]).await.unwrap();
    assert_eq!(successes(&copies, check).await, 1);
    assert_eq!(recovery_codes::left(&copies[0].ctx().await, user.id).await.unwrap(), 9);
}

async fn an_answer_of_a_passkey_counts_once(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let (mut device, _) = with_passkey(&app.ctx().await, &user).await;
    let question = passkeys::begin_authentication(&app.ctx().await, BROWSER, None).await.unwrap();
    let answer = device.get(&question);
    let copies = app.copies().await;
    let finish = async |app: &TestApp| {
        passkeys::finish_authentication(&app.ctx().await, BROWSER, None, answer.clone()).await.is_ok()
    };
    assert_eq!(successes(&copies, finish).await, 1);
}

async fn an_app_is_confirmed_once(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let begun = totp::begin(&app.ctx().await, &user).await.unwrap();
    let copies = app.copies().await;
    let code = totp_code(begun.secret.expose(), copies[0].now());
    let confirm = async |app: &TestApp| totp::confirm(&app.ctx().await, user.id, &code).await.unwrap().is_some();
    assert_eq!(successes(&copies, confirm).await, 1);
    assert_eq!(recovery_codes::left(&copies[0].ctx().await, user.id).await.unwrap(), 10, "one set of codes");
}

/// One factor goes while another comes: the account is never left with a flag that is wrong, nor a
/// second factor without recovery codes.
async fn the_flag_is_right_whoever_comes_last(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let copies = app.copies().await;
    for round in 0..10 {
        let user = copies[0].user(&format!("user{round}@example.org"), "open sesame").await;
        with_app(&copies[0], &user).await;
        let ctx = copies[1].ctx().await;
        let question = passkeys::begin_registration(&ctx, &user, BROWSER).await.unwrap();
        let answer = Device::new(copies[0].config.http.issuer.as_str(), user.id).create(&question);
        let (here, there) = (copies[0].ctx().await, copies[1].ctx().await);
        let (gone, come) = tokio::join!(
            totp::remove(&here, user.id),
            passkeys::finish_registration(&there, user.id, BROWSER, "A key", answer)
        );
        gone.unwrap();
        come.unwrap();
        let all = factors::of(&ctx, user.id).await.unwrap();
        assert!(!all.totp && all.passkeys.len() == 1);
        assert!(users::find(&ctx, user.id).await.unwrap().has_second_factor);
        assert_eq!(all.recovery_codes_left, 10);
    }
}
