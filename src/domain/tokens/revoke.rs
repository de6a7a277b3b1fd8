//! The end of tokens (RFC 7009): one row, and every copy knows within a second.

use super::claims::AccessClaims;
use crate::domain::logout::{self, Ending};
use crate::domain::{Ctx, DomainError, keys};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::FamilyId;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::storage::{TenantTx, tokens};

/// Ends one access token.
///
/// # Errors
/// The database is unavailable: then the token still counts, and the caller must not say otherwise.
pub async fn revoke_access_token(ctx: &Ctx<'_>, claims: &AccessClaims) -> Result<(), DomainError> {
    let entry = ctx.audit("token.revoke", Some(format!("token:{}", claims.jti)), Outcome::Success, None);
    let input = (ctx.tenant_id(), claims.jti.clone(), Timestamp::from_seconds(claims.exp), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, jti, expires_at, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                tokens::revoke(&of, jti, *expires_at).await?;
                of.changed(ChangeKind::Token, jti).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Ends an authorization: its refresh token and every access token issued with it.
///
/// # Errors
/// As [`revoke_access_token`].
pub async fn revoke_family(ctx: &Ctx<'_>, family: FamilyId) -> Result<(), DomainError> {
    let entry = ctx.audit("token.revoke", Some(format!("family:{family}")), Outcome::Success, None);
    let now = ctx.now();
    ctx.core
        .db
        .write(
            (ctx.tenant_id(), family, now, now + keys::MAX_ACCESS_TOKEN_TTL, entry),
            |tx, (tenant, family, now, until, entry)| {
                Box::pin(async move {
                    end_family(&tx.of(*tenant), *family, *now, *until, RevocationReason::Requested).await?;
                    crate::storage::audit::append(tx, entry).await?;
                    Ok::<_, DomainError>(())
                })
            },
        )
        .await
}

/// Ends the sign-in that an access token comes from: its family with every token of it and the browser
/// session behind it, if there is one; a token without family ends alone.
///
/// # Errors
/// As [`revoke_access_token`].
pub async fn end_sign_in(ctx: &Ctx<'_>, claims: &AccessClaims) -> Result<(), DomainError> {
    let family: Option<FamilyId> = claims.family.as_deref().and_then(|family| family.parse().ok());
    let Some(family) = family else { return revoke_access_token(ctx, claims).await };
    let entry = ctx.audit("user.sign_out", Some(format!("family:{family}")), Outcome::Success, None);
    let ending = Ending::new(ctx.core, RevocationReason::SignedOut);
    let input = (ctx.tenant_id(), family, ctx.now(), ending, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, family, now, ending, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                end_family(&of, *family, *now, *now + keys::MAX_ACCESS_TOKEN_TTL, RevocationReason::SignedOut).await?;
                let found = tokens::find_family(&of, *family).await?;
                if let Some((session, user)) = found.and_then(|found| Some((found.session?, found.user))) {
                    logout::end_session(&of, session, user, ending).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(())
}

/// Ends a family inside a transaction that is open already; `until` is when its last access token can
/// have expired.
pub(super) async fn end_family(
    tx: &TenantTx<'_>,
    family: FamilyId,
    now: Timestamp,
    until: Timestamp,
    reason: RevocationReason,
) -> Result<(), DomainError> {
    if tokens::revoke_family(tx, family, now, reason).await? {
        let name = family.to_string();
        tokens::revoke(tx, &name, until).await?;
        tx.changed(ChangeKind::Token, &name).await?;
    }
    Ok(())
}

/// Makes every copy know within a second that families have ended.
pub(in crate::domain) async fn mark_ended(
    tx: &TenantTx<'_>,
    families: &[FamilyId],
    until: Timestamp,
) -> Result<(), DomainError> {
    for family in families {
        let name = family.to_string();
        tokens::revoke(tx, &name, until).await?;
        tx.changed(ChangeKind::Token, &name).await?;
    }
    Ok(())
}
