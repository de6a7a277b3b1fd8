//! Permissions.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::parsed;
use super::db::{TenantRows, TenantTx};
use super::entity::permissions;
use super::error::StorageError;
use crate::model::ids::TenantId;
use crate::model::permission::Permission;
use crate::model::time::Timestamp;

/// How many rows one statement writes.
const CHUNK: usize = 500;

fn noun(row: permissions::Model) -> Result<Permission, StorageError> {
    Ok(Permission {
        id: parsed("permissions", "id", &row.id)?,
        name: row.name,
        code: parsed("permissions", "code", &row.code)?,
        description: row.description,
        is_system: row.is_system,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    })
}

fn row(tenant: TenantId, permission: &Permission) -> permissions::ActiveModel {
    permissions::Model {
        tenant_id: tenant.uuid(),
        id: permission.id.as_str().to_owned(),
        code: permission.code.as_str().to_owned(),
        name: permission.name.clone(),
        description: permission.description.clone(),
        is_system: permission.is_system,
        created_at: permission.created_at.millis(),
        updated_at: permission.updated_at.millis(),
    }
    .into_active_model()
}

/// Adds a permission.
///
/// # Errors
/// The id or code exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, permission: &Permission) -> Result<(), StorageError> {
    permissions::Entity::insert(row(tx.tenant(), permission)).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Adds permissions.
///
/// # Errors
/// An id or code exists already, or the database is unavailable.
pub async fn insert_many(tx: &TenantTx<'_>, all: &[Permission]) -> Result<(), StorageError> {
    for some in all.chunks(CHUNK) {
        let rows = some.iter().map(|permission| row(tx.tenant(), permission));
        permissions::Entity::insert_many(rows).exec_without_returning(&tx.raw()).await?;
    }
    Ok(())
}

/// The permission of a code.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_code(rows: &TenantRows<'_>, code: &str) -> Result<Option<Permission>, StorageError> {
    permissions::Entity::find()
        .filter(permissions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(permissions::Column::Code.eq(code))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// All permissions, by code.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Permission>, StorageError> {
    let found = permissions::Entity::find()
        .filter(permissions::Column::TenantId.eq(rows.tenant().uuid()))
        .all(&rows.raw())
        .await?;
    let mut all = found.into_iter().map(noun).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because databases differ in how they order texts.
    all.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    Ok(all)
}
