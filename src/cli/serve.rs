//! `gatehouse serve`: the server, from the first line on the terminal to the last of the log.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::failure::Failure;
use super::output::Output;
use super::welcome;
use crate::app::{self, Running, StartError};
use crate::config::{Config, DatabaseEngine, Loaded};
use crate::domain::Seams;
use crate::telemetry::{self, LogGuard};

/// What `gatehouse serve` takes.
#[derive(Args)]
pub(super) struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) bind: Option<String>,
}

/// How long a start goes on trying to reach a database server that is not up yet.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a start that is under way may go on when it is told to stop.
const LAST_STEPS: Duration = Duration::from_secs(10);
/// How long a forced end waits for the log.
const FLUSH: Duration = Duration::from_millis(500);
/// What a forced end exits with: 128 and the number of SIGTERM.
const FORCED: i32 = 143;

pub(super) fn run(loaded: Loaded, out: Output) -> Result<ExitCode, Failure> {
    let logs = telemetry::init_logging(&loaded.config.logs).map_err(|why| Failure::Refused(why.to_string()))?;
    let config = Arc::new(loaded.config);
    let done = actix_web::rt::System::new().block_on(async {
        let mut signals = Signals::listen()?;
        let Some(running) = start(&config, &mut signals).await? else { return Ok(()) };
        running.core.metrics.watch_logs(logs.dropped());
        welcome::show(&running, out);
        signals.at_least(1).await;
        stop(running, &mut signals, logs).await;
        Ok::<_, Failure>(())
    });
    done.map(|()| ExitCode::SUCCESS)
}

/// Starts, and waits for a database server that is not up yet; nothing if it was told to stop.
async fn start(config: &Arc<Config>, signals: &mut Signals) -> Result<Option<Running>, Failure> {
    let waits = config.database.url.engine() == DatabaseEngine::Postgres;
    let begun = tokio::time::Instant::now();
    loop {
        let why = match attempt(config, signals).await {
            None => return Ok(None),
            Some(Ok(running)) => return Ok(Some(running)),
            Some(Err(why)) => why,
        };
        if !(waits && why.is_temporary() && begun.elapsed() < PATIENCE) {
            return Err(why.into());
        }
        tracing::warn!(%why, "the database server does not answer yet; trying again");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = signals.at_least(1) => return Ok(None),
        }
    }
}

/// One attempt; nothing if it was told to stop and the start did not come to its end.
async fn attempt(config: &Arc<Config>, signals: &mut Signals) -> Option<Result<Running, StartError>> {
    let starting = app::start(Arc::clone(config), Seams::default());
    tokio::pin!(starting);
    tokio::select! {
        started = &mut starting => Some(started),
        // A start that was let go half way could have made a password that nobody has seen.
        () = signals.at_least(1) => tokio::select! {
            started = tokio::time::timeout(LAST_STEPS, starting) => started.ok(),
            () = signals.at_least(2) => None,
        },
    }
}

/// Stops; a second signal ends the process at once.
async fn stop(running: Running, signals: &mut Signals, logs: LogGuard) {
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        () = signals.at_least(2) => {
            tracing::warn!("told to stop a second time: what is under way is cut off");
            end_now(logs)
        }
    }
}

/// Ends the process whatever is under way, with a moment for the log.
fn end_now(logs: LogGuard) -> ! {
    let (done, flushed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(logs);
        let _ = done.send(());
    });
    let _ = flushed.recv_timeout(FLUSH);
    std::process::exit(FORCED)
}

/// How often the process was told to stop.
struct Signals {
    seen: u8,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From here on signals no longer end the process by themselves.
    #[cfg(unix)]
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { seen: 0, terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, Failure> {
        Ok(Self { seen: 0 })
    }

    /// Waits until it was told that often since the beginning.
    async fn at_least(&mut self, times: u8) {
        while self.seen < times {
            #[cfg(unix)]
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            #[cfg(not(unix))]
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            self.seen += 1;
        }
    }
}
