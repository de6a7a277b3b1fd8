//! Counters, gauges and histograms in the Prometheus text format.
//!
//! Everything is registered when the application starts, so that counting on the request path is
//! an atomic addition on a handle. Labels come from fixed lists: whatever a caller sends, the
//! number of series stays bounded.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::logs::DroppedLines;
use crate::model::time::Timestamp;

/// Upper bounds of the latency buckets in seconds, from a token for a machine to a slow upstream.
const BUCKETS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The metrics of one application.
pub struct Metrics {
    maker: Maker,
    /// Requests.
    pub http: HttpMetrics,
    /// Tokens.
    pub tokens: TokenMetrics,
    /// Sign-ins by outcome: `success`, `failure`, `locked`, `second_factor`.
    pub sign_ins: ByLabel,
    /// Requests refused by a limit, by the limit's key without `limits.`.
    pub rate_limited: ByLabel,
    /// Mails by what became of an attempt: `sent`, `failed` (it is tried again), `dropped`.
    pub mails: ByLabel,
    /// Password hashing.
    pub hashing: HashMetrics,
    /// The database pool.
    pub database: DatabaseMetrics,
    access_log_shed: Counter,
    /// Requests and tasks that panicked.
    pub panics: Counter,
    /// Seconds since the change feed was last read to its end; caches are believed for one.
    pub change_feed_lag: Gauge,
    log_lines_dropped: Counter,
    logs: OnceLock<DroppedLines>,
    jobs: RwLock<Vec<(&'static str, JobMetrics)>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Registers everything, independent of any other instance in the process.
    #[must_use]
    pub fn new() -> Self {
        // An empty list of buckets is all that is refused; without buckets there are quantiles.
        let builder = PrometheusBuilder::new();
        let builder = builder
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let maker = Maker { handle: recorder.handle(), recorder, undrained: Arc::default() };
        maker.gauge("build_info", "The version that runs.", &[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        Self {
            http: HttpMetrics::new(&maker),
            tokens: TokenMetrics {
                issued: maker.by_label(
                    "tokens_issued_total",
                    "Tokens issued, by grant type or way of signing in.",
                    "grant",
                    &[
                        "client_credentials",
                        "authorization_code",
                        "refresh_token",
                        "password",
                        "device_code",
                        "token_exchange",
                        "sign_in",
                        "on_behalf",
                        "saml",
                    ],
                ),
                failures: maker.by_label(
                    "token_failures_total",
                    "Refused token requests, by error code.",
                    "error",
                    &[
                        "invalid_client",
                        "invalid_grant",
                        "invalid_request",
                        "invalid_scope",
                        "invalid_target",
                        "unauthorized_client",
                        "unsupported_grant_type",
                        "authorization_pending",
                        "slow_down",
                        "expired_token",
                        "access_denied",
                        "temporarily_unavailable",
                    ],
                ),
            },
            sign_ins: maker.by_label(
                "sign_ins_total",
                "Sign-ins with a password, by outcome.",
                "outcome",
                &["success", "failure", "locked", "second_factor"],
            ),
            rate_limited: maker.by_label(
                "rate_limited_total",
                "Requests refused by a limit.",
                "limit",
                &["registration", "sign_up", "login", "token_failures", "key_failures", "codes", "mail"],
            ),
            mails: maker.by_label(
                "mails_total",
                "Attempts to send a mail, by what became of them.",
                "outcome",
                &["sent", "failed", "dropped"],
            ),
            hashing: HashMetrics {
                waiting: maker.gauge("password_hash_waiting", "Password hashes waiting for their turn.", &[]),
                running: maker.gauge("password_hash_running", "Password hashes being computed.", &[]),
                refused: maker.counter(
                    "password_hash_refused_total",
                    "Password hashes refused because too many waited, or waited too long.",
                    &[],
                ),
                seconds: maker.histogram(
                    "password_hash_seconds",
                    "Time from asking for a password hash to having it, the waiting included.",
                    &[],
                ),
            },
            database: DatabaseMetrics {
                size: maker.gauge("database_pool_size", "Open database connections.", &[]),
                idle: maker.gauge("database_pool_idle", "Open database connections that are not in use.", &[]),
                acquire_timeouts: maker.counter(
                    "database_acquire_timeouts_total",
                    "Requests that got no database connection in time.",
                    &[],
                ),
            },
            access_log_shed: maker.counter("access_log_shed_total", "Rows of the access log that were shed.", &[]),
            panics: maker.counter("panics_total", "Requests and tasks that panicked.", &[]),
            change_feed_lag: maker.gauge(
                "change_feed_lag_seconds",
                "Seconds since the change feed was last read to its end.",
                &[],
            ),
            log_lines_dropped: maker.counter(
                "log_lines_dropped_total",
                "Log lines dropped because nobody read them.",
                &[],
            ),
            logs: OnceLock::new(),
            jobs: RwLock::default(),
            maker,
        }
    }

    /// A row of the access log was shed.
    pub fn access_log_shed(&self) {
        self.access_log_shed.increment(1);
    }

    /// A sign-in failed.
    pub fn login_failed(&self) {
        self.sign_ins.count("failure");
    }

    /// Shows how many log lines were dropped.
    pub fn watch_logs(&self, dropped: DroppedLines) {
        // The first one stays: a process has one log.
        let _ = self.logs.set(dropped);
    }

    /// The metrics of a background job; made at the first call.
    pub fn job(&self, name: &'static str) -> JobMetrics {
        let find = |jobs: &[(&'static str, JobMetrics)]| {
            jobs.iter().find(|(known, _)| *known == name).map(|(_, job)| job.clone())
        };
        if let Some(job) = find(&self.jobs.read().unwrap_or_else(PoisonError::into_inner)) {
            return job;
        }
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = find(&jobs) {
            return job;
        }
        let label = [("job", name)];
        let job = JobMetrics {
            last_success: self.maker.gauge(
                "job_last_success_timestamp",
                "When a background job last succeeded, in seconds since 1970.",
                &label,
            ),
            failures: self.maker.counter("job_failures_total", "Failed runs of a background job.", &label),
        };
        jobs.push((name, job.clone()));
        job
    }

    /// Everything in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        if let Some(dropped) = self.logs.get() {
            self.log_lines_dropped.absolute(dropped.count());
        }
        self.http.in_flight.set(self.http.under_way());
        self.maker.handle.render()
    }
}

/// Requests.
pub struct HttpMetrics {
    /// Requests being answered. Counted here and put into the gauge when somebody asks: a plain
    /// addition costs cores that share it less than the gauge's exchange of floating-point bits.
    under_way: AtomicI32,
    in_flight: Gauge,
    surfaces: Vec<SurfaceMetrics>,
}

struct SurfaceMetrics {
    seconds: Observed,
    /// By method, then by class of the status.
    requests: Vec<Counter>,
}

/// The methods that are told apart; the last one stands for all others.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "other"];
/// The classes of status codes; the last one stands for all others.
const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

impl HttpMetrics {
    fn new(maker: &Maker) -> Self {
        let surfaces = Surface::ALL
            .iter()
            .map(|surface| SurfaceMetrics {
                seconds: maker.histogram(
                    "http_request_seconds",
                    "Time to answer a request.",
                    &[("surface", surface.as_str())],
                ),
                requests: METHODS
                    .iter()
                    .flat_map(|method| CLASSES.iter().map(move |class| (*method, *class)))
                    .map(|(method, class)| {
                        maker.counter(
                            "http_requests_total",
                            "Requests answered.",
                            &[("surface", surface.as_str()), ("method", method), ("status", class)],
                        )
                    })
                    .collect(),
            })
            .collect();
        Self {
            under_way: AtomicI32::new(0),
            in_flight: maker.gauge("http_requests_in_flight", "Requests being answered.", &[]),
            surfaces,
        }
    }

    /// A request has come in.
    pub fn enter(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that came in is done with, answered or not.
    pub fn leave(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many requests came in and are not done with.
    #[must_use]
    pub fn under_way(&self) -> i32 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Counts an answered request.
    pub fn record(&self, surface: Surface, method: &str, status: u16, elapsed: Duration) {
        let Some(metrics) = self.surfaces.get(surface as usize) else {
            return;
        };
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let class = match status {
            200..=299 => 0,
            300..=399 => 1,
            400..=499 => 2,
            500..=599 => 3,
            _ => CLASSES.len() - 1,
        };
        if let Some(counter) = metrics.requests.get(method * CLASSES.len() + class) {
            counter.increment(1);
        }
        metrics.seconds.observe(elapsed);
    }
}

macro_rules! surfaces {
    ($($(#[$meta:meta])* $variant:ident = $text:literal,)+) => {
        /// A part of the HTTP surface, as the label of its metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Surface { $($(#[$meta])* $variant,)+ }

        impl Surface {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

surfaces! {
    /// `/oauth/*` and `/.well-known/*`.
    OAuth = "oauth",
    /// The hosted pages.
    Pages = "pages",
    /// `/console`.
    Console = "console",
    /// `/v1/*`.
    Idaas = "idaas",
    /// `/api/auth`, `/api/sso`, `/api/external`.
    Workspace = "workspace",
    /// `/api/admin/v1/*`.
    Admin = "admin",
    /// `/api/internal/*`.
    Control = "control",
    /// `/api/v1/*`.
    Rbac = "rbac",
    /// `/auth/*`.
    Member = "member",
    /// `/internal/*`.
    Handoff = "handoff",
    /// `/health`, `/readyz`, `/metrics`.
    Operator = "operator",
    /// Whatever belongs to none of them.
    Other = "other",
}

/// Tokens.
pub struct TokenMetrics {
    /// Tokens issued, by grant type (its last part: `token_exchange`), or `sign_in`, `on_behalf`,
    /// `saml`.
    pub issued: ByLabel,
    /// Refused token requests, by error code.
    pub failures: ByLabel,
}

/// Password hashing.
pub struct HashMetrics {
    /// How many wait for their turn.
    pub waiting: Gauge,
    /// How many are being computed.
    pub running: Gauge,
    /// How many were refused because too many waited, or waited too long.
    pub refused: Counter,
    /// How long it takes from asking to the answer, the waiting included.
    pub seconds: Observed,
}

impl HashMetrics {
    /// Takes over what the pool says of itself, when somebody asks for the metrics.
    pub fn set(&self, waiting: usize, running: usize, refused: u64) {
        self.waiting.set(u32::try_from(waiting).unwrap_or(u32::MAX));
        self.running.set(u32::try_from(running).unwrap_or(u32::MAX));
        self.refused.absolute(refused);
    }
}

/// The database pool.
pub struct DatabaseMetrics {
    /// Open connections.
    pub size: Gauge,
    /// Open connections that are not in use.
    pub idle: Gauge,
    /// Requests that got no connection in time.
    pub acquire_timeouts: Counter,
}

/// A background job.
#[derive(Clone)]
pub struct JobMetrics {
    last_success: Gauge,
    /// Failed runs.
    pub failures: Counter,
}

impl JobMetrics {
    /// Notes that it succeeded.
    pub fn succeeded(&self, at: Timestamp) {
        self.last_success.set(u32::try_from(at.seconds()).map_or(0.0, f64::from));
    }
}

/// One counter for each of a fixed list of labels, and one for all the rest.
pub struct ByLabel {
    known: Vec<(&'static str, Counter)>,
    other: Counter,
}

impl ByLabel {
    /// The label's counter.
    pub fn get(&self, label: &str) -> &Counter {
        self.known.iter().find(|(known, _)| *known == label).map_or(&self.other, |(_, counter)| counter)
    }

    /// Counts one.
    pub fn count(&self, label: &str) {
        self.get(label).increment(1);
    }
}

/// How many observations are kept before they are put into their buckets.
const UNDRAINED: usize = 16_384;

/// A histogram of times. Observations are kept singly until somebody asks for the metrics; when
/// nobody does, every 16,384th observation puts them into their buckets, so that memory is bounded
/// without a background job.
#[derive(Clone)]
pub struct Observed {
    histogram: Histogram,
    handle: PrometheusHandle,
    undrained: Arc<AtomicUsize>,
}

impl Observed {
    /// Takes one observation.
    pub fn observe(&self, time: Duration) {
        self.histogram.record(time.as_secs_f64());
        if self.undrained.fetch_add(1, Ordering::Relaxed) % UNDRAINED == UNDRAINED - 1 {
            self.handle.run_upkeep();
        }
    }
}

/// Makes metrics of one registry.
struct Maker {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    undrained: Arc<AtomicUsize>,
}

/// What the recorder wants to know about where a metric comes from.
const METADATA: Metadata<'static> = Metadata::new("gatehouse", Level::INFO, None);

impl Maker {
    fn key(name: &str, labels: &[(&'static str, &'static str)]) -> (Key, KeyName) {
        let name = format!("gatehouse_{name}");
        let labels: Vec<_> = labels.iter().map(|(name, value)| Label::from_static_parts(name, value)).collect();
        (Key::from_parts(name.clone(), labels), KeyName::from(name))
    }

    fn counter(&self, name: &str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Counter {
        let (key, name) = Self::key(name, labels);
        self.recorder.describe_counter(name, None, SharedString::const_str(help));
        self.recorder.register_counter(&key, &METADATA)
    }

    fn gauge(&self, name: &str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Gauge {
        let (key, name) = Self::key(name, labels);
        self.recorder.describe_gauge(name, None, SharedString::const_str(help));
        self.recorder.register_gauge(&key, &METADATA)
    }

    fn histogram(&self, name: &str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Observed {
        let (key, name) = Self::key(name, labels);
        self.recorder.describe_histogram(name, Some(Unit::Seconds), SharedString::const_str(help));
        Observed {
            histogram: self.recorder.register_histogram(&key, &METADATA),
            handle: self.handle.clone(),
            undrained: Arc::clone(&self.undrained),
        }
    }

    fn by_label(
        &self,
        name: &str,
        help: &'static str,
        label: &'static str,
        values: &'static [&'static str],
    ) -> ByLabel {
        let counter = |value| self.counter(name, help, &[(label, value)]);
        ByLabel { known: values.iter().map(|value| (*value, counter(value))).collect(), other: counter("other") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of the series whose line starts so.
    fn value(text: &str, series: &str) -> Option<f64> {
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::new();
        metrics.http.enter();
        metrics.http.enter();
        metrics.http.leave();
        metrics.http.record(Surface::OAuth, "POST", 200, Duration::from_millis(3));
        metrics.http.record(Surface::OAuth, "POST", 503, Duration::from_millis(3));
        metrics.http.record(Surface::Idaas, "BREW", 42, Duration::from_millis(3));
        metrics.tokens.issued.count("client_credentials");
        metrics.tokens.failures.count("made up by a caller");
        metrics.hashing.waiting.increment(2);
        metrics.hashing.waiting.decrement(1);
        metrics.panics.increment(1);
        metrics.job("clean-up").failures.increment(1);
        metrics.job("clean-up").failures.increment(1);
        metrics.job("clean-up").succeeded(Timestamp::from_millis(1_800_000_000_000));
        let text = metrics.render();
        for (series, expected) in [
            (r#"gatehouse_http_requests_total{surface="oauth",method="POST",status="2xx"}"#, 1.0),
            (r#"gatehouse_http_requests_total{surface="oauth",method="POST",status="5xx"}"#, 1.0),
            (r#"gatehouse_http_requests_total{surface="idaas",method="other",status="other"}"#, 1.0),
            (r#"gatehouse_http_request_seconds_bucket{surface="oauth",le="0.0025"}"#, 0.0),
            (r#"gatehouse_http_request_seconds_bucket{surface="oauth",le="0.005"}"#, 2.0),
            (r#"gatehouse_http_request_seconds_count{surface="oauth"}"#, 2.0),
            (r#"gatehouse_tokens_issued_total{grant="client_credentials"}"#, 1.0),
            (r#"gatehouse_token_failures_total{error="other"}"#, 1.0),
            ("gatehouse_http_requests_in_flight", 1.0),
            ("gatehouse_password_hash_waiting", 1.0),
            ("gatehouse_panics_total", 1.0),
            (r#"gatehouse_job_failures_total{job="clean-up"}"#, 2.0),
            (r#"gatehouse_job_last_success_timestamp{job="clean-up"}"#, 1_800_000_000.0),
        ] {
            assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
        }
        assert!(text.contains("# TYPE gatehouse_http_requests_total counter"), "{text}");
        assert!(text.contains("# TYPE gatehouse_http_request_seconds histogram"), "{text}");
        assert!(!text.contains("made up"), "labels come from fixed lists");
    }

    #[test]
    fn two_applications_in_one_process_count_apart() {
        let (one, two) = (Metrics::new(), Metrics::new());
        one.panics.increment(1);
        assert_eq!(value(&one.render(), "gatehouse_panics_total"), Some(1.0));
        assert_eq!(value(&two.render(), "gatehouse_panics_total"), Some(0.0));
    }

    #[test]
    fn observations_that_nobody_asks_for_do_not_pile_up() {
        let metrics = Metrics::new();
        for _ in 0..(3 * UNDRAINED + 5) {
            metrics.http.record(Surface::OAuth, "POST", 200, Duration::from_millis(1));
        }
        assert_eq!(
            value(&metrics.render(), r#"gatehouse_http_request_seconds_count{surface="oauth"}"#),
            Some((3 * UNDRAINED + 5) as f64)
        );
    }

    #[test]
    fn dropped_log_lines_show() {
        let metrics = Metrics::new();
        metrics.watch_logs(DroppedLines::default());
        assert_eq!(value(&metrics.render(), "gatehouse_log_lines_dropped_total"), Some(0.0));
    }
}
