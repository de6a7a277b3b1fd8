//! Services: clients that act for themselves, and the scopes that an administrator grants them.

use super::access::Powers;
use super::clients::{self, NewClient, Registered};
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::permissions;
use crate::model::access_log::{AccessLogEntry, AccessStatistics};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::client::Client;
use crate::model::ids::ClientId;
use crate::model::permission::code;
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;
use crate::storage::{access_log, clients as rows};

/// Registers a service without any scope.
///
/// # Errors
/// As [`clients::create`].
pub async fn register(ctx: &Ctx<'_>, name: &str, description: Option<String>) -> Result<Registered, DomainError> {
    clients::create(ctx, NewClient { description, ..NewClient::service(name) }).await
}

/// The service of this id, enabled or not.
///
/// # Errors
/// [`DomainError::NotFound`] also for a client that is no service.
pub async fn find(ctx: &Ctx<'_>, id: &ClientId) -> Result<Client, DomainError> {
    let client = clients::find(ctx, id).await?;
    if client.is_service() { Ok(client) } else { Err(DomainError::NotFound(Noun::Client)) }
}

/// All services of the tenant.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>) -> Result<Vec<Client>, DomainError> {
    Ok(rows::services(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// Grants or revokes a scope; doing it twice is doing it once. It takes `internal:admin`, whatever the scope
/// (`docs/decisions/0005-the-default-tenant-is-the-control-plane.md`).
///
/// # Errors
/// [`DomainError::NotFound`] for the client or the permission; [`DomainError::Forbidden`]; as
/// [`Powers::renewed`].
pub async fn set_scope(
    ctx: &Ctx<'_>,
    by: Powers,
    id: &ClientId,
    scope: &str,
    granted: bool,
) -> Result<(), DomainError> {
    set(ctx, by, false, id, scope, granted).await
}

/// The same by somebody who may do as much as the service, and what they grant it.
pub(super) async fn set_scope_by(
    ctx: &Ctx<'_>,
    by: Powers,
    id: &ClientId,
    scope: &str,
    granted: bool,
) -> Result<(), DomainError> {
    set(ctx, by, true, id, scope, granted).await
}

async fn set(
    ctx: &Ctx<'_>,
    by: Powers,
    above: bool,
    id: &ClientId,
    scope: &str,
    granted: bool,
) -> Result<(), DomainError> {
    find(ctx, id).await?;
    let action = if granted { "service.grant_scope" } else { "service.revoke_scope" };
    let entry = ctx.audit(action, Some(format!("client:{id}")), Outcome::Success, Some(scope.to_owned()));
    let by = (by, above, ctx.actor.describe());
    let input = (ctx.tenant_id(), id.clone(), scope.to_owned(), granted, by, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, scope, granted, (powers, above, by), now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let client = rows::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                let permission = permissions::require(&of, scope).await?;
                powers.renewed(tx, *now).await?.require(code::INTERNAL_ADMIN)?;
                if *above {
                    let touched = client.permissions.iter().chain([permission.code.as_str()]);
                    let touched = Client { permissions: OAuthScope::from_tokens(touched), ..client };
                    powers.require_above_client(tx, &touched, *now).await?;
                }
                let changed = if *granted {
                    rows::grant_permission(&of, id, &permission.id, by, *now).await?
                } else {
                    rows::revoke_permission(&of, id, &permission.id).await?
                };
                if changed {
                    of.changed(ChangeKind::Client, id.as_str()).await?;
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// What a service did, newest first.
///
/// # Errors
/// As [`find`].
pub async fn log(ctx: &Ctx<'_>, id: &ClientId, limit: u64, offset: u64) -> Result<Vec<AccessLogEntry>, DomainError> {
    find(ctx, id).await?;
    ctx.core.access_log.flush().await;
    Ok(access_log::of_client(&ctx.core.db.read().of(ctx.tenant_id()), id, limit, offset).await?)
}

/// What a service did since a moment, in numbers.
///
/// # Errors
/// As [`find`].
pub async fn statistics(ctx: &Ctx<'_>, id: &ClientId, since: Timestamp) -> Result<AccessStatistics, DomainError> {
    find(ctx, id).await?;
    ctx.core.access_log.flush().await;
    Ok(access_log::statistics(&ctx.core.db.read().of(ctx.tenant_id()), id, since).await?)
}
