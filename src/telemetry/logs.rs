//! Logs that no request ever waits for.
//!
//! Lines go through a bounded queue to a thread that writes them. When whoever reads the log
//! stands still, the queue fills up and further lines are dropped and counted.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use crate::config::{LogConfig, LogFormat};

/// Why logging did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoggingError {
    /// The process already has somebody who takes its logs.
    #[error("this process already writes logs")]
    Already,
    /// The log can't be sent to a collector.
    #[cfg(feature = "otlp")]
    #[error("logs.otlp_endpoint: {0}")]
    Export(String),
}

/// Starts logging to standard error, for the whole process, and to a collector if there is one. The
/// lines still in the queue are written when the guard is dropped, for which a reader that stands
/// still gets two seconds, and then the collector as long.
///
/// # Errors
/// Says so when it was called before, or when the client for the collector can't be made.
pub fn init_logging(config: &LogConfig) -> Result<LogGuard, LoggingError> {
    let terminal = io::stderr().is_terminal();
    let (subscriber, guard) = subscriber(config, io::stderr(), terminal);
    #[cfg(feature = "otlp")]
    let (subscriber, guard) = exported(config, subscriber, guard)?;
    subscriber.try_init().map_err(|_| LoggingError::Already)?;
    Ok(guard)
}

/// The same logging, to the collector as well if there is one.
#[cfg(feature = "otlp")]
fn exported(
    config: &LogConfig,
    subscriber: impl Log,
    mut guard: LogGuard,
) -> Result<(impl Log, LogGuard), LoggingError> {
    let endpoint = config.otlp_endpoint.as_ref();
    let started = endpoint.map(|endpoint| super::otlp::start(endpoint, config.queue, guard.dropped()));
    let (layer, export) = started.transpose().map_err(LoggingError::Export)?.unzip();
    guard.export = export;
    Ok((subscriber.with(layer), guard))
}

/// What takes the events of a whole process.
trait Log: Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static {}
impl<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static> Log for S {}

/// Logging in the configured form to any writer.
fn subscriber(config: &LogConfig, out: impl Write + Send + 'static, terminal: bool) -> (impl Log, LogGuard) {
    let (writer, guard) = start_writer(out, config.queue);
    let filter = EnvFilter::builder().parse(config.filter.as_str()).unwrap_or_else(|_| EnvFilter::new("info"));
    let human = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let layer = if human {
        fmt::layer().with_ansi(terminal).with_writer(writer).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer).boxed()
    };
    (Registry::default().with(filter).with(layer), guard)
}

/// How many log lines were dropped so far, on the way to standard error or to a collector.
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Arc<AtomicU64>);

impl DroppedLines {
    /// The number.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts more.
    pub(super) fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }
}

enum Message {
    Line(Box<[u8]>),
    Stop,
}

/// Keeps the writing thread; dropping it writes, and exports, what is left in the queues.
#[derive(Debug)]
pub struct LogGuard {
    queue: SyncSender<Message>,
    stopped: Receiver<()>,
    dropped: DroppedLines,
    /// Ends after the queue has been written: standard error comes first.
    #[cfg(feature = "otlp")]
    export: Option<super::otlp::Export>,
}

impl LogGuard {
    /// Counts the lines that were dropped because nobody read them.
    #[must_use]
    pub fn dropped(&self) -> DroppedLines {
        self.dropped.clone()
    }
}

/// How often, and how long each time, the end waits for a reader that stands still.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(20));

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut asked = false;
        for _ in 0..PATIENCE.0 {
            asked = asked || !matches!(self.queue.try_send(Message::Stop), Err(TrySendError::Full(_)));
            if self.stopped.recv_timeout(PATIENCE.1) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
    }
}

/// Hands out writers that never wait.
#[derive(Clone)]
struct LogWriter {
    queue: SyncSender<Message>,
    dropped: DroppedLines,
}

fn start_writer(out: impl Write + Send + 'static, queue: u32) -> (LogWriter, LogGuard) {
    let (lines, waiting) = sync_channel(usize::try_from(queue).unwrap_or(usize::MAX).max(1));
    let (stopping, stopped) = channel();
    let dropped = DroppedLines::default();
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        write_lines(out, &waiting);
        // The guard may be gone already, and then nobody wants to know.
        let _ = stopping.send(());
    });
    // Without the thread every line finds the queue closed and counts as dropped.
    drop(thread);
    let writer = LogWriter { queue: lines.clone(), dropped: dropped.clone() };
    let guard = LogGuard {
        queue: lines,
        stopped,
        dropped,
        #[cfg(feature = "otlp")]
        export: None,
    };
    (writer, guard)
}

/// Writes whatever waits, as much of it at once as is there.
fn write_lines(mut out: impl Write, waiting: &Receiver<Message>) {
    const ENOUGH: usize = 64 * 1024;
    let mut batch = Vec::with_capacity(ENOUGH);
    let mut open = true;
    while open {
        let mut next = waiting.recv().unwrap_or(Message::Stop);
        loop {
            match next {
                Message::Line(line) => batch.extend_from_slice(&line),
                Message::Stop => open = false,
            }
            if !open || batch.len() >= ENOUGH {
                break;
            }
            match waiting.try_recv() {
                Ok(message) => next = message,
                Err(_) => break,
            }
        }
        // There is nobody left to tell that the log can't be written.
        let _ = out.write_all(&batch).and_then(|()| out.flush());
        batch.clear();
    }
}

/// One line on its way into the queue: the formatter writes each line at once.
struct Line<'a>(&'a LogWriter);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.queue.try_send(Message::Line(line.into())).is_err() {
            self.0.dropped.add(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Line<'a>;
    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A writer that keeps what it is given, and stands still while the gate is locked.
    #[derive(Clone, Default)]
    struct Sink {
        kept: Arc<Mutex<Vec<u8>>>,
        gate: Arc<Mutex<()>>,
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.kept.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open = self.gate.lock().unwrap();
            self.kept.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log_through(config: &LogConfig, sink: &Sink, terminal: bool, log: impl FnOnce()) {
        let (subscriber, guard) = subscriber(config, sink.clone(), terminal);
        tracing::subscriber::with_default(subscriber, log);
        drop(guard);
    }

    #[test]
    fn away_from_a_terminal_each_line_is_a_json_object_with_the_request_id() {
        let sink = Sink::default();
        log_through(&LogConfig::default(), &sink, false, || {
            let _request = tracing::info_span!("request", request_id = "req-1").entered();
            tracing::info!(status = 200, "answered");
            tracing::debug!("not logged at info");
        });
        let text = sink.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["status"], 200);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["request_id"], "req-1");
    }

    #[test]
    fn on_a_terminal_lines_are_for_people() {
        let sink = Sink::default();
        log_through(&LogConfig::default(), &sink, true, || tracing::warn!(disk = "full", "look here"));
        let text = sink.text();
        assert!(text.contains("look here") && !text.starts_with('{'), "{text}");
    }

    #[test]
    fn the_format_can_be_chosen_whatever_the_terminal() {
        for (format, json) in [(LogFormat::Human, false), (LogFormat::Json, true)] {
            for terminal in [false, true] {
                let sink = Sink::default();
                let config = LogConfig { format, ..LogConfig::default() };
                log_through(&config, &sink, terminal, || tracing::info!("a line"));
                assert_eq!(sink.text().starts_with('{'), json, "{format:?} {terminal}");
            }
        }
    }

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_never_time() {
        let sink = Sink::default();
        let config = LogConfig { queue: 16, ..LogConfig::default() };
        let (subscriber, guard) = subscriber(&config, sink.clone(), false);
        let dropped = guard.dropped();
        let stuck = sink.gate.lock().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..1000 {
                tracing::info!(number, "line");
            }
        });
        // At most the queue and one batch under way were taken.
        let lost = dropped.count();
        assert!((1..1000).contains(&lost), "{lost}");
        drop(stuck);
        drop(guard);
        let written = sink.text().lines().count();
        assert_eq!(u64::try_from(written).unwrap() + lost, 1000, "every line is written or counted");
    }

    #[test]
    fn the_end_does_not_wait_for_ever() {
        let sink = Sink::default();
        let config = LogConfig { queue: 16, ..LogConfig::default() };
        let (subscriber, guard) = subscriber(&config, sink.clone(), false);
        let stuck = sink.gate.lock().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..100 {
                tracing::info!("line");
            }
        });
        drop(guard);
        drop(stuck);
    }
}
