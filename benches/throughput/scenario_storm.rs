//! Whether the fast paths stay fast while 64 people sign in at once, again and again.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures_util::future::{join, join3};

use super::load::{self, Connection};
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
            idle: Vec::new(),
            storm: Vec::new(),
        });
    }
    let [discovery, keys, tokens] = probes.as_mut_slice() else { unreachable!() };
    let mut scripts = everybody(realm);
    let length = bench.length * 2;
    let logins = RefCell::new(Vec::new());
    for turn in 0..=bench.rounds {
        for storm in [false, true] {
            let over = Cell::new(false);
            let probing = async {
                let until = |number: u32| (number, &over, storm);
                join3(discovery.run(until(0)), keys.run(until(1)), tokens.run(until(2))).await;
            };
            let load = async {
                if storm {
                    logins.borrow_mut().push(load::round(server.address, server.id(), &mut scripts, length).await);
                } else {
                    actix_web::rt::time::sleep(length).await;
                }
                over.set(true);
            };
            join(probing, load).await;
        }
        if turn == 0 {
            // The first turn is for warming up.
            for probe in [&mut *discovery, &mut *keys, &mut *tokens] {
                probe.idle.clear();
                probe.storm.clear();
            }
            logins.borrow_mut().clear();
        }
    }
    let logins = load::spread(logins.into_inner().iter().map(|round| round.rate)).median;
    for probe in &mut probes {
        let (idle, storm) = (Times::of(&mut probe.idle), Times::of(&mut probe.storm));
        let ratio = storm.p99 / idle.p99;
        bench.table.add(Line {
            what: format!("{} during {} sign-ins at once ({logins:.0}/s)", probe.what, load::CONNECTIONS),
            engine: realm.engine,
            ours: format!("p50 {:.2} ms, p99 {:.2} ms", storm.p50, storm.p99),
            theirs: format!("idle: p50 {:.2} ms, p99 {:.2} ms", idle.p50, idle.p99),
            ratio: format!("p50 {:.2}, p99 {ratio:.2}", storm.p50 / idle.p50),
            cpu: String::new(),
            aim: "p99 ≤ 3".to_owned(),
            met: Some(ratio <= 3.0),
        });
    }
}

/// One fast path, asked at an even pace.
struct Probe {
    what: &'static str,
    request: Vec<u8>,
    connection: Connection,
    idle: Vec<f64>,
    storm: Vec<f64>,
}

impl Probe {
    async fn run(&mut self, (number, over, storm): (u32, &Cell<bool>, bool)) {
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
            let took = began.elapsed().as_secs_f64() * 1000.0;
            if storm {
                self.storm.push(took)
            } else {
                self.idle.push(took)
            }
            due += PACE;
        }
    }
}

/// In milliseconds.
struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of(times: &mut [f64]) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        Self { p50: at(50), p99: at(99) }
    }
}
