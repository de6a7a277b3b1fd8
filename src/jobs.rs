//! What runs beside requests: each job on its own, watched, and once over all copies where that
//! matters.

mod mail;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use crate::domain::upkeep::{self, Feed};
use crate::domain::{Core, DomainError, access_log, logout};
use crate::telemetry::JobMetrics;

/// How often the change feed is read: several times within the second that caches are believed.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often expired rows are deleted.
const CLEAN: Duration = Duration::from_secs(300);
/// How often keys are looked at.
const KEYS: Duration = Duration::from_secs(60);

/// The jobs that run; they end when this is dropped.
pub struct Jobs(Vec<JoinHandle<()>>);

impl Jobs {
    /// Starts all of them.
    #[must_use]
    pub fn start(core: &Arc<Core>) -> Self {
        let holder: Arc<str> = core.entropy.uuid_v4().to_string().into();
        Self(vec![
            tokio::spawn(follow(Arc::clone(core))),
            supervised("access_log", Arc::clone(core), access_log::write),
            supervised("mail", Arc::clone(core), mail::deliver),
            supervised("logout_delivery", Arc::clone(core), logout::deliver),
            every("clean_up", CLEAN, Arc::clone(core), Arc::clone(&holder), |core| {
                Box::pin(async move { upkeep::clean(&core).await.map(|_| ()) })
            }),
            every("keys", KEYS, Arc::clone(core), holder, |core| {
                Box::pin(async move { upkeep::advance_keys(&core).await })
            }),
        ])
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in &self.0 {
            job.abort();
        }
    }
}

type Run = std::pin::Pin<Box<dyn Future<Output = Result<(), DomainError>> + Send>>;

/// Runs `work` every so often on whichever copy holds the lease.
fn every(
    name: &'static str,
    period: Duration,
    core: Arc<Core>,
    holder: Arc<str>,
    work: impl Fn(Arc<Core>) -> Run + Send + Sync + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let metrics = core.metrics.job(name);
        // Copies that start together do not work together: each begins at a moment of its own.
        let spread = u64::from(u16::from_le_bytes(core.entropy.bytes())) % 1000;
        tokio::time::sleep(Duration::from_millis(200 + spread)).await;
        loop {
            let mine = upkeep::lease(&core, name, Arc::clone(&holder), period * 3).await;
            match mine {
                Ok(true) => {
                    // A task of its own: a panic costs one run, not the job.
                    let run = tokio::spawn(work(Arc::clone(&core))).await;
                    note(name, &core, &metrics, run.unwrap_or_else(|why| Err(DomainError::Defect(why.to_string()))));
                }
                Ok(false) => {}
                Err(why) => note(name, &core, &metrics, Err(why)),
            }
            tokio::time::sleep(period).await;
        }
    })
}

fn note(name: &'static str, core: &Core, metrics: &JobMetrics, outcome: Result<(), DomainError>) {
    match outcome {
        Ok(()) => metrics.succeeded(core.clock.now()),
        Err(why) => {
            metrics.failures.increment(1);
            tracing::warn!(job = name, %why, "a background job failed and will run again");
        }
    }
}

/// Runs a job that never ends by itself, again after a panic.
fn supervised<F, R>(name: &'static str, core: Arc<Core>, work: F) -> JoinHandle<()>
where
    F: Fn(Arc<Core>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        // What runs in it ends with it.
        let mut run = JoinSet::new();
        run.spawn(work(Arc::clone(&core)));
        while let Some(Err(why)) = run.join_next().await {
            core.metrics.panics.increment(1);
            tracing::error!(job = name, %why, "a background job panicked and starts again");
            tokio::time::sleep(Duration::from_secs(1)).await;
            run.spawn(work(Arc::clone(&core)));
        }
    })
}

/// Follows the change feed; what it can't read in time, caches do not answer from.
async fn follow(core: Arc<Core>) {
    let metrics = core.metrics.job("change_feed");
    let mut feed = Feed::default();
    let (mut turns, mut complained) = (0_u32, false);
    loop {
        let outcome = feed.follow(&core).await.map_err(DomainError::from);
        if let Err(why) = &outcome {
            if !complained {
                tracing::warn!(%why, "the database does not answer; nothing is served from caches until it does");
            }
            metrics.failures.increment(1);
        } else {
            metrics.succeeded(core.clock.now());
            if complained {
                tracing::info!("the database answers again");
            }
        }
        complained = outcome.is_err();
        turns = turns.wrapping_add(1);
        if turns % 4096 == 0 {
            let _ = upkeep::trim_feed(&core, feed.settled()).await;
        }
        tokio::time::sleep(FOLLOW).await;
    }
}
