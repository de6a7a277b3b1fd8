//! How soon pages are answered where little else happens: from the request to the whole answer, over
//! loopback, so what the server takes is less.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;

use super::browser::Browser;
use super::large;
use super::load::{self, Connection, Times};
use super::run::{Bench, Realm};
use super::scenario_code::{request, sign_in};

/// A request each so long.
const PACE: Duration = Duration::from_millis(5);
/// What a page may take, in milliseconds.
const BOUND: f64 = 10.0;

pub async fn run(bench: &mut Bench, realm: &Realm) {
    if !bench.wants(&format!("pages {}", realm.engine)) {
        return;
    }
    let client = &realm.relying_parties[0].1.0;
    // Somebody whom no other scenario signs in.
    let number = load::CONNECTIONS;
    let mut browser = Browser::new(realm.server.address).await;
    let login = browser.open(&request(client, "")).await;
    measure(bench, realm, "/login", &browser.request(&login.address)).await;

    sign_in(&mut browser, client, number).await;
    let consent = browser.open(&request(client, "&prompt=consent")).await;
    measure(bench, realm, "/consent", &browser.request(&consent.address)).await;
    for path in ["/account", "/account/sessions"] {
        measure(bench, realm, path, &browser.request(path)).await;
    }
    let totp = browser.open("/account/totp").await;
    browser.submit(&totp, &[("action", "begin")]).await;
    measure(bench, realm, "/account/totp", &browser.request("/account/totp")).await;

    // As if the first code had been right.
    let connection = large::connect(&realm.installation.database).await;
    let mark = format!("UPDATE users SET has_second_factor = true WHERE email = '{}'", large::email(number));
    for statement in ["UPDATE totp_factors SET confirmed_at = created_at", &mark] {
        connection.execute_unprepared(statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let mut browser = Browser::new(realm.server.address).await;
    let mfa = sign_in(&mut browser, client, number).await;
    assert!(mfa.is_at("/login/mfa"), "{}", mfa.address);
    measure(bench, realm, "/login/mfa", &browser.request(&mfa.address)).await;
}

async fn measure(bench: &mut Bench, realm: &Realm, path: &str, request: &[u8]) {
    let mut connection = Connection::open(realm.server.address).await;
    let size = connection.send(request).await.len();
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < bench.length * 2 {
        actix_web::rt::time::sleep(PACE).await;
        let asked = Instant::now();
        connection.send(request).await;
        times.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    let Times { p50, p99 } = Times::of(&mut times);
    let size = f64::from(u32::try_from(size).unwrap()) / 1000.0;
    let shown = format!("p50 {p50:.2} ms, p99 {p99:.2} ms, {size:.1} kB");
    bench.table.figure(&format!("Page `{path}`"), realm.engine, shown, "p99 < 10 ms", Some(p99 < BOUND));
}
