//! Whether the fast paths stay fast while 64 people sign in at once, again and again.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::future::{join, join3};

use super::load::{self, Connection, Times};
use super::run::{Bench, Realm, TOKEN};
use super::scenario_documents::{DISCOVERY, KEYS};
use super::scenario_login::everybody;
use super::table::Line;
use super::wire;

/// A request each so long on every fast path.
const PACE: Duration = Duration::from_millis(5);

pub async fn run(bench: &mut Bench, realm: &Realm) {
    if !bench.wants(&format!("storm {}", realm.engine)) {
        return;
    }
    let server = &realm.server;
    let (_, (id, secret)) = &realm.services[0];
    let paths = [
        ("Discovery", wire::get(DISCOVERY)),
        ("JWKS", wire::get(KEYS)),
        ("`client_credentials`, ES256", wire::form(TOKEN, (id, secret), "grant_type=client_credentials")),
    ];
    let mut probes = Vec::new();
    for (what, request) in paths {
        probes.push(Probe {
            what,
            request,
            connection: Connection::open(server.address).await,
            times: Vec::new(),
            idle: Vec::new(),
            storm: Vec::new(),
        });
    }
    let [discovery, keys, tokens] = probes.as_mut_slice() else { unreachable!() };
    let mut scripts = everybody(realm);
    let mut logins = Vec::new();
    for turn in 0..=2 * bench.rounds {
        for storm in [false, true] {
            let over = Cell::new(false);
            let probing = join3(discovery.run(0, &over), keys.run(1, &over), tokens.run(2, &over));
            let load = async {
                let round = if storm {
                    Some(load::round(server.address, server.id(), &mut scripts, bench.length).await)
                } else {
                    actix_web::rt::time::sleep(bench.length).await;
                    None
                };
                over.set(true);
                round
            };
            let (_, round) = join(probing, load).await;
            logins.extend(round.map(|round| round.rate));
            for probe in [&mut *discovery, &mut *keys, &mut *tokens] {
                let times = Times::of(&mut probe.times);
                probe.times.clear();
                // The first turn is for warming up.
                if turn > 0 {
                    if storm { &mut probe.storm } else { &mut probe.idle }.push(times);
                }
            }
        }
    }
    let logins = load::spread(logins.into_iter()).median;
    for probe in &probes {
        let middle = |times: &[Times], which: fn(&Times) -> f64| load::spread(times.iter().map(which)).median;
        let shown = |times: &[Times]| {
            format!("p50 {:.2} ms, p99 {:.2} ms", middle(times, |times| times.p50), middle(times, |times| times.p99))
        };
        let ratios = |which: fn(&Times) -> f64| {
            load::spread(probe.storm.iter().zip(&probe.idle).map(|(storm, idle)| which(storm) / which(idle)))
        };
        let (p50, p99) = (ratios(|times| times.p50), ratios(|times| times.p99));
        bench.table.add(Line {
            what: format!("{} during {} sign-ins at once ({logins:.0}/s)", probe.what, load::CONNECTIONS),
            engine: realm.engine,
            ours: shown(&probe.storm),
            theirs: format!("idle: {}", shown(&probe.idle)),
            ratio: format!("p50 {:.2}, p99 {:.2} ({:.2} to {:.2})", p50.median, p99.median, p99.min, p99.max),
            cpu: String::new(),
            aim: "p99 ≤ 3".to_owned(),
            met: Some(p99.median <= 3.0),
        });
    }
}

/// One fast path, asked at an even pace.
struct Probe {
    what: &'static str,
    request: Vec<u8>,
    connection: Connection,
    /// Of this turn, in milliseconds.
    times: Vec<f64>,
    idle: Vec<Times>,
    storm: Vec<Times>,
}

impl Probe {
    async fn run(&mut self, number: u32, over: &Cell<bool>) {
        let mut due = Instant::now() + PACE / 3 * number;
        while !over.get() {
            let early = due.saturating_duration_since(Instant::now());
            if !early.is_zero() {
                actix_web::rt::time::sleep(early).await;
            }
            // A request that had to wait for the answer before it has waited from when it was due;
            // one that the timer woke late has not.
            let began = if early.is_zero() { due } else { Instant::now() };
            self.connection.send(&self.request).await;
            self.times.push(began.elapsed().as_secs_f64() * 1000.0);
            due += PACE;
        }
    }
}
