//! The load generator: 64 connections on one thread, each sends its next request when it has its
//! answer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::process;
use super::wire::{self, Answer, Message};

/// How many connections put load on a server.
pub const CONNECTIONS: usize = 64;
/// How long a connection waits that was told that the server is busy.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection sends.
pub enum Script {
    /// The same again and again.
    Same(Vec<u8>),
    /// A chain of refresh tokens: each request uses the token of the last answer.
    Refresh { client: (String, String), path: String, token: String },
    /// A request for a code from a browser that is signed in, then the code's redemption, in turn.
    Code(Box<RoundTrip>),
}

/// A request for a code, and how its answer is redeemed.
pub struct RoundTrip {
    pub authorize: Vec<u8>,
    pub redeem: fn(client: &(String, String), code: &str) -> Vec<u8>,
    pub client: (String, String),
    /// What has not been redeemed yet.
    pub code: Option<String>,
}

impl Script {
    pub fn write(&self, request: &mut Vec<u8>) {
        request.clear();
        match self {
            Self::Same(bytes) => request.extend_from_slice(bytes),
            Self::Refresh { client: (id, secret), path, token } => {
                let body = format!("grant_type=refresh_token&refresh_token={token}");
                *request = wire::form(path, (id, secret), &body);
            }
            Self::Code(trip) => match &trip.code {
                None => request.extend_from_slice(&trip.authorize),
                Some(code) => *request = (trip.redeem)(&trip.client, code),
            },
        }
    }

    /// The status that the next answer must have.
    fn expects(&self) -> u16 {
        if matches!(self, Self::Code(trip) if trip.code.is_none()) { 303 } else { 200 }
    }

    /// Takes the answer; says whether an operation is complete.
    fn answered(&mut self, answer: &Message<'_>) -> bool {
        match self {
            Self::Same(_) => true,
            Self::Refresh { token, .. } => {
                *token = wire::member(answer.body, "refresh_token").expect("a refresh token");
                true
            }
            Self::Code(trip) if trip.code.is_none() => {
                let parameters = answer.header("location").and_then(|to| to.split_once('?')).expect("an address").1;
                let code = parameters.split('&').find_map(|pair| pair.strip_prefix("code="));
                trip.code = Some(code.unwrap_or_else(|| panic!("no code: {parameters}")).to_owned());
                false
            }
            Self::Code(trip) => {
                trip.code = None;
                true
            }
        }
    }
}

/// The same for every connection.
pub fn all(request: &[u8]) -> Vec<Script> {
    (0..CONNECTIONS).map(|_| Script::Same(request.to_vec())).collect()
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    arrived: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).unwrap();
        Self { stream, arrived: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and gives the body of the answer, which must be 200.
    pub async fn send(&mut self, request: &[u8]) -> &[u8] {
        self.ask(request).await;
        self.good(request, 200).body
    }

    /// Sends a request and gives the answer, whatever it is.
    pub async fn exchange(&mut self, request: &[u8]) -> Message<'_> {
        self.ask(request).await;
        self.message()
    }

    /// One whole operation of a script.
    pub async fn operate(&mut self, script: &mut Script) {
        let mut request = Vec::new();
        loop {
            script.write(&mut request);
            self.ask(&request).await;
            if script.answered(&self.good(&request, script.expects())) {
                return;
            }
        }
    }

    fn message(&self) -> Message<'_> {
        wire::message(&self.arrived).expect("an answer")
    }

    /// What has arrived, with the status that was due.
    fn good(&self, request: &[u8], status: u16) -> Message<'_> {
        let answer = self.message();
        let text = String::from_utf8_lossy;
        assert!(answer.status == status, "asked {}: {}", text(request), text(&self.arrived));
        answer
    }

    async fn ask(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.expect("sent");
        self.arrived.clear();
        loop {
            if self.stream.read_buf(&mut self.arrived).await.expect("an answer") == 0 {
                panic!("the server closed the connection: {}", String::from_utf8_lossy(&self.arrived));
            }
            if let Some(answer) = wire::parse(&self.arrived) {
                assert!(self.arrived.len() == answer.whole, "{}", String::from_utf8_lossy(&self.arrived));
                return answer;
            }
        }
    }
}

/// One request on a connection of its own.
pub async fn once(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    Connection::open(address).await.send(request).await.to_vec()
}

/// What one round came to.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Answers in a second.
    pub rate: f64,
    /// Processor time of the server for one answer, in microseconds.
    pub cpu_us: f64,
    /// How many were answered 503: it is busy, as it should say rather than let them wait for long.
    pub busy: u64,
}

/// Load from every script at once for so long; what is under way then is waited for.
pub async fn round(address: SocketAddr, pid: u32, scripts: &mut [Script], length: Duration) -> Round {
    let connections = join_all(scripts.iter().map(|_| Connection::open(address))).await;
    let tally = RefCell::new(Tally::default());
    let cpu = process::cpu(pid);
    let ends = Instant::now() + length;
    let driven = connections.into_iter().zip(scripts).map(|(mut connection, script)| {
        let tally = &tally;
        async move {
            let mut request = Vec::new();
            while Instant::now() < ends {
                script.write(&mut request);
                if connection.ask(&request).await.status == 503 {
                    tally.borrow_mut().busy += 1;
                    actix_web::rt::time::sleep(PAUSE).await;
                    continue;
                }
                if script.answered(&connection.good(&request, script.expects())) {
                    let mut tally = tally.borrow_mut();
                    tally.all += 1.0;
                    tally.in_time += if Instant::now() < ends { 1.0 } else { 0.0 };
                }
            }
        }
    });
    join_all(driven).await;
    let cpu = process::cpu(pid) - cpu;
    let Tally { in_time, all, busy } = tally.into_inner();
    Round { rate: in_time / length.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / all, busy }
}

#[derive(Default)]
struct Tally {
    in_time: f64,
    all: f64,
    busy: u64,
}

/// Two sides that took turns.
pub struct Contest {
    pub ours: Vec<Round>,
    pub theirs: Vec<Round>,
}

/// Lets two sides take turns, after one short turn each to warm up.
pub async fn contest(
    rounds: usize,
    length: Duration,
    mut ours: impl AsyncFnMut(Duration) -> Round,
    mut theirs: impl AsyncFnMut(Duration) -> Round,
) -> Contest {
    ours(length / 4).await;
    theirs(length / 4).await;
    let mut contest = Contest { ours: Vec::new(), theirs: Vec::new() };
    for _ in 0..rounds {
        contest.ours.push(ours(length).await);
        contest.theirs.push(theirs(length).await);
    }
    contest
}

/// The middle, the least and the most.
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

pub fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    Spread { median: sorted[sorted.len() / 2], min: sorted[0], max: sorted[sorted.len() - 1] }
}

/// How long answers took, in milliseconds.
pub struct Times {
    pub p50: f64,
    pub p99: f64,
}

impl Times {
    pub fn of(times: &mut [f64]) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        Self { p50: at(50), p99: at(99) }
    }
}

impl Contest {
    /// Our rate as a share of theirs, round by round.
    pub fn rates(&self) -> Spread {
        spread(self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.rate / theirs.rate))
    }

    /// Their processor time for one answer as a share of ours: what would be left of the rate if
    /// the processor were all that counts.
    pub fn cpu(&self) -> f64 {
        spread(self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| theirs.cpu_us / ours.cpu_us)).median
    }
}

/// "12 300/s, 41 µs".
pub fn shown(rounds: &[Round]) -> String {
    let rate = spread(rounds.iter().map(|round| round.rate)).median;
    let cpu = spread(rounds.iter().map(|round| round.cpu_us)).median;
    let cpu = if cpu < 1000.0 { format!("{cpu:.1} µs") } else { format!("{:.1} ms", cpu / 1000.0) };
    let busy = match rounds.iter().map(|round| round.busy).sum::<u64>() {
        0 => String::new(),
        busy => format!(" ({busy} were told to come back)"),
    };
    format!("{}/s, {cpu}{busy}", thousands(rate))
}

/// A number with a thin gap before its thousands.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len() {
        0..=3 if number < 10.0 => format!("{number:.1}"),
        0..=3 => digits,
        length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
    }
}
