//! How many statements an operation takes, as PostgreSQL's own log counts them.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;

use super::load::{self, Connection, Script};
use super::postgres::Postgres;
use super::run::{Bench, Realm, TOKEN};
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
    let own = f64::from(count(postgres) - before) / 5.0;

    for (what, mut script, without) in operations {
        let mut connection = Connection::open(server.address).await;
        let mut request = Vec::new();
        let mut each = async |script: &mut Script| {
            script.write(&mut request);
            script.answered(connection.send(&request).await);
        };
        each(&mut script).await; // what is cached from now on
        let (before, started) = (count(postgres), Instant::now());
        for _ in 0..TIMES {
            each(&mut script).await;
        }
        let taken = started.elapsed().as_secs_f64();
        wait(Duration::from_millis(50)).await;
        let here = (f64::from(count(postgres) - before) - own * taken) / f64::from(TIMES);
        let here = here.max(0.0).round();
        let (aim, met) = if without { ("none", Some(here == 0.0)) } else { ("", None) };
        bench.table.figure(&format!("{what}: statements"), realm.engine, format!("{here}"), aim, met);
    }
}

/// Statements in the log, `BEGIN` and `COMMIT` among them.
fn count(postgres: &Postgres) -> u32 {
    let log = postgres.log();
    let counts = |line: &&str| line.contains("LOG:  execute ") || line.contains("LOG:  statement: ");
    u32::try_from(log.lines().filter(counts).count()).unwrap()
}

async fn wait(length: Duration) {
    actix_web::rt::time::sleep(length).await;
}
