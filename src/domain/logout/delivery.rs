//! Telling clients of sign-outs (OpenID Connect Back-Channel Logout §2.5): signed, posted, tried again.
//!
//! Each client has its own turn, so that one who answers slowly or not at all holds up nobody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::{Id, JoinSet};

use crate::crypto::jws;
use crate::domain::clients::LiveClient;
use crate::domain::core::Core;
use crate::domain::tenants::LiveTenant;
use crate::domain::{DomainError, clients, keys, subjects, tenants};
use crate::model::ids::{ClientId, TenantId};
use crate::model::logout::LogoutNotice;
use crate::storage::{logout_outbox, unscoped};

/// How many clients are told at once.
const AT_ONCE: usize = 32;
/// How many notices to one client are read at once.
const BATCH: u64 = 20;
/// How often the outbox is looked at where nobody rings.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after the first failed attempt; each later one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// How long a logout token is good for (Back-Channel Logout §2.4 wants it short).
const LIFE: Duration = Duration::from_secs(120);
/// What a logout token is about (Back-Channel Logout §2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whom a turn belongs to.
type Receiver = (TenantId, ClientId);

/// Tells whoever is to be told, for ever.
pub async fn deliver(core: Arc<Core>) {
    let metrics = core.metrics.job("logout_delivery");
    let mut turns: JoinSet<Result<(), DomainError>> = JoinSet::new();
    let mut served: HashMap<Id, Receiver> = HashMap::new();
    loop {
        match due(&core).await {
            Ok(due) => {
                metrics.succeeded(core.clock.now());
                for receiver in due {
                    if turns.len() < AT_ONCE && !served.values().any(|other| *other == receiver) {
                        let (core, whose) = (Arc::clone(&core), receiver.clone());
                        let turn = turns.spawn(async move { serve(&core, &whose).await });
                        served.insert(turn.id(), receiver);
                    }
                }
            }
            // What the database did not give will still be due.
            Err(_) => metrics.failures.increment(1),
        }
        tokio::select! {
            () = core.logouts.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            Some(done) = turns.join_next_with_id() => {
                let (id, outcome) = match done {
                    Ok((id, outcome)) => (id, outcome),
                    Err(why) => (why.id(), Err(DomainError::Defect(why.to_string()))),
                };
                served.remove(&id);
                if let Err(why) = outcome {
                    metrics.failures.increment(1);
                    tracing::warn!(%why, "telling a client of sign-outs failed and will be tried again");
                }
            }
        }
    }
}

async fn due(core: &Core) -> Result<Vec<Receiver>, DomainError> {
    // Twice as many as have a turn: those who wait for their next one hide nobody.
    let limit = u64::try_from(2 * AT_ONCE).unwrap_or(u64::MAX);
    Ok(unscoped::logout_receivers_due(core.db.watch(), core.clock.now(), limit).await?)
}

/// One client's turn: everything that is due, until something fails.
async fn serve(core: &Core, (tenant, client): &Receiver) -> Result<(), DomainError> {
    loop {
        let notices = logout_outbox::due(&core.db.read().of(*tenant), client, core.clock.now(), BATCH).await?;
        if notices.is_empty() {
            return Ok(());
        }
        for notice in notices {
            if take(core, &notice).await? {
                match tell(core, &notice).await? {
                    Told::Done => delete(core, notice).await?,
                    Told::Later => return postpone(core, notice).await,
                }
            }
        }
    }
}

enum Told {
    /// It knows, or never will.
    Done,
    /// It may be reached another time.
    Later,
}

async fn tell(core: &Core, notice: &LogoutNotice) -> Result<Told, DomainError> {
    let (tenant, client) = match parties(core, notice).await {
        Err(DomainError::NotFound(_)) => return Ok(Told::Done),
        other => other?,
    };
    let Some(uri) = &client.client.settings.backchannel_logout_uri else { return Ok(Told::Done) };
    let token = logout_token(core, &tenant, &client, notice).await?;
    let id = &notice.client;
    match core.outbound.post_form(uri, &[("logout_token", &token)]).await {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(Told::Done),
        // §2.8: it has understood and refuses; the same words again would change nothing.
        Ok(answer) if answer.status == 400 => {
            tracing::warn!(client = %id, "a client refused a logout token");
            Ok(Told::Done)
        }
        Ok(answer) => {
            tracing::info!(client = %id, status = answer.status, "a client could not be told of a sign-out");
            Ok(Told::Later)
        }
        Err(why) => {
            tracing::info!(client = %id, %why, "a client could not be told of a sign-out");
            Ok(Told::Later)
        }
    }
}

async fn parties(core: &Core, notice: &LogoutNotice) -> Result<(Arc<LiveTenant>, Arc<LiveClient>), DomainError> {
    let tenant = tenants::live(core, notice.tenant).await?;
    Ok((tenant, clients::live(core, notice.tenant, &notice.client).await?))
}

/// Back-Channel Logout §2.4: signed as the client's ID tokens are, of a type of its own, without nonce.
async fn logout_token(
    core: &Core,
    tenant: &LiveTenant,
    client: &LiveClient,
    notice: &LogoutNotice,
) -> Result<String, DomainError> {
    let now = core.clock.now();
    let claims = json!({
        "iss": tenant.issuer,
        "aud": notice.client.as_str(),
        "iat": now.seconds(),
        "exp": (now + LIFE).seconds(),
        "jti": core.entropy.uuid_v4().simple().to_string(),
        "sub": subjects::of(core, &client.client, notice.user)?,
        "sid": subjects::sid(core, &client.client, notice.session)?,
        "events": { EVENT: {} },
    });
    let ring = keys::keyring(core, notice.tenant).await?;
    let key = ring.signing(client.client.settings.id_token_signed_response_alg)?;
    Ok(jws::sign(key, jws::TYP_LOGOUT_TOKEN, &claims)?)
}

async fn take(core: &Core, notice: &LogoutNotice) -> Result<bool, DomainError> {
    let now = core.clock.now();
    let lease_ends = now + 2 * core.config.outbound.timeout + FIRST_PAUSE;
    core.db
        .write((notice.clone(), now, lease_ends), |tx, (notice, now, lease_ends)| {
            Box::pin(async move {
                Ok::<_, DomainError>(logout_outbox::take(&tx.of(notice.tenant), notice, *now, *lease_ends).await?)
            })
        })
        .await
}

async fn delete(core: &Core, notice: LogoutNotice) -> Result<(), DomainError> {
    core.db
        .write(notice, |tx, notice| {
            Box::pin(async move { Ok::<_, DomainError>(logout_outbox::delete(&tx.of(notice.tenant), notice).await?) })
        })
        .await
}

async fn postpone(core: &Core, notice: LogoutNotice) -> Result<(), DomainError> {
    let now = core.clock.now();
    let next_at = now + pause(notice.attempts);
    if next_at > notice.give_up_at {
        tracing::warn!(client = %notice.client, "a client was not told of a sign-out in all the time there was");
        return delete(core, notice).await;
    }
    core.db
        .write((notice, now, next_at), |tx, (notice, now, next_at)| {
            Box::pin(async move {
                Ok::<_, DomainError>(logout_outbox::postpone(&tx.of(notice.tenant), notice, *now, *next_at).await?)
            })
        })
        .await
}

/// How long after this many attempts before the one that has just failed.
fn pause(attempts_before: i32) -> Duration {
    let doublings = u32::try_from(attempts_before).unwrap_or(0).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<u64> = [0, 1, 2, 5, 6, 100].map(|n| pause(n).as_secs()).to_vec();
        assert_eq!(pauses, [10, 20, 40, 320, 600, 600]);
    }
}
