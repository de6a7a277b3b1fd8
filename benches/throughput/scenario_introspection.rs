//! Introspection of a signed token against a bare handler that makes one raw verification.

use super::load;
use super::run::{Bench, Realm, TOKEN};
use super::table::Aim;
use super::wire;

pub async fn run(bench: &mut Bench, realm: &Realm) {
    if !bench.wants(&format!("introspection {}", realm.engine)) {
        return;
    }
    let server = &realm.server;
    let (_, (id, secret)) = &realm.services[0];
    let issued = load::once(server.address, &wire::form(TOKEN, (id, secret), "grant_type=client_credentials")).await;
    let token = wire::member(&issued, "access_token").unwrap();
    let request = wire::form("/oauth/introspect", (id, secret), &format!("token={token}"));
    let answer = load::once(server.address, &request).await;
    assert!(answer.starts_with(b"{\"active\":true"), "{}", String::from_utf8_lossy(&answer));
    let mut scripts = load::all(&request);
    let contest = load::contest(
        bench.rounds,
        bench.length,
        async |length| load::round(server.address, server.id(), &mut scripts, length).await,
        async |length| bench.bare.round("ES256-verify", &request, answer.len(), length).await,
    )
    .await;
    bench.table.contest(
        "Introspection of a JWT, ES256",
        realm.engine,
        "bare handler and one raw verification",
        &contest,
        Aim::None,
    );
}
