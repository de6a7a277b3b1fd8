//! Sign-out: the end of a session, what ends with it, and which clients are told.

mod delivery;

use super::core::Core;
use super::ctx::Ctx;
use super::error::DomainError;
use super::{clients, keys, subjects, tokens};
use crate::model::audit::Outcome;
use crate::model::ids::{SessionId, TenantId, UserId};
use crate::model::logout::LogoutNotice;
use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::storage::{TenantTx, logout_outbox, sessions, unscoped};

pub use delivery::deliver;

/// What the end of a session needs to know; made before the transaction.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    now: Timestamp,
    /// When the last access token from the session can have expired.
    tokens_until: Timestamp,
    /// How long clients are told again that can't be reached.
    give_up_at: Timestamp,
    reason: RevocationReason,
}

impl Ending {
    /// An end at this moment.
    pub(super) fn new(core: &Core, reason: RevocationReason) -> Self {
        let now = core.clock.now();
        let give_up_at = now + core.config.outbound.logout_retry_for;
        Self { now, tokens_until: now + keys::MAX_ACCESS_TOKEN_TTL, give_up_at, reason }
    }
}

/// Ends a session in a transaction that is open already: its tokens but those of `offline_access` end
/// with it, and every client that it signed in at and that wants to hear of it will (OpenID Connect
/// Back-Channel Logout §2.7). False if it had ended before. Whoever calls this rings `core.logouts`
/// after the commit, so that clients are told at once.
pub(super) async fn end_session(
    tx: &TenantTx<'_>,
    session: SessionId,
    user: UserId,
    ending: &Ending,
) -> Result<bool, DomainError> {
    let Ending { now, tokens_until, give_up_at, reason } = *ending;
    if !sessions::end(tx, session, now).await? {
        return Ok(false);
    }
    let families = crate::storage::tokens::revoke_families_of_session(tx, session, now, reason).await?;
    tokens::mark_ended(tx, &families, tokens_until).await?;
    for id in sessions::clients_of(tx, session).await? {
        let client = crate::storage::clients::find(tx, &id).await?;
        if client.is_some_and(|client| client.settings.backchannel_logout_uri.is_some()) {
            let notice = LogoutNotice {
                tenant: tx.tenant(),
                session,
                client: id,
                user,
                attempts: 0,
                give_up_at,
                created_at: now,
            };
            logout_outbox::insert(tx, &notice).await?;
        }
    }
    Ok(true)
}

/// Ends all sessions of a user, but one, in a transaction that is open already.
pub(super) async fn end_all_of_user(
    tx: &TenantTx<'_>,
    user: UserId,
    except: Option<SessionId>,
    ending: &Ending,
) -> Result<(), DomainError> {
    for session in sessions::open_of_user(tx, user).await? {
        if Some(session) != except {
            end_session(tx, session, user, ending).await?;
        }
    }
    Ok(())
}

/// Ends a session because its person wants it.
///
/// # Errors
/// The database is unavailable: then the person is still signed in.
pub async fn sign_out(ctx: &Ctx<'_>, session: &Session) -> Result<(), DomainError> {
    let detail = Some(format!("session:{}", session.id));
    let entry = ctx.audit("user.sign_out", Some(format!("user:{}", session.user)), Outcome::Success, detail);
    let ending = Ending::new(ctx.core, RevocationReason::SignedOut);
    ctx.core
        .db
        .write(
            (session.tenant, session.id, session.user, ending, entry),
            |tx, (tenant, session, user, ending, entry)| {
                Box::pin(async move {
                    if end_session(&tx.of(*tenant), *session, *user, ending).await? {
                        crate::storage::audit::append(tx, entry).await?;
                    }
                    Ok::<_, DomainError>(())
                })
            },
        )
        .await?;
    ctx.core.logouts.notify_one();
    Ok(())
}

/// Ends all sessions of a person, but perhaps the one in which they ask for it.
///
/// # Errors
/// As [`sign_out`].
pub async fn sign_out_everywhere(ctx: &Ctx<'_>, user: UserId, except: Option<SessionId>) -> Result<(), DomainError> {
    let entry = ctx.audit("user.sign_out_everywhere", Some(format!("user:{user}")), Outcome::Success, None);
    let ending = Ending::new(ctx.core, RevocationReason::SignedOut);
    ctx.core
        .db
        .write((ctx.tenant_id(), user, except, ending, entry), |tx, (tenant, user, except, ending, entry)| {
            Box::pin(async move {
                end_all_of_user(&tx.of(*tenant), *user, *except, ending).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(())
}

/// How many sessions one turn of the clean-up looks at.
const BATCH: u64 = 200;

/// Ends the sessions whose time is up, so that their clients hear of it; how many.
///
/// # Errors
/// The database is unavailable; what has ended stays so.
pub(super) async fn end_expired(core: &Core) -> Result<u64, DomainError> {
    let ending = Ending::new(core, RevocationReason::SignedOut);
    let mut total = 0;
    loop {
        let over = unscoped::sessions_expired(core.db.read(), ending.now, BATCH).await?;
        if over.is_empty() {
            return Ok(total);
        }
        for (tenant, session, user) in over {
            total += u64::from(expire(core, tenant, session, user, ending).await?);
        }
        core.logouts.notify_one();
    }
}

async fn expire(
    core: &Core,
    tenant: TenantId,
    session: SessionId,
    user: UserId,
    ending: Ending,
) -> Result<bool, DomainError> {
    core.db
        .write((tenant, session, user, ending), |tx, (tenant, session, user, ending)| {
            Box::pin(async move { end_session(&tx.of(*tenant), *session, *user, ending).await })
        })
        .await
}

/// What the sign-out page loads in frames, so that clients forget the session too (OpenID Connect
/// Front-Channel Logout §2).
///
/// # Errors
/// The database is unavailable.
pub async fn front_channel(ctx: &Ctx<'_>, session: &Session) -> Result<Vec<String>, DomainError> {
    let mut uris = Vec::new();
    for id in sessions::clients_of(&ctx.core.db.read().of(session.tenant), session.id).await? {
        let client = match clients::live(ctx.core, session.tenant, &id).await {
            Err(DomainError::NotFound(_)) => continue,
            other => other?,
        };
        let settings = &client.client.settings;
        let Some(mut uri) = settings.frontchannel_logout_uri.as_deref().and_then(|uri| url::Url::parse(uri).ok())
        else {
            continue;
        };
        if settings.frontchannel_logout_session_required {
            let sid = subjects::sid(ctx.core, &client.client, session.id)?;
            uri.query_pairs_mut().append_pair("iss", &ctx.tenant.issuer).append_pair("sid", &sid);
        }
        uris.push(uri.into());
    }
    Ok(uris)
}
