//! How many statements an operation takes, as PostgreSQL's own log counts them.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;

use super::load::{self, Connection, Script};
use super::postgres::Postgres;
use super::run::{Bench, Realm, TOKEN};
use super::scenario_code::round_trip;
use super::scenario_documents::{DISCOVERY, KEYS};
use super::scenario_refresh::sign_in;
use super::{large, wire};

/// How often each operation is done.
const TIMES: u32 = 40;

pub async fn run(bench: &mut Bench, realm: &Realm, postgres: &Postgres) {
    if !bench.wants(&format!("statements {}", realm.engine)) {
        return;
    }
    let server = &realm.server;
    let (_, (id, secret)) = &realm.services[0];
    let machine = wire::form(TOKEN, (id, secret), "grant_type=client_credentials");
    let issued = load::once(server.address, &machine).await;
    let token = wire::member(&issued, "access_token").unwrap();
    let signed_in = load::once(server.address, &sign_in(&realm.app, 0)).await;
    let refresh = wire::member(&signed_in, "refresh_token").unwrap();
    let operations = [
        ("`client_credentials`", Script::Same(machine), true),
        ("Discovery", Script::Same(wire::get(DISCOVERY)), true),
        ("JWKS", Script::Same(wire::get(KEYS)), true),
        (
            "Introspection of a JWT",
            Script::Same(wire::form("/oauth/introspect", (id, secret), &format!("token={token}"))),
            true,
        ),
        ("Refresh", Script::Refresh { client: realm.app.clone(), path: TOKEN.to_owned(), token: refresh }, false),
        ("Code with PKCE and its tokens", round_trip(realm, &realm.relying_parties[0].1, 0).await, false),
        ("Password sign-in", Script::Same(sign_in(&realm.app, 0)), false),
    ];
    let connection = large::connect(&realm.installation.database).await;
    connection.execute_unprepared("ALTER SYSTEM SET log_statement = 'all'").await.unwrap();
    connection.execute_unprepared("SELECT pg_reload_conf()").await.unwrap();
    connection.close().await.unwrap();
    wait(Duration::from_millis(500)).await;

    // What the server asks by itself, such as whether anything has changed.
    let before = count(postgres);
    wait(Duration::from_secs(5)).await;
    let own = f64::from(count(postgres).all - before.all) / 5.0;

    for (what, mut script, without) in operations {
        let mut connection = Connection::open(server.address).await;
        connection.operate(&mut script).await; // what is cached from now on
        let (before, started) = (count(postgres), Instant::now());
        for _ in 0..TIMES {
            connection.operate(&mut script).await;
        }
        let taken = started.elapsed().as_secs_f64();
        wait(Duration::from_millis(50)).await;
        let after = count(postgres);
        let each = |number: u32| f64::from(number) / f64::from(TIMES);
        let all = (each(after.all - before.all) - own * taken / f64::from(TIMES)).max(0.0).round();
        let (writes, commits) = (each(after.writes - before.writes), each(after.commits - before.commits));
        let shown = if all == 0.0 {
            "0".to_owned()
        } else {
            format!(
                "{all}: {writes:.0} of them write, in {commits:.0} transaction{}",
                if commits > 1.5 { "s" } else { "" }
            )
        };
        let (aim, met) = if without { ("none", Some(all == 0.0)) } else { ("", None) };
        bench.table.figure(&format!("{what}: statements"), realm.engine, shown, aim, met);
    }
}

/// Statements in the log.
struct Counts {
    /// `BEGIN` and `COMMIT` among them.
    all: u32,
    /// Those that change rows.
    writes: u32,
    commits: u32,
}

fn count(postgres: &Postgres) -> Counts {
    let mut counts = Counts { all: 0, writes: 0, commits: 0 };
    for line in postgres.log().lines() {
        let Some((_, rest)) = line.split_once("LOG:  ") else { continue };
        let prepared = || rest.strip_prefix("execute ")?.split_once(": ").map(|(_, statement)| statement);
        let Some(statement) = rest.strip_prefix("statement: ").or_else(prepared) else { continue };
        counts.all += 1;
        counts.commits += u32::from(statement.starts_with("COMMIT"));
        counts.writes += u32::from(["INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb)));
    }
    counts
}

async fn wait(length: Duration) {
    actix_web::rt::time::sleep(length).await;
}
