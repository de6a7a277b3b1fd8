//! What the tests stand on: an application on a port and a database of its own, and who uses it.

mod actors;
mod answer;
mod app;
mod browser;
mod database;
mod jwt;
mod key_pair;
mod mail;
mod passkey;
pub mod postgres;
mod raw;
mod receiver;
pub mod relying_party;
pub mod routes;
pub mod saml;

pub use actors::{Client, TenantKeys, make_user, password_app, register};
pub use answer::Answer;
pub use app::{ADMIN_EMAIL, ADMIN_PASSWORD, Setup, TestApp};
pub use browser::{Browser, Callback, Page, unescaped};
pub use database::{Engine, Sql};
pub use jwt::{Signer, claims_of, header_of, mac, unsigned};
pub use key_pair::KeyPair;
pub use mail::{Mail, MailServer};
pub use passkey::{Device, by_name, totp_code};
pub use receiver::{Receiver, Reply};
pub use relying_party::{CALLBACK, RelyingParty, VERIFIER, challenge, code_app};

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// Makes a test for each engine out of each of these functions, which take a [`TestApp`] or a
/// [`Setup`]: `name::sqlite` and `name::postgres`.
macro_rules! both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                crate::support::drive(crate::support::Engine::Sqlite, super::$name);
            }
            #[test]
            fn postgres() {
                crate::support::drive(crate::support::Engine::Postgres, super::$name);
            }
        }
    )+};
}
pub(crate) use both_engines;

/// What a test asks for.
pub trait Wanted: Sized {
    fn of(setup: Setup) -> impl Future<Output = Self>;
}

impl Wanted for Setup {
    async fn of(setup: Setup) -> Self {
        setup
    }
}

impl Wanted for TestApp {
    async fn of(setup: Setup) -> Self {
        setup.start().await
    }
}

/// Runs one test on one engine, and takes down what it started whatever comes of it.
pub fn drive<W: Wanted, F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(W) -> F) {
    if let Some(setup) = Setup::on(engine) {
        drive_on(setup, test);
    }
}

/// The same on a database that the test has chosen.
pub fn drive_on<W: Wanted, F: Future<Output = ()>>(setup: Setup, test: impl FnOnce(W) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { test(W::of(setup.clone()).await).await });
    }));
    let panics = runtime.block_on(setup.finish());
    runtime.shutdown_timeout(Duration::from_secs(2));
    match outcome {
        Err(panic) => resume_unwind(panic),
        Ok(()) => assert_eq!(panics, 0, "a panic on the request path or in a job"),
    }
}

/// Asks again and again until the answer is yes; for what another copy must notice by itself.
pub async fn within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
