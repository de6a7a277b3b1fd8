//! Token exchange (RFC 8693): a service that was called with a person's token gets one of its own for
//! the next service, which says who acts for whom.

use std::time::Duration;

use super::claims::{AccessClaims, Act};
use super::mint::{Issued, Mintage, mint};
use crate::domain::access;
use crate::domain::clients::LiveClient;
use crate::domain::{Ctx, DomainError, Noun, subjects};
use crate::model::audit::Outcome;
use crate::model::ids::{OrganizationId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::users;

/// The longest chain of actors: each service that hands a person's token on is one.
pub const MAX_ACTORS: usize = 8;

/// A token for the same person, in which the client is the actor and those before it stand behind it
/// (§4.1). It ends when the token that it came from would, and with the same authorization.
///
/// # Errors
/// [`DomainError::NotFound`] for a person who is gone, disabled, or has ended their tokens; or the database is unavailable.
pub async fn exchange(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    subject: &AccessClaims,
    user: UserId,
    scope: OAuthScope,
    audience: Option<&str>,
) -> Result<Issued, DomainError> {
    let detail = Some(format!("scope: {scope}, from: {}", subject.client_id));
    let entry = ctx.audit("token.exchange", Some(format!("user:{user}")), Outcome::Success, detail);
    // Who acted in one workspace acts there still.
    let workspace = subject.organization_id.as_deref().and_then(|id| uuid::Uuid::try_parse(id).ok());
    let workspace = workspace.map(OrganizationId::from_uuid);
    let input = (ctx.tenant_id(), user, subject.epoch, workspace, ctx.now(), entry);
    let (user, access) = ctx
        .core
        .db
        .write(input, |tx, (tenant, user, epoch, workspace, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                // The verifier may have seen them as they were a second ago.
                let counts = |user: &User| user.enabled && user.token_epoch == *epoch;
                let user = users::find_for_update(&of, *user).await?.filter(counts);
                let user = user.ok_or(DomainError::NotFound(Noun::User))?;
                let carried = access::carried(&of, user.id, *workspace, *now).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>((user, carried))
            })
        })
        .await?;
    let row = &client.client;
    let left = Timestamp::from_seconds(subject.exp).since(ctx.now());
    let own = row.access_token_ttl.unwrap_or_else(|| ctx.tenant.access_token_ttl(ctx.core));
    let name = subjects::of(ctx.core, row, user.id)?;
    let mintage = Mintage {
        subject: &name,
        client_id: row.id.as_str(),
        scope,
        audience: audience.or(row.default_audience.as_deref()),
        lifetime: own.min(left).max(Duration::from_secs(1)),
        alg: row.signing_alg,
        format: row.access_token_format,
        access: &access,
        sign_in: subject.auth_time.map(|at| (Timestamp::from_seconds(at), subject.amr.as_slice())),
        act: Some(Act { sub: row.id.as_str(), act: subject.act.as_ref().map(|act| Box::new(act.borrowed())) }),
        family: subject.family.as_deref().and_then(|family| family.parse().ok()),
        epoch: user.token_epoch,
    };
    let issued = mint(ctx, mintage).await?;
    ctx.core.metrics.tokens.issued.count("token_exchange");
    Ok(issued)
}
