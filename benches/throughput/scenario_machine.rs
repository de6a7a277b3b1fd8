//! Tokens for machines against a bare handler of the same answer size that makes one raw signature.

use super::load;
use super::run::{Bench, Realm, TOKEN};
use super::table::Aim;
use super::wire;

pub async fn run(bench: &mut Bench, realm: &Realm) {
    let server = &realm.server;
    for (alg, (id, secret)) in &realm.services {
        if !bench.wants(&format!("machine {alg} {}", realm.engine)) {
            continue;
        }
        let request = wire::form(TOKEN, (id, secret), "grant_type=client_credentials");
        let size = load::once(server.address, &request).await.len();
        let mut scripts = load::all(&request);
        let contest = load::contest(
            bench.rounds,
            bench.length,
            async |length| load::round(server.address, server.id(), &mut scripts, length).await,
            async |length| bench.bare.round(alg, &request, size, length).await,
        )
        .await;
        let what = format!("`client_credentials`, {alg}");
        bench.table.contest(&what, realm.engine, "bare handler and one raw signature", &contest, Aim::RateAndCpu(0.7));
    }
}
