//! The public keys of clients, given by value or found at their `jwks_uri`.
//!
//! What was found there is believed for a minute. A signature that none of it has made has it
//! fetched again at once, so that a client may replace its keys when it likes (OpenID Connect Core
//! §10.1.1), but for each client at most once in [`PAUSE`], whatever strangers send in its name. Only
//! those who need the keys wait for them.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::LiveClient;
use crate::crypto::jwk::KeySet;
use crate::domain::Ctx;
use crate::model::ids::{ClientId, TenantId};
use crate::model::time::Timestamp;
use crate::outbound::Outbound;

/// How long fetched keys are believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// How long a client is left alone after it was asked, whatever came of it.
const PAUSE: Duration = Duration::from_secs(5);
/// How many clients' keys are kept.
const CAPACITY: u64 = 10_000;

/// What is known of the keys behind a `jwks_uri`.
#[derive(Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl Known {
    fn believed(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        self.keys.as_ref().filter(|(_, at)| is_within(*at, BELIEVED, now)).map(|(keys, _)| Arc::clone(keys))
    }
}

/// Whether less than `span` has passed; a clock that was set back counts as if all had.
fn is_within(since: Timestamp, span: Duration, now: Timestamp) -> bool {
    since <= now && now.since(since) < span
}

type Named = (TenantId, ClientId, String);

/// The keys of all clients that have a `jwks_uri`, each fetched when it is first needed.
pub(in crate::domain) struct RemoteKeys(Cache<Named, Arc<Mutex<Known>>>);

impl Default for RemoteKeys {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_idle(10 * BELIEVED).build())
    }
}

impl RemoteKeys {
    /// The keys at the address: those at hand, or, if there are none or `again`, what is there now.
    async fn at(&self, ctx: &Ctx<'_>, client: &LiveClient, uri: &str, again: bool) -> Option<Arc<KeySet>> {
        let name = (ctx.tenant_id(), client.client.id.clone(), uri.to_owned());
        let known = self.0.get_with(name, Arc::default).lock_owned().await;
        let now = ctx.now();
        let at_hand = known.believed(now);
        let left_alone = known.asked_at.is_some_and(|at| is_within(at, PAUSE, now));
        if left_alone || (at_hand.is_some() && !again) {
            return at_hand;
        }
        // A task of its own: what a caller who goes away has begun is finished for the next one.
        let asked = tokio::spawn(ask(ctx.core.outbound.clone(), uri.to_owned(), known, now));
        asked.await.ok().flatten()
    }
}

async fn ask(
    outbound: Outbound,
    uri: String,
    mut known: OwnedMutexGuard<Known>,
    now: Timestamp,
) -> Option<Arc<KeySet>> {
    match fetch(&outbound, &uri).await {
        Ok(keys) => known.keys = Some((Arc::new(keys), now)),
        // What is at hand goes on counting as long as it would have.
        Err(why) => tracing::warn!(uri, why, "a client's keys could not be fetched"),
    }
    known.asked_at = Some(now);
    known.believed(now)
}

async fn fetch(outbound: &Outbound, uri: &str) -> Result<KeySet, String> {
    let found = outbound.get(uri, "application/jwk-set+json, application/json").await.map_err(|why| why.to_string())?;
    if found.status != 200 {
        return Err(format!("the answer has status {}", found.status));
    }
    KeySet::parse(&found.body).map_err(|why| format!("what was found {why}"))
}

/// What `verify` makes of the client's keys. If those at hand do not do and there may be others by
/// now, it is asked once more about the new ones.
pub async fn verified<T>(ctx: &Ctx<'_>, client: &LiveClient, verify: impl Fn(&KeySet) -> Option<T>) -> Option<T> {
    let Some(uri) = &client.client.settings.jwks_uri else {
        return client.keys.as_ref().and_then(verify);
    };
    for again in [false, true] {
        let keys = ctx.core.remote_keys.at(ctx, client, uri, again).await?;
        if let Some(done) = verify(&keys) {
            return Some(done);
        }
    }
    None
}
