//! Permissions.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait as _, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::column::{contains, count, count_rows, parsed, total};
use super::db::{TenantRows, TenantTx};
use super::entity::permissions;
use super::error::StorageError;
use crate::model::ids::{PermissionId, TenantId};
use crate::model::page::{Counted, Window};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;

/// How many rows one statement writes or names.
const CHUNK: usize = 500;

/// Which permissions a list shows.
#[derive(Clone, Debug, Default)]
pub struct PermissionFilter {
    /// Part of the name, upper and lower case alike.
    pub name: Option<String>,
    /// What stands before the colon.
    pub resource: Option<String>,
    /// What stands after it.
    pub action: Option<String>,
    /// Whether they are seeded.
    pub is_system: Option<bool>,
}

/// How many permissions there are, of which kinds.
#[derive(Clone, Debug, Default)]
pub struct PermissionCounts {
    /// Those that are seeded.
    pub system: u64,
    /// Those that somebody made.
    pub custom: u64,
    /// By what stands before the colon.
    pub by_resource: BTreeMap<String, u64>,
    /// By what stands after it.
    pub by_action: BTreeMap<String, u64>,
}

/// A part of the code: the two engines call the same function by two names.
#[derive(Clone, Copy)]
enum Part {
    Resource,
    Action,
}

impl Part {
    fn of_code(self, rows: &TenantRows<'_>) -> Expr {
        let find = if rows.raw().get_database_backend() == DbBackend::Sqlite { "instr" } else { "strpos" };
        Expr::cust(match self {
            Self::Resource => format!("substr(permissions.code, 1, {find}(permissions.code, ':') - 1)"),
            Self::Action => format!("substr(permissions.code, {find}(permissions.code, ':') + 1)"),
        })
    }
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<permissions::Entity> {
    permissions::Entity::find().filter(permissions::Column::TenantId.eq(rows.tenant().uuid()))
}

pub(in crate::storage) fn noun(row: permissions::Model) -> Result<Permission, StorageError> {
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

pub(in crate::storage) fn row(tenant: TenantId, permission: &Permission) -> permissions::ActiveModel {
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
    of_tenant(rows).filter(permissions::Column::Code.eq(code)).one(&rows.raw()).await?.map(noun).transpose()
}

/// One permission.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: &PermissionId) -> Result<Option<Permission>, StorageError> {
    of_tenant(rows).filter(permissions::Column::Id.eq(id.as_str())).one(&rows.raw()).await?.map(noun).transpose()
}

/// One permission, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, id: &PermissionId) -> Result<Option<Permission>, StorageError> {
    let query = of_tenant(tx).filter(permissions::Column::Id.eq(id.as_str())).lock(LockType::NoKeyUpdate);
    query.one(&tx.raw()).await?.map(noun).transpose()
}

/// The permissions of these ids that there are, none of which goes before this transaction ends.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn hold(tx: &TenantTx<'_>, ids: &[PermissionId]) -> Result<Vec<Permission>, StorageError> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(CHUNK) {
        let named = permissions::Column::Id.is_in(some.iter().map(PermissionId::as_str));
        let found = of_tenant(tx).filter(named).order_by_asc(permissions::Column::Id).lock(LockType::KeyShare);
        for row in found.all(&tx.raw()).await? {
            all.push(noun(row)?);
        }
    }
    Ok(all)
}

/// Part of the permissions that a filter lets through, in the order in which they were made; and how many
/// there are in all.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn window(
    rows: &TenantRows<'_>,
    filter: &PermissionFilter,
    window: Window,
) -> Result<Counted<Permission>, StorageError> {
    let mut all = Condition::all();
    if let Some(name) = &filter.name {
        all = all.add(contains(permissions::Column::Name, name));
    }
    for (part, wanted) in [(Part::Resource, &filter.resource), (Part::Action, &filter.action)] {
        if let Some(text) = wanted {
            all = all.add(part.of_code(rows).eq(text.as_str()));
        }
    }
    if let Some(is_system) = filter.is_system {
        all = all.add(permissions::Column::IsSystem.eq(is_system));
    }
    let query = of_tenant(rows).filter(all);
    let part = query.clone().order_by_asc(permissions::Column::CreatedAt).order_by_asc(permissions::Column::Id);
    let found = part.limit(window.limit).offset(window.offset).all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    Ok(Counted { rows: found.into_iter().map(noun).collect::<Result<_, _>>()?, total })
}

/// How many there are, of which kinds.
///
/// # Errors
/// The database is unavailable.
pub async fn counts(rows: &TenantRows<'_>) -> Result<PermissionCounts, StorageError> {
    let kinds: Vec<(bool, i64)> = of_tenant(rows)
        .select_only()
        .column(permissions::Column::IsSystem)
        .expr(count_rows())
        .group_by(permissions::Column::IsSystem)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let of_kind = |wanted| kinds.iter().filter(|(system, _)| *system == wanted).map(|(_, n)| count(Some(*n))).sum();
    Ok(PermissionCounts {
        system: of_kind(true),
        custom: of_kind(false),
        by_resource: count_by(rows, Part::Resource).await?,
        by_action: count_by(rows, Part::Action).await?,
    })
}

async fn count_by(rows: &TenantRows<'_>, part: Part) -> Result<BTreeMap<String, u64>, StorageError> {
    let found: Vec<(String, i64)> = of_tenant(rows)
        .select_only()
        .expr(part.of_code(rows))
        .expr(count_rows())
        .group_by(part.of_code(rows))
        .into_tuple()
        .all(&rows.raw())
        .await?;
    Ok(found.into_iter().map(|(part, n)| (part, count(Some(n)))).collect())
}

/// Writes everything about a permission but its code. What is written must have been read by
/// [`find_for_update`].
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, permission: &Permission) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), permission).reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.code = NotSet;
    row.created_at = NotSet;
    permissions::Entity::update_many()
        .set(row)
        .filter(permissions::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(permissions::Column::Id.eq(permission.id.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Deletes a permission; roles and clients hold it no longer.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: &PermissionId) -> Result<(), StorageError> {
    permissions::Entity::delete_many()
        .filter(permissions::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(permissions::Column::Id.eq(id.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// All permissions, by code.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Permission>, StorageError> {
    let found = of_tenant(rows).all(&rows.raw()).await?;
    let mut all = found.into_iter().map(noun).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because databases differ in how they order texts.
    all.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    Ok(all)
}
