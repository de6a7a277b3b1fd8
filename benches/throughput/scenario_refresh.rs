//! Refreshing: as many chains as there are connections, each step with the token of the last one,
//! each durable before it is answered. Compared with changes of one row that are committed one by one:
//! a refresh reads and writes more than that, and commits share flushes.

use super::commits::Commits;
use super::load::{self, Script, spread, thousands};
use super::postgres::Postgres;
use super::run::{Bench, Realm, TOKEN, database};
use super::server::PASSWORD;
use super::table::Line;
use super::{large, wire};

pub async fn run(bench: &mut Bench, realm: &Realm, postgres: Option<&Postgres>) {
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
    let commits = Commits::prepare(&bench.folder, database(postgres, "commits").await).await;
    let mut alone = Vec::new();
    load::round(server.address, server.id(), &mut scripts, bench.length / 4).await;
    for _ in 0..bench.rounds {
        rounds.push(load::round(server.address, server.id(), &mut scripts, bench.length).await);
        alone.push(commits.rate(bench.length / 2).await);
    }
    let shares = spread(rounds.iter().zip(&alone).map(|(round, alone)| round.rate / alone));
    bench.table.add(Line {
        what: format!("Refresh, {} chains", load::CONNECTIONS),
        engine: realm.engine,
        ours: load::shown(&rounds),
        theirs: format!("one row and one commit, one by one: {}/s", thousands(spread(alone.into_iter()).median)),
        ratio: format!("{:.2} ({:.2} to {:.2})", shares.median, shares.min, shares.max),
        cpu: String::new(),
        aim: String::new(),
        met: None,
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
