//! Browser sessions: begun at a sign-in, raised by further proofs, each time under a new cookie.

use std::time::Duration;

use super::ctx::Ctx;
use super::error::DomainError;
use super::users;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::ids::{SessionId, UserId};
use crate::model::secret::Secret;
use crate::model::session::{Factor, Proof, Session};
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::sessions::{self, Raised};

/// How often a session's use is written down.
const TOUCH: Duration = Duration::from_secs(60);

/// The browser that a request comes from.
#[derive(Clone, Debug)]
pub struct Browser {
    /// SHA-256 of its own cookie, by which it is known again.
    pub digest: [u8; 32],
    /// What it calls itself.
    pub user_agent: Option<String>,
}

/// A session with the cookie that leads to it, in the clear for the one time.
pub struct Entered {
    /// The session.
    pub session: Session,
    /// `ghv_…`.
    pub cookie: Secret<String>,
}

/// The session of a cookie, if it has neither ended nor expired and its person may still sign in.
/// One that waits for a second factor is among them.
///
/// # Errors
/// The database is unavailable.
pub async fn find(ctx: &Ctx<'_>, cookie: &str) -> Result<Option<Session>, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::Session, cookie) else { return Ok(None) };
    let found = sessions::find_by_digest(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes()).await?;
    let now = ctx.now();
    let live = |session: &Session| session.ended_at.is_none() && session.expires_at > now && session.ends_at > now;
    let Some(session) = found.filter(live) else { return Ok(None) };
    match users::state(ctx.core, ctx.tenant_id(), session.user).await {
        Ok(state) if state.enabled => {}
        Ok(_) | Err(DomainError::NotFound(_)) => return Ok(None),
        Err(other) => return Err(other),
    }
    if now.since(session.seen_at) >= TOUCH {
        touch(ctx, &session).await?;
    }
    Ok(Some(session))
}

/// Lifetimes: unused, and in any case.
fn lives(ctx: &Ctx<'_>, remembered: bool) -> (Duration, Duration) {
    let config = &ctx.core.config.sessions;
    if remembered { (config.remembered_idle, config.remembered_absolute) } else { (config.idle, config.absolute) }
}

async fn touch(ctx: &Ctx<'_>, session: &Session) -> Result<(), DomainError> {
    let now = ctx.now();
    let expires_at = (now + lives(ctx, session.remembered).0).min(session.ends_at);
    ctx.core
        .db
        .write((ctx.tenant_id(), session.id, now, expires_at), |tx, (tenant, id, now, expires_at)| {
            Box::pin(
                async move { Ok::<_, DomainError>(sessions::touch(&tx.of(*tenant), *id, *now, *expires_at).await?) },
            )
        })
        .await
}

/// A session that is to begin; the verb that lets the person in writes it in its own transaction.
pub(super) fn draft(
    ctx: &Ctx<'_>,
    user: UserId,
    factors: &[Factor],
    second_factor_due: bool,
    remembered: bool,
    browser: &Browser,
) -> Entered {
    let now = ctx.now();
    let (idle, absolute) = lives(ctx, remembered);
    let cookie = opaque::generate(TokenKind::Session, &*ctx.core.entropy);
    let session = Session {
        tenant: ctx.tenant_id(),
        id: SessionId::from_uuid(ctx.core.entropy.uuid_v4()),
        digest: *opaque::digest_of_secret(cookie.expose()).as_bytes(),
        user,
        proofs: factors.iter().map(|factor| Proof { factor: *factor, at: now }).collect(),
        second_factor_due,
        remembered,
        browser: Some(browser.digest),
        address: ctx.origin.address.clone(),
        user_agent: browser.user_agent.clone(),
        created_at: now,
        seen_at: now,
        expires_at: (now + idle).min(now + absolute),
        ends_at: now + absolute,
        ended_at: None,
    };
    Entered { session, cookie }
}

/// What further proofs make of a session, under a new cookie; the verb that proved them writes it in
/// its own transaction.
pub(super) fn raise(
    ctx: &Ctx<'_>,
    session: &Session,
    factors: &[Factor],
    second_factor_due: bool,
) -> (Entered, Raised) {
    let now = ctx.now();
    let cookie = opaque::generate(TokenKind::Session, &*ctx.core.entropy);
    let mut raised = session.clone();
    raised.proofs.retain(|proof| !factors.contains(&proof.factor));
    raised.proofs.extend(factors.iter().map(|factor| Proof { factor: *factor, at: now }));
    raised.second_factor_due = second_factor_due;
    raised.seen_at = now;
    raised.expires_at = (now + lives(ctx, session.remembered).0).min(session.ends_at);
    raised.digest = *opaque::digest_of_secret(cookie.expose()).as_bytes();
    let row = Raised {
        digest: raised.digest,
        proofs: raised.proofs.clone(),
        second_factor_due,
        seen_at: now,
        expires_at: raised.expires_at,
    };
    (Entered { session: raised, cookie }, row)
}

/// Whether the person proved who they are so lately, and as well as they can, that they may change what
/// lets them in. A session from before their second factor proves too little: whoever the factor was to
/// keep out may have it.
#[must_use]
pub fn is_recent(ctx: &Ctx<'_>, user: &User, session: &Session) -> bool {
    session.auth_time() + ctx.core.config.sessions.recent > ctx.now()
        && (session.has_second_factor() || !user.has_second_factor)
}

/// The sessions of a person that are open at this moment, the one used last first.
///
/// # Errors
/// The database is unavailable.
pub async fn of_user(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<Session>, DomainError> {
    Ok(sessions::of_user(&ctx.core.db.read().of(ctx.tenant_id()), user, ctx.now()).await?)
}

/// When a remembered session's cookie shall be forgotten; `None` for one that ends with the browser.
#[must_use]
pub fn cookie_life(session: &Session, now: Timestamp) -> Option<Duration> {
    session.remembered.then(|| session.ends_at.since(now))
}
