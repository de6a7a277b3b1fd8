//! Discovery and keys against a bare handler of the same answer size.

use super::load;
use super::run::{Bench, Realm};
use super::table::Aim;
use super::wire;

pub const DISCOVERY: &str = "/.well-known/openid-configuration";
pub const KEYS: &str = "/.well-known/jwks.json";

pub async fn run(bench: &mut Bench, realm: &Realm) {
    let server = &realm.server;
    for (what, path) in [("Discovery", DISCOVERY), ("JWKS", KEYS)] {
        if !bench.wants(&format!("documents {what} {}", realm.engine)) {
            continue;
        }
        let request = wire::get(path);
        let size = load::once(server.address, &request).await.len();
        let mut scripts = load::all(&request);
        let contest = load::contest(
            bench.rounds,
            bench.length,
            async |length| load::round(server.address, server.id(), &mut scripts, length).await,
            async |length| bench.bare.round("plain", &request, size, length).await,
        )
        .await;
        bench.table.contest(what, realm.engine, "bare handler", &contest, Aim::None);
    }
}
