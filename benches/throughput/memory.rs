//! How much memory it takes and how soon it is ready.

use std::time::Duration;

use super::large;
use super::load::spread;
use super::postgres::Postgres;
use super::process;
use super::run::{Bench, Realm, database};
use super::server::{Installation, PASSWORD};

/// How many users make a large database.
const MANY: usize = 100_000;
/// Longer than the threads that hash keep their memory.
const REST: Duration = Duration::from_secs(12);

/// Resident memory of a server that has just started and done nothing.
pub async fn settled(realm: &Realm) -> f64 {
    actix_web::rt::time::sleep(Duration::from_secs(3)).await;
    process::memory(realm.server.id(), "VmRSS")
}

pub async fn after_load(bench: &mut Bench, realm: &Realm, idle: f64) {
    if !bench.wants(&format!("memory {}", realm.engine)) {
        return;
    }
    let mut add = |what: &str, size: f64, bound: Option<f64>| {
        let aim = bound.map_or_else(String::new, |bound| format!("< {bound:.0} MiB"));
        bench.table.figure(what, realm.engine, format!("{size:.1} MiB"), &aim, bound.map(|bound| size < bound));
    };
    add("Resident memory, idle", idle, Some(40.0));
    add("Resident memory, most during the above", process::memory(realm.server.id(), "VmHWM"), None);
    actix_web::rt::time::sleep(REST).await;
    add("Resident memory, a while after the above", process::memory(realm.server.id(), "VmRSS"), None);
}

/// From starting the program until `/readyz` says yes.
pub async fn starts(bench: &mut Bench, engine: &'static str, postgres: Option<&Postgres>) {
    if !bench.wants(&format!("start {engine}")) {
        return;
    }
    let mut first = Vec::new();
    for number in 0..bench.rounds {
        let name = format!("empty{number}");
        let folder = bench.folder.join(format!("{engine}-{name}"));
        let installation = Installation::new(&bench.binary, &folder, database(postgres, &name).await);
        first.push(installation.start().1);
    }
    ready(bench, engine, "the very first time", &first);

    let folder = bench.folder.join(format!("{engine}-large"));
    let large = Installation::new(&bench.binary, &folder, database(postgres, "large").await);
    large.cli(&["user", "create", "--email", &large::email(0), "--password-stdin"], PASSWORD);
    let again: Vec<Duration> = (0..bench.rounds).map(|_| large.start().1).collect();
    ready(bench, engine, "a database with hardly any user", &again);
    large::fill(&large.database, MANY).await;
    let full: Vec<Duration> = (0..bench.rounds).map(|_| large.start().1).collect();
    ready(bench, engine, "a database with 100,000 users", &full);

    let (server, _) = large.start();
    actix_web::rt::time::sleep(Duration::from_secs(3)).await;
    let size = process::memory(server.id(), "VmRSS");
    let met = Some(size < 40.0);
    bench.table.figure("Resident memory, idle, 100,000 users", engine, format!("{size:.1} MiB"), "< 40 MiB", met);
}

fn ready(bench: &mut Bench, engine: &'static str, on: &str, times: &[Duration]) {
    let spread = spread(times.iter().map(Duration::as_secs_f64));
    let shown = format!("{:.2} s ({:.2} to {:.2})", spread.median, spread.min, spread.max);
    bench.table.figure(&format!("Time to ready, {on}"), engine, shown, "< 1 s", Some(spread.max < 1.0));
}
