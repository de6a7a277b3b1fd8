//! Documents of others that are needed again and again: what a provider says of itself, its keys.
//!
//! Each is fetched when it is first needed, and again beside the requests once it has aged; until the new one
//! is there, the last good one goes on counting. Whoever could not be reached is left alone for a while: those
//! who need the document then hear so at once, and nobody else hears of it at all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use tokio::sync::OwnedMutexGuard;

use super::{Outbound, OutboundError};
use crate::model::time::{Clock, Timestamp};

/// How old a document may be before a new one is fetched beside the requests.
const FRESH: Duration = Duration::from_secs(600);
/// How long the last good one counts while no new one can be had.
const KEPT: Duration = Duration::from_secs(86_400);
/// How long an address is left alone after it was asked, whatever came of it.
const PAUSE: Duration = Duration::from_secs(10);
/// How many documents are kept.
const CAPACITY: u64 = 2_000;

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There was no answer.
    #[error(transparent)]
    Unanswered(#[from] OutboundError),
    /// The answer was no document.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer leads elsewhere.
    #[error("the answer is a redirect (status {0}), which is not followed")]
    Redirect(u16),
    /// The document is none of the wanted kind; says why.
    #[error("what was found is not usable: {0}")]
    Unusable(String),
}

/// Whether a document is of the wanted kind; else what is wrong with it.
pub type Check = fn(&[u8]) -> Result<(), String>;

/// The documents.
pub struct Documents {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    places: Cache<String, Arc<Place>>,
}

/// One address.
#[derive(Default)]
struct Place {
    known: Mutex<Known>,
    /// Held by who asks.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct Known {
    document: Option<(Bytes, Timestamp)>,
    /// When it was last asked, and why nothing came of it.
    asked: Option<(Timestamp, Option<DocumentError>)>,
}

impl Known {
    fn kept(&self, span: Duration, now: Timestamp) -> Option<Bytes> {
        self.document.as_ref().filter(|(_, at)| is_within(*at, span, now)).map(|(document, _)| document.clone())
    }

    /// What there is to say without asking, if it was asked a moment ago.
    fn lately(&self, now: Timestamp) -> Option<Result<Bytes, DocumentError>> {
        let (_, failure) = self.asked.as_ref().filter(|(at, _)| is_within(*at, PAUSE, now))?;
        match (self.kept(KEPT, now), failure) {
            (Some(document), _) => Some(Ok(document)),
            (None, Some(failure)) => Some(Err(failure.clone())),
            (None, None) => None,
        }
    }
}

/// Whether less than `span` has passed; a clock that was set back counts as if all had.
fn is_within(since: Timestamp, span: Duration, now: Timestamp) -> bool {
    since <= now && now.since(since) < span
}

impl Place {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Documents {
    /// None yet.
    #[must_use]
    pub fn new(outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        let places = Cache::builder().max_capacity(CAPACITY).time_to_idle(KEPT).build();
        Self { outbound, clock, places }
    }

    /// The document at an address: the one at hand, or, where there is none, what is there now.
    ///
    /// # Errors
    /// There is none, nor was a moment ago.
    pub async fn get(&self, url: &str, check: Check) -> Result<Bytes, DocumentError> {
        let place = self.place(url);
        let (known, now) = (place.known(), self.clock.now());
        if let Some(fresh) = known.kept(FRESH, now) {
            return Ok(fresh);
        }
        let Some(kept) = known.kept(KEPT, now) else { return self.wait(url, place, check).await };
        if known.lately(now).is_none()
            && let Ok(turn) = Arc::clone(&place.turn).try_lock_owned()
        {
            drop(self.ask(url, place, check, turn));
        }
        Ok(kept)
    }

    /// What is at the address now; the one at hand where it was asked a moment ago, however often strangers
    /// make one call this.
    ///
    /// # Errors
    /// As [`Documents::get`].
    pub async fn anew(&self, url: &str, check: Check) -> Result<Bytes, DocumentError> {
        self.wait(url, self.place(url), check).await
    }

    /// What is at the address at this moment, whatever is at hand; what is found counts from now on.
    ///
    /// # Errors
    /// There is none now.
    pub async fn now(&self, url: &str, check: Check) -> Result<Bytes, DocumentError> {
        // Nobody who signs in waits behind whoever looks.
        renew(&self.outbound, &*self.clock, url, &self.place(url), check).await
    }

    fn place(&self, url: &str) -> Arc<Place> {
        self.places.get_with_by_ref(url, Arc::default)
    }

    async fn wait(&self, url: &str, place: Arc<Place>, check: Check) -> Result<Bytes, DocumentError> {
        let turn = Arc::clone(&place.turn).lock_owned().await;
        // Whoever had the turn before may have brought it.
        if let Some(answer) = place.known().lately(self.clock.now()) {
            return answer;
        }
        let asked = self.ask(url, Arc::clone(&place), check, turn).await;
        let found = asked.unwrap_or_else(|why| Err(OutboundError::Unreachable(why.to_string()).into()));
        place.known().kept(KEPT, self.clock.now()).map_or(found, Ok)
    }

    /// A task of its own: what a caller who goes away has begun is finished for the next one.
    fn ask(
        &self,
        url: &str,
        place: Arc<Place>,
        check: Check,
        turn: OwnedMutexGuard<()>,
    ) -> tokio::task::JoinHandle<Result<Bytes, DocumentError>> {
        let (outbound, clock, url) = (self.outbound.clone(), Arc::clone(&self.clock), url.to_owned());
        tokio::spawn(async move {
            let found = renew(&outbound, &*clock, &url, &place, check).await;
            drop(turn);
            found
        })
    }
}

/// Asks, and notes what came of it.
async fn renew(
    outbound: &Outbound,
    clock: &dyn Clock,
    url: &str,
    place: &Place,
    check: Check,
) -> Result<Bytes, DocumentError> {
    let found = fetch(outbound, url, check).await;
    let now = clock.now();
    if let Err(why) = &found {
        tracing::warn!(url, %why, "a provider's document could not be fetched");
    }
    place.note(|known| {
        known.asked = Some((now, found.as_ref().err().cloned()));
        if let Ok(document) = &found {
            known.document = Some((document.clone(), now));
        }
    });
    found
}

async fn fetch(outbound: &Outbound, url: &str, check: Check) -> Result<Bytes, DocumentError> {
    let found = outbound.get(url, "application/json").await?;
    match found.status {
        200 => (),
        300..=399 => return Err(DocumentError::Redirect(found.status)),
        other => return Err(DocumentError::Status(other)),
    }
    check(&found.body).map_err(DocumentError::Unusable)?;
    Ok(found.body)
}
