//! Caches that may be believed for a second, and how they learn that they may not.
//!
//! Every write that matters to a decision leaves a row in `changes`; every copy reads that feed
//! several times a second and forgets what it names. A cache is believed only while the last
//! successful reading is younger than [`LEASE`]: a copy that has lost the database believes nothing.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::changes::Change;
use super::error::StorageError;

/// How old the last reading of the feed may be.
pub const LEASE: Duration = Duration::from_secs(1);

/// How long the feed's question may stay unanswered until the database counts as gone, in milliseconds.
const LOST_MS: u64 = 1250;

/// The same for somebody who has waited for a second by then: the feed asks four times in one.
const IN_VAIN_MS: u64 = 750;

/// How often somebody who waits looks whether it is in vain.
const LOOK: Duration = Duration::from_millis(50);

/// A callback that drops what a change names.
type Listener = Box<dyn Fn(&Change) + Send + Sync>;

/// Whether caches may be believed, and who must hear of changes.
pub struct Freshness {
    started: Instant,
    /// Milliseconds after `started` at which the lease ends; zero before the first reading.
    believed_until: AtomicU64,
    /// Milliseconds after `started` at which the database was first asked in vain; zero while it answers.
    /// A process that stood still has asked nothing, and finds its database where it was.
    asked_at: AtomicU64,
    /// Rises with every change: what was read before it is not kept.
    epoch: AtomicU64,
    listeners: Mutex<Vec<Listener>>,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            believed_until: AtomicU64::new(0),
            asked_at: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            listeners: Mutex::default(),
        }
    }
}

impl Freshness {
    fn elapsed_ms(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// The feed is being read since `began`.
    pub fn ask(&self, began: Instant) {
        let at = self.elapsed_ms(began).max(1);
        let _ = self.asked_at.compare_exchange(0, at, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The feed was read to its end by a query that began at `began`.
    pub fn renew(&self, began: Instant) {
        self.believed_until.fetch_max(self.elapsed_ms(began + LEASE), Ordering::AcqRel);
        self.asked_at.store(0, Ordering::Release);
    }

    /// For how many milliseconds the database has left unanswered what it was asked, if it ever answered.
    fn unanswered_ms(&self, now: Instant) -> u64 {
        match self.asked_at.load(Ordering::Acquire) {
            asked if asked > 0 && self.believed_until.load(Ordering::Acquire) > 0 => {
                self.elapsed_ms(now).saturating_sub(asked)
            }
            _ => 0,
        }
    }

    /// Whether what is cached may be believed at this moment.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.elapsed_ms(Instant::now()) < self.believed_until.load(Ordering::Acquire)
    }

    /// Whether the database has not answered for a while: whoever would ask it now need not wait to hear
    /// that it is gone. The feed's own reading is what finds it again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.unanswered_ms(Instant::now()) > LOST_MS
    }

    /// Returns once somebody who waits since `began` waits in vain: the database is lost, or they have
    /// waited for a second and in all that time it was not heard of. A statement that is merely slow
    /// goes on, since the feed is still being read beside it.
    pub async fn given_up(&self, began: Instant) {
        let in_vain = || began.elapsed() >= LEASE && self.unanswered_ms(Instant::now()) > IN_VAIN_MS;
        while !self.is_lost() && !in_vain() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How long ago the feed was last read to its end; zero before the first reading.
    #[must_use]
    pub fn age(&self) -> Duration {
        let until = Duration::from_millis(self.believed_until.load(Ordering::Acquire));
        match until.checked_sub(LEASE) {
            Some(read) if !until.is_zero() => self.started.elapsed().saturating_sub(read),
            _ => Duration::ZERO,
        }
    }

    /// Has `listener` hear of every change from now on.
    pub fn listen(&self, listener: impl Fn(&Change) + Send + Sync + 'static) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Tells the listeners.
    pub fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            for listener in listeners.iter() {
                listener(change);
            }
        }
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }
}

/// A bounded cache of what was read, believed only while [`Freshness`] holds.
pub struct Fresh<K, V> {
    entries: Cache<K, V>,
    /// What was dropped lately, for [`Fresh::get_or_last`] alone.
    dropped: Cache<K, V>,
    freshness: std::sync::Arc<Freshness>,
}

impl<K, V> Fresh<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache of at most `capacity` entries, each dropped after ten minutes without use.
    #[must_use]
    pub fn new(freshness: std::sync::Arc<Freshness>, capacity: u64) -> Self {
        let cache = |capacity| Cache::builder().max_capacity(capacity).time_to_idle(Duration::from_secs(600)).build();
        Self { entries: cache(capacity), dropped: cache(capacity.min(1000)), freshness }
    }

    /// What is cached, or what `read` finds. It is kept only if nothing changed while it was read.
    ///
    /// # Errors
    /// Whatever `read` says; at once that the database is unavailable while it is known to be gone.
    pub async fn get<E: From<StorageError>>(&self, key: K, read: impl AsyncFnOnce(&K) -> Result<V, E>) -> Result<V, E> {
        if self.freshness.holds()
            && let Some(value) = self.entries.get(&key)
        {
            return Ok(value);
        }
        if self.freshness.is_lost() {
            return Err(StorageError::gone().into());
        }
        let epoch = self.freshness.epoch();
        let value = read(&key).await?;
        if self.freshness.epoch() == epoch {
            self.entries.insert(key, value.clone());
            // A change that came between the comparison and the insertion has found nothing to drop.
            if self.freshness.epoch() != epoch {
                self.entries.invalidate_all();
            }
        } else {
            self.dropped.insert(key, value.clone());
        }
        Ok(value)
    }

    /// Like [`Fresh::get`], but while the database is gone what was last known will do: for what is
    /// published anyway and decides nothing (metadata, public keys).
    ///
    /// # Errors
    /// As [`Fresh::get`].
    pub async fn get_or_last<E: From<StorageError>>(
        &self,
        key: K,
        read: impl AsyncFnOnce(&K) -> Result<V, E>,
    ) -> Result<V, E> {
        if !self.freshness.holds()
            && let Some(last) = self.entries.get(&key).or_else(|| self.dropped.get(&key))
        {
            return Ok(last);
        }
        self.get(key, read).await
    }

    /// Drops one entry.
    pub fn forget(&self, key: &K) {
        if let Some(value) = self.entries.remove(key) {
            self.dropped.insert(key.clone(), value);
        }
    }

    /// Drops every entry.
    pub fn forget_all(&self) {
        self.entries.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_without_an_answer_means_that_the_database_is_gone() {
        let freshness = Freshness::default();
        let second = |n: u64| freshness.started + Duration::from_secs(n);
        freshness.ask(second(1));
        assert_eq!(freshness.unanswered_ms(second(9)), 0, "it was never there");
        freshness.renew(second(1));
        assert_eq!(freshness.unanswered_ms(second(9)), 0, "nobody asked, however long that is ago");
        freshness.ask(second(10));
        freshness.ask(second(11));
        assert_eq!(freshness.unanswered_ms(second(12)), 2000, "since the first of them");
        freshness.renew(second(12));
        assert_eq!(freshness.unanswered_ms(second(13)), 0);
    }
}
