//! What people allow clients: remembered, added to, taken back.

use super::ctx::Ctx;
use super::error::DomainError;
use super::keys;
use super::tokens;
use crate::model::audit::Outcome;
use crate::model::consent::Consent;
use crate::model::ids::{ClientId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::token::RevocationReason;
use crate::storage::{authorization_codes, consents, device_codes, tokens as rows};

/// What a person allowed a client, if anything.
///
/// # Errors
/// The database is unavailable.
pub async fn find(ctx: &Ctx<'_>, user: UserId, client: &ClientId) -> Result<Option<Consent>, DomainError> {
    Ok(consents::find(&ctx.core.db.read().of(ctx.tenant_id()), user, client).await?)
}

/// Everything that a person allowed, the newest first.
///
/// # Errors
/// The database is unavailable.
pub async fn of_user(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<Consent>, DomainError> {
    Ok(consents::of_user(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

/// Remembers that a person allows a client this, beside what they allowed it before.
///
/// # Errors
/// The client is gone, or the database is unavailable.
pub async fn allow(
    ctx: &Ctx<'_>,
    user: UserId,
    client: &ClientId,
    scope: &OAuthScope,
    claims: &[String],
) -> Result<(), DomainError> {
    let now = ctx.now();
    let new = Consent {
        user,
        client: client.clone(),
        scope: scope.clone(),
        claims: claims.to_vec(),
        first_at: now,
        last_at: now,
    };
    let detail = Some(format!("scope: {scope}"));
    let entry = ctx.audit("consent.allow", Some(format!("client:{client}")), Outcome::Success, detail);
    ctx.core
        .db
        .write((ctx.tenant_id(), new, entry), |tx, (tenant, new, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut consent = new.clone();
                if let Some(before) = consents::find(&of, new.user, &new.client).await? {
                    consent.scope = before.scope.union(&new.scope);
                    consent.claims.extend(before.claims);
                    consent.claims.sort_unstable();
                    consent.claims.dedup();
                }
                consents::put(&of, &consent).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Takes back what a person allowed a client, and ends every token that it holds for them, or could
/// still get.
///
/// # Errors
/// The database is unavailable.
pub async fn withdraw(ctx: &Ctx<'_>, user: UserId, client: &ClientId) -> Result<(), DomainError> {
    let entry = ctx.audit("consent.withdraw", Some(format!("client:{client}")), Outcome::Success, None);
    let now = ctx.now();
    let until = now + keys::MAX_ACCESS_TOKEN_TTL;
    let input = (ctx.tenant_id(), user, client.clone(), now, until, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, user, client, now, until, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                consents::delete(&of, *user, client).await?;
                // First what could still become tokens: what does at this moment is seen then.
                authorization_codes::expire_of_user_at(&of, *user, client, *now).await?;
                device_codes::refuse_of_user_at(&of, *user, client).await?;
                let reason = RevocationReason::ConsentWithdrawn;
                let ended = rows::revoke_families_of_user_at(&of, *user, client, *now, reason).await?;
                tokens::mark_ended(&of, &ended, *until).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}
