//! Browsers in which a person has signed in before: a new one is told of, and one that is trusted
//! stands in for the second factor for a while.

use super::ctx::Ctx;
use super::error::DomainError;
use crate::model::audit::Outcome;
use crate::model::factors::KnownBrowser;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::storage::{TenantTx, known_browsers};

/// The longest `User-Agent` that is kept, in characters.
const MAX_USER_AGENT: usize = 512;

/// Records a sign-in in a browser in the transaction that begins the session; says whether it is one
/// that the person should be told of. The very first one is not: nobody else could have been told.
///
/// # Errors
/// The person does not exist, or the database is unavailable.
pub async fn seen(
    tx: &TenantTx<'_>,
    user: UserId,
    browser: &[u8; 32],
    user_agent: Option<&str>,
    address: Option<&str>,
    now: Timestamp,
) -> Result<bool, DomainError> {
    let browser = KnownBrowser {
        browser: *browser,
        trusted_until: None,
        first_at: now,
        seen_at: now,
        user_agent: user_agent.map(|agent| agent.chars().take(MAX_USER_AGENT).collect()),
        address: address.map(str::to_owned),
    };
    Ok(known_browsers::seen(tx, user, &browser).await?)
}

/// Whether a person has signed in in this browser before.
///
/// # Errors
/// The database is unavailable.
pub async fn is_known(ctx: &Ctx<'_>, user: UserId, browser: &[u8; 32]) -> Result<bool, DomainError> {
    Ok(known_browsers::find(&ctx.core.db.read().of(ctx.tenant_id()), user, browser).await?.is_some())
}

/// Whether this browser stands in for the second factor.
///
/// # Errors
/// The database is unavailable.
pub async fn is_trusted(ctx: &Ctx<'_>, user: UserId, browser: &[u8; 32]) -> Result<bool, DomainError> {
    let known = known_browsers::find(&ctx.core.db.read().of(ctx.tenant_id()), user, browser).await?;
    Ok(known.and_then(|known| known.trusted_until).is_some_and(|until| until > ctx.now()))
}

/// Has a browser in which the person has signed in stand in for the second factor, for as long as
/// `sessions.trust_browser` says.
///
/// # Errors
/// The database is unavailable.
pub async fn trust(ctx: &Ctx<'_>, user: UserId, browser: &[u8; 32]) -> Result<(), DomainError> {
    let life = ctx.core.config.sessions.trust_browser;
    if life.is_zero() {
        return Ok(());
    }
    let entry = ctx.audit("user.trust_browser", Some(format!("user:{user}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), user, *browser, ctx.now() + life, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, user, browser, until, entry)| {
            Box::pin(async move {
                if known_browsers::trust(&tx.of(*tenant), *user, browser, *until).await? {
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}
