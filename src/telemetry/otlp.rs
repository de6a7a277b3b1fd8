//! The log on its way to an OpenTelemetry collector, in builds with the feature `otlp`.
//!
//! Records wait in a bounded queue for one thread that sends them in batches. When the queue is
//! full, or the collector does not take a batch in time, records are dropped and counted; no
//! request ever waits. Everything that sending does happens on threads whose own log events are
//! never exported, so that no record can bring forth another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::logs::LogRecord as _;
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{LogExporter as OtlpExporter, Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord, SdkLogger,
    SdkLoggerProvider,
};
use opentelemetry_sdk::resource::EnvResourceDetector;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::logs::DroppedLines;
use crate::config::OtlpEndpoint;

/// What turns events into records for the collector.
pub(super) type Bridge = OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>;

/// How many records go into one request at most, and how long the first of them waits for others.
const BATCH: (usize, Duration) = (512, Duration::from_secs(1));
/// How long the collector may take to accept a connection, and to answer a request.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));
/// How long to wait before a batch is offered again that the collector could not take just now.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// How long the end waits for the collector.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts the thread that sends. Nothing is connected yet: a collector that is down costs records,
/// never the start.
pub(super) fn start(endpoint: &OtlpEndpoint, queue: u32, dropped: DroppedLines) -> Result<(Bridge, Export), String> {
    let (stop, stopping) = watch::channel(false);
    let collector = Collector { client: client(endpoint)?, failing: AtomicBool::new(false), stopping };
    let exporter = OtlpExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .build()
        .map_err(|why| why.to_string())?;
    let room = usize::try_from(queue).unwrap_or(usize::MAX);
    let waiting = Arc::new(AtomicUsize::new(0));
    let way_out = WayOut { exporter, runtime: runtime()?, waiting: Arc::clone(&waiting), dropped: dropped.clone() };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(room)
        .with_max_export_batch_size(BATCH.0)
        .with_scheduled_delay(BATCH.1)
        .build();
    let batches = BatchLogProcessor::builder(way_out).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_log_processor(WayIn { batches, waiting, room, dropped })
        .build();
    Ok((Bridge::new(&provider), Export { provider, stop }))
}

/// Who the records come from. `OTEL_RESOURCE_ATTRIBUTES` may add to it and name it otherwise.
fn resource() -> Resource {
    Resource::builder_empty()
        .with_service_name("gatehouse")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}

fn client(endpoint: &OtlpEndpoint) -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder()
        .connect_timeout(TIMEOUTS.0)
        .timeout(TIMEOUTS.1)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    // Without TLS there need not be any authorities on this machine.
    let client = if endpoint.is_encrypted() { client } else { client.tls_certs_only([]) };
    client.build().map_err(|why| with_causes(&why))
}

/// Where sending runs. The threads that it starts, for names that must be looked up, export nothing.
fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_start(|| std::mem::forget(Context::enter_telemetry_suppressed_scope()))
        .build()
        .map_err(|why| why.to_string())
}

/// Keeps the export; dropping it sends what is left in the queue, for which the collector gets two
/// seconds.
#[derive(Debug)]
pub(super) struct Export {
    provider: SdkLoggerProvider,
    stop: watch::Sender<bool>,
}

impl Drop for Export {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // What the collector did not take by now was written to standard error all the same.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
    }
}

/// Lets a record wait while there is room. The queue behind it is as long, so it never is full.
#[derive(Debug)]
struct WayIn {
    batches: BatchLogProcessor,
    /// Records in the queue or being sent.
    waiting: Arc<AtomicUsize>,
    room: usize,
    dropped: DroppedLines,
}

impl LogProcessor for WayIn {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.room {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.add(1);
            return;
        }
        if let Some(time) = record.observed_timestamp() {
            record.set_timestamp(time);
        }
        self.batches.emit(record, scope);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Sends batches, on the one thread that calls it.
#[derive(Debug)]
struct WayOut {
    exporter: OtlpExporter,
    runtime: Runtime,
    waiting: Arc<AtomicUsize>,
    dropped: DroppedLines,
}

impl LogExporter for WayOut {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let _nothing_from_here = Context::enter_telemetry_suppressed_scope();
        let records = batch.iter().count();
        let done = self.runtime.block_on(self.exporter.export(batch));
        if done.is_err() {
            self.dropped.add(u64::try_from(records).unwrap_or(u64::MAX));
        }
        self.waiting.fetch_sub(records, Ordering::Relaxed);
        done
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The collector, as a client sees it.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    failing: AtomicBool,
    stopping: watch::Receiver<bool>,
}

impl Collector {
    async fn offer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let answer = self.client.execute(request.clone().try_into()?).await?;
        let mut response = Response::default();
        *response.status_mut() = answer.status();
        if answer.status().is_success() {
            *response.body_mut() = answer.bytes().await?;
        }
        Ok(response)
    }

    /// Says once when it begins to fail, and once when it is over.
    fn tell(&self, answer: &Result<Response<Bytes>, reqwest::Error>) {
        let fault = match answer {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status())),
            Err(why) => Some(with_causes(why)),
        };
        let failed = self.failing.swap(fault.is_some(), Ordering::Relaxed);
        match fault {
            Some(why) if !failed => {
                tracing::warn!(why, "the collector does not take log records; what it misses is counted as dropped");
            }
            None if failed => tracing::info!("the collector takes log records again"),
            _ => {}
        }
    }

    /// Waits; not when the process ends.
    async fn pause(&self, time: Duration) {
        let mut stopping = self.stopping.clone();
        let _ = tokio::time::timeout(time, stopping.wait_for(|stopping| *stopping)).await;
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.offer(&request).await;
        self.tell(&answer);
        for pause in PAUSES {
            if !is_temporary(&answer) || *self.stopping.borrow() {
                break;
            }
            self.pause(pause).await;
            answer = self.offer(&request).await;
            self.tell(&answer);
        }
        answer.map_err(Into::into)
    }
}

/// What OTLP calls retryable.
fn is_temporary(answer: &Result<Response<Bytes>, reqwest::Error>) -> bool {
    match answer {
        Ok(response) => matches!(response.status().as_u16(), 429 | 502..=504),
        Err(why) => why.is_connect() || why.is_timeout() || why.is_request() || why.is_body(),
    }
}

/// An error with what it came from.
fn with_causes(why: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(why.source(), |why| why.source());
    causes.fold(why.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::config::Value as _;

    /// What the collector was sent: the request's first line, its content type and its body.
    type Taken = (String, String, Vec<u8>);

    /// A collector that answers each request with the next of these, and from then on with the last.
    fn collector(answers: &'static [u16]) -> (OtlpEndpoint, Receiver<Taken>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = OtlpEndpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (sender, taken) = channel();
        std::thread::spawn(move || {
            let mut answers = answers.iter().copied().chain(std::iter::repeat(*answers.last().unwrap()));
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(answer) = take(&mut stream, &sender, &mut answers) {
                    let head = format!("HTTP/1.1 {answer} X\r\ncontent-length: 0\r\n\r\n");
                    stream.get_mut().write_all(head.as_bytes()).unwrap();
                }
            }
        });
        (endpoint, taken)
    }

    /// Reads one request; nothing at the connection's end.
    fn take(
        stream: &mut BufReader<TcpStream>,
        taken: &Sender<Taken>,
        answers: &mut impl Iterator<Item = u16>,
    ) -> Option<u16> {
        let mut line = || {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
            Some(line.trim_end().to_owned())
        };
        let first = line()?;
        let (mut length, mut content_type) = (0, String::new());
        while let Some((name, value)) = line()?.split_once(": ") {
            match name {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => value.clone_into(&mut content_type),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let _ = taken.send((first, content_type, body));
        answers.next()
    }

    fn contains(body: &[u8], text: &str) -> bool {
        body.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Logs through a bridge of its own and ends it; says how many lines were dropped.
    fn export(endpoint: &OtlpEndpoint, queue: u32, log: impl FnOnce(&DroppedLines)) -> u64 {
        let dropped = DroppedLines::default();
        let (bridge, export) = start(endpoint, queue, dropped.clone()).unwrap();
        let subscriber = tracing_subscriber::registry().with(bridge);
        tracing::subscriber::with_default(subscriber, || log(&dropped));
        drop(export);
        dropped.count()
    }

    #[test]
    fn a_line_arrives_at_the_collector_when_the_log_ends() {
        let (endpoint, taken) = collector(&[200]);
        let dropped = export(&endpoint, 100, |_| tracing::info!(request_id = "req-1", "a line for the collector"));
        let (first, content_type, body) = taken.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(first, "POST /v1/logs HTTP/1.1");
        assert_eq!(content_type, "application/x-protobuf");
        for text in ["a line for the collector", "request_id", "req-1", "INFO", "service.name", "gatehouse"] {
            assert!(contains(&body, text), "{text}: {}", String::from_utf8_lossy(&body));
        }
        assert_eq!(dropped, 0);
    }

    #[test]
    fn what_the_collector_cannot_take_just_now_is_offered_again() {
        let (endpoint, taken) = collector(&[503, 200]);
        let dropped = export(&endpoint, 100, |_| tracing::info!("a line for later"));
        let twice: Vec<_> = taken.try_iter().map(|(_, _, body)| contains(&body, "a line for later")).collect();
        // The end does not wait before it offers a line for the last time.
        assert!(matches!(*twice, [true] | [true, true]), "{twice:?}");
        assert_eq!(dropped, u64::from(twice.len() == 1));

        let (endpoint, taken) = collector(&[503, 200]);
        let dropped = export(&endpoint, 100, |_| {
            tracing::info!("a line for later");
            for _ in 0..2 {
                let (_, _, body) = taken.recv_timeout(Duration::from_secs(10)).unwrap();
                assert!(contains(&body, "a line for later"));
            }
        });
        assert_eq!(dropped, 0);
    }

    #[test]
    fn what_it_refuses_is_counted_and_not_offered_again() {
        let (endpoint, taken) = collector(&[401]);
        let dropped = export(&endpoint, 100, |_| (0..3).for_each(|number| tracing::info!(number, "refused")));
        assert_eq!(dropped, 3);
        assert_eq!(taken.try_iter().count(), 1);
    }

    #[test]
    fn a_collector_that_stands_still_costs_lines_and_never_time() {
        // It takes connections, since the system does, and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = OtlpEndpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let begun = std::time::Instant::now();
        export(&endpoint, 16, |dropped| {
            (0..1000).for_each(|number| tracing::info!(number, "line"));
            assert_eq!(dropped.count(), 1000 - 16, "as many wait as fit into the queue");
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        });
        assert!(begun.elapsed() < PATIENCE + Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
