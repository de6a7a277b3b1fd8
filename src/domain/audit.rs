//! Audit rows that belong to no other transaction.

use super::core::Core;
use super::error::DomainError;
use crate::model::audit::AuditEntry;
use crate::storage::audit;

/// Writes one row, durably.
///
/// # Errors
/// The database is unavailable.
pub async fn append(core: &Core, entry: AuditEntry) -> Result<(), DomainError> {
    core.db
        .write(entry, |tx, entry| Box::pin(async move { Ok::<_, DomainError>(audit::append(tx, entry).await?) }))
        .await
}
