//! Refreshing: as many chains as there are connections, each step with the token of the last one,
//! each durable before it is answered. Compared with how often the disk makes 4 KiB durable for who
//! waits each time: more than one for each flush means that commits share them.

use std::time::Duration;

use super::bare;
use super::load::{self, Script, spread, thousands};
use super::run::{Bench, Realm, TOKEN};
use super::server::PASSWORD;
use super::table::Line;
use super::{large, wire};

pub async fn run(bench: &mut Bench, realm: &Realm) {
    if !bench.wants(&format!("refresh {}", realm.engine)) {
        return;
    }
    let server = &realm.server;
    let mut scripts = Vec::new();
    for number in 0..load::CONNECTIONS {
        let answer = load::once(server.address, &sign_in(&realm.app, number)).await;
        let token = wire::member(&answer, "refresh_token").expect("a refresh token");
        scripts.push(Script::Refresh { client: realm.app.clone(), path: TOKEN.to_owned(), token });
    }
    let mut rounds = Vec::new();
    let mut flushes = Vec::new();
    load::round(server.address, server.id(), &mut scripts, bench.length / 4).await;
    for _ in 0..bench.rounds {
        rounds.push(load::round(server.address, server.id(), &mut scripts, bench.length).await);
        flushes.push(bare::flushes(&bench.folder, bench.length.min(Duration::from_secs(1))));
    }
    let shares = spread(rounds.iter().zip(&flushes).map(|(round, flushes)| round.rate / flushes));
    bench.table.add(Line {
        what: format!("Refresh, {} chains", load::CONNECTIONS),
        engine: realm.engine,
        ours: load::shown(&rounds),
        theirs: format!("flushes of 4 KiB, one by one: {}/s", thousands(spread(flushes.into_iter()).median)),
        ratio: format!("{:.1} ({:.1} to {:.1})", shares.median, shares.min, shares.max),
        cpu: String::new(),
        aim: "> 1: commits share flushes".to_owned(),
        met: Some(shares.median > 1.0),
    });
}

/// A sign-in of this user by the password grant.
pub fn sign_in((id, secret): &(String, String), number: usize) -> Vec<u8> {
    let body = format!(
        "grant_type=password&username={}&password={}&scope=openid+offline_access",
        large::email(number),
        PASSWORD.replace(' ', "+")
    );
    wire::form(TOKEN, (id, secret), &body)
}
