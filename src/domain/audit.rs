//! Audit rows that belong to no other transaction, and what the log says.

use super::core::Core;
use super::ctx::Ctx;
use super::error::DomainError;
use crate::model::audit::AuditEntry;
use crate::storage::audit;

pub use crate::storage::audit::{AuditFilter, StoredAuditEntry};

/// Writes one row, durably.
///
/// # Errors
/// The database is unavailable.
pub async fn append(core: &Core, entry: AuditEntry) -> Result<(), DomainError> {
    core.db
        .write(entry, |tx, entry| Box::pin(async move { Ok::<_, DomainError>(audit::append(tx, entry).await?) }))
        .await
}

/// At most `limit` rows of the tenant's log with their numbers, newest first, all below `before`.
///
/// # Errors
/// The database is unavailable.
pub async fn list(
    ctx: &Ctx<'_>,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<(i64, StoredAuditEntry)>, DomainError> {
    Ok(audit::filtered(&ctx.core.db.read().of(ctx.tenant_id()), filter, before, limit).await?)
}
