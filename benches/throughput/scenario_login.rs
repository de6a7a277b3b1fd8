//! Sign-ins with a password against Argon2 alone, on as many threads that stand back as far.

use super::bare::RawArgon2;
use super::load::{self, Script};
use super::process;
use super::run::{Bench, Realm};
use super::scenario_refresh::sign_in;
use super::server::{MEMORY_KIB, NICE, PASSES};
use super::table::Aim;

pub async fn run(bench: &mut Bench, realm: &Realm) {
    if !bench.wants(&format!("login {}", realm.engine)) {
        return;
    }
    let server = &realm.server;
    let threads = process::cores().saturating_sub(1).max(1);
    let mut raw = RawArgon2::start(MEMORY_KIB, PASSES, threads, NICE);
    let mut scripts = everybody(realm);
    let contest = load::contest(
        bench.rounds,
        bench.length * 2, // a few hundred a round at best
        async |length| load::round(server.address, server.id(), &mut scripts, length).await,
        async |length| raw.round(length),
    )
    .await;
    let against = format!("Argon2id ({MEMORY_KIB} KiB, {PASSES} passes) on {threads} thread");
    bench.table.contest("Password sign-in", realm.engine, &against, &contest, Aim::Rate(0.9));
}

/// A sign-in for each connection, each of somebody else.
pub fn everybody(realm: &Realm) -> Vec<Script> {
    (0..load::CONNECTIONS).map(|number| Script::Same(sign_in(&realm.app, number))).collect()
}
