//! Permissions: what a tenant has from the start.

use super::error::DomainError;
use crate::model::ids::PermissionId;
use crate::model::permission::{Permission, PermissionCode, SEEDED, seeded_id};
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantRows, TenantTx, permissions};

/// Writes the seeded permissions of a new tenant.
pub(super) async fn seed(tx: &TenantTx<'_>, at: Timestamp) -> Result<(), StorageError> {
    let seeded: Vec<Permission> = SEEDED.iter().filter_map(|(code, name)| seeded_permission(code, name, at)).collect();
    permissions::insert_many(tx, &seeded).await
}

fn seeded_permission(code: &str, name: &str, at: Timestamp) -> Option<Permission> {
    Some(Permission {
        id: seeded_id(code).parse::<PermissionId>().ok()?,
        name: name.to_owned(),
        code: code.parse::<PermissionCode>().ok()?,
        description: None,
        is_system: true,
        created_at: at,
        updated_at: at,
    })
}

/// The permission of this code.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub(super) async fn require(rows: &TenantRows<'_>, code: &str) -> Result<Permission, DomainError> {
    let code: PermissionCode = code.parse().map_err(|_| DomainError::NotFound(super::Noun::Permission))?;
    permissions::find_by_code(rows, code.as_str()).await?.ok_or(DomainError::NotFound(super::Noun::Permission))
}
