//! What must be done again and again: following the change feed, cleaning up, advancing keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::ctx::{Ctx, Origin};
use super::error::DomainError;
use super::{keys, logout, tenants};
use crate::model::audit::Actor;
use crate::storage::{StorageError, access_log, audit, changes, leases, unscoped};

/// How long a row of the feed may take to become visible after a later one: longer than any
/// transaction lives.
const SETTLED: Duration = Duration::from_secs(15);
/// How many rows are read at once.
const BATCH: u64 = 1000;
/// How long the row of an ended token family is kept, so that a replay is still recognised.
const KEEP_ENDED: Duration = Duration::from_secs(7 * 86_400);
/// How many rows one transaction of the clean-up deletes.
const SWEEP: u64 = 500;

/// Where a copy stands in the change feed.
///
/// Numbers are drawn before a transaction commits, so a lower one may become visible after a higher
/// one. Rows are therefore read again until they have settled, and what was seen is remembered.
#[derive(Default)]
pub struct Feed {
    /// Everything up to here has settled and was seen.
    settled: i64,
    /// What was seen above it, and when.
    seen: BTreeMap<i64, Instant>,
    started: bool,
}

impl Feed {
    /// Reads the feed to its end, drops from the caches what it names, and renews their lease.
    ///
    /// # Errors
    /// The database is unavailable: then the lease runs out.
    pub async fn follow(&mut self, core: &Core) -> Result<(), StorageError> {
        let began = Instant::now();
        core.db.freshness().ask(began);
        if !self.started {
            // Nothing is cached yet that an older row could name.
            self.settled =
                changes::newest(core.db.watch()).await?.saturating_sub(i64::try_from(BATCH).unwrap_or(0)).max(0);
            self.started = true;
        }
        let mut after = self.settled;
        loop {
            let rows = changes::since(core.db.watch(), after, BATCH).await?;
            let full = u64::try_from(rows.len()).unwrap_or(0) == BATCH;
            let mut news = Vec::new();
            for (seq, change) in rows {
                after = seq;
                if let std::collections::btree_map::Entry::Vacant(entry) = self.seen.entry(seq) {
                    entry.insert(began);
                    news.push(change);
                }
            }
            core.db.freshness().apply(&news);
            if !full {
                break;
            }
        }
        core.db.freshness().renew(began);
        while let Some(first) = self.seen.first_entry() {
            if began.saturating_duration_since(*first.get()) < SETTLED {
                break;
            }
            self.settled = *first.key();
            first.remove();
        }
        Ok(())
    }

    /// Everything up to this number may be forgotten by this copy.
    #[must_use]
    pub const fn settled(&self) -> i64 {
        self.settled
    }
}

/// Deletes what has expired, in small transactions; how many rows.
///
/// # Errors
/// The database is unavailable; what was deleted stays deleted.
pub async fn clean(core: &Core) -> Result<u64, DomainError> {
    let now = core.clock.now();
    let mut total = logout::end_expired(core).await?;
    loop {
        let gone = core
            .db
            .write(now, |tx, now| {
                Box::pin(
                    async move { Ok::<_, DomainError>(unscoped::delete_expired(tx, *now, KEEP_ENDED, SWEEP).await?) },
                )
            })
            .await?;
        total += gone;
        if gone == 0 {
            break;
        }
    }
    for (kind, retention) in
        [(Log::Access, core.config.access_log.retention), (Log::Audit, core.config.audit.retention)]
    {
        if !retention.is_zero() {
            total += clean_log(core, kind, retention).await?;
        }
    }
    Ok(total)
}

#[derive(Clone, Copy)]
enum Log {
    Access,
    Audit,
}

async fn clean_log(core: &Core, log: Log, retention: Duration) -> Result<u64, DomainError> {
    let before = core.clock.now() - retention;
    let mut total = 0;
    loop {
        let gone = core
            .db
            .write((log, before), |tx, (log, before)| {
                Box::pin(async move {
                    Ok::<_, DomainError>(match log {
                        Log::Access => access_log::delete_before(tx, *before, SWEEP).await?,
                        Log::Audit => audit::delete_before(tx, *before, SWEEP).await?,
                    })
                })
            })
            .await?;
        total += gone;
        if gone < SWEEP {
            return Ok(total);
        }
    }
}

/// Forgets rows of the feed that every copy has long seen.
///
/// # Errors
/// The database is unavailable.
pub async fn trim_feed(core: &Core, settled: i64) -> Result<u64, DomainError> {
    // Copies poll several times a second; a hundred thousand rows are hours of changes.
    let keep_from = settled.saturating_sub(100_000);
    core.db
        .write(keep_from, |tx, seq| Box::pin(async move { Ok::<_, DomainError>(changes::forget(tx, *seq).await?) }))
        .await
}

/// One turn of the key state machine for every tenant whose keys want one.
///
/// # Errors
/// The database is unavailable; what was done so far stays.
pub async fn advance_keys(core: &Core) -> Result<(), DomainError> {
    let (aged, faded) = keys::due(core);
    let mut after = None;
    loop {
        let batch = unscoped::tenants_with_keys_due(core.db.read(), aged, faded, after, 100).await?;
        let Some(last) = batch.last().copied() else { return Ok(()) };
        for id in batch {
            let tenant = match tenants::live(core, id).await {
                Err(DomainError::NotFound(_)) => continue,
                other => other?,
            };
            keys::advance(&Ctx::new(core, tenant, Actor::System, Origin::default())).await?;
        }
        after = Some(last);
    }
}

/// Takes or keeps the lease on a job for `holder`; false while another copy has it.
///
/// # Errors
/// The database is unavailable.
pub async fn lease(core: &Core, name: &'static str, holder: Arc<str>, life: Duration) -> Result<bool, DomainError> {
    let now = core.clock.now();
    let taken = core
        .db
        .write((name, holder, now, now + life), |tx, (name, holder, now, until)| {
            Box::pin(async move { Ok::<_, DomainError>(leases::take(tx, name, holder, *now, *until).await?) })
        })
        .await?;
    Ok(taken.is_some())
}
