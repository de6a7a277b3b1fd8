//! Roles, what they permit, and who holds them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QuerySelect, RelationTrait,
};

use super::column::{count, count_rows, millis, parsed};
use super::db::{TenantRows, TenantTx};
use super::entity::{permissions, role_assignments, role_permissions, roles, users};
use super::error::StorageError;
use crate::model::ids::{AssignmentId, PermissionId, RoleId, TenantId, UserId};
use crate::model::role::{HeldRole, Role};
use crate::model::time::Timestamp;

/// How many rows one statement writes.
const CHUNK: usize = 500;

fn noun(row: roles::Model) -> Result<Role, StorageError> {
    Ok(Role {
        id: parsed("roles", "id", &row.id)?,
        code: row.code,
        name: row.name,
        description: row.description,
        scope: parsed("roles", "scope", &row.scope)?,
        is_system: row.is_system,
        is_active: row.is_active,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    })
}

/// That an assignment has not run out.
pub(in crate::storage) fn counts_at(now: Timestamp) -> Condition {
    Condition::any()
        .add(role_assignments::Column::ExpiresAt.is_null())
        .add(role_assignments::Column::ExpiresAt.gt(now.millis()))
}

/// Adds a role that permits nothing yet.
///
/// # Errors
/// The id or code exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, role: &Role) -> Result<(), StorageError> {
    let row = roles::Model {
        tenant_id: tx.tenant().uuid(),
        id: role.id.as_str().to_owned(),
        code: role.code.clone(),
        name: role.name.clone(),
        description: role.description.clone(),
        scope: role.scope.as_str().to_owned(),
        is_system: role.is_system,
        is_active: role.is_active,
        created_at: role.created_at.millis(),
        updated_at: role.updated_at.millis(),
    };
    roles::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Has a role permit something, if it does not already.
///
/// # Errors
/// The role or permission does not exist, or the database is unavailable.
pub async fn insert_permission(
    tx: &TenantTx<'_>,
    role: &RoleId,
    permission: &PermissionId,
) -> Result<(), StorageError> {
    insert_permissions(tx, role, std::slice::from_ref(permission)).await
}

/// Has a role permit several things, those that it does not already.
///
/// # Errors
/// The role or a permission does not exist, or the database is unavailable.
pub async fn insert_permissions(
    tx: &TenantTx<'_>,
    role: &RoleId,
    permissions: &[PermissionId],
) -> Result<(), StorageError> {
    for some in permissions.chunks(CHUNK) {
        let rows = some.iter().map(|permission| role_permission(tx.tenant(), role, permission));
        let known = OnConflict::columns([
            role_permissions::Column::TenantId,
            role_permissions::Column::RoleId,
            role_permissions::Column::PermissionId,
        ])
        .do_nothing()
        .to_owned();
        role_permissions::Entity::insert_many(rows).on_conflict(known).exec_without_returning(&tx.raw()).await?;
    }
    Ok(())
}

fn role_permission(tenant: TenantId, role: &RoleId, permission: &PermissionId) -> role_permissions::ActiveModel {
    role_permissions::Model {
        tenant_id: tenant.uuid(),
        role_id: role.as_str().to_owned(),
        permission_id: permission.as_str().to_owned(),
    }
    .into_active_model()
}

/// The role of a code.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_code(rows: &TenantRows<'_>, code: &str) -> Result<Option<Role>, StorageError> {
    roles::Entity::find()
        .filter(roles::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(roles::Column::Code.eq(code))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// All roles, by code.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Role>, StorageError> {
    let found = roles::Entity::find().filter(roles::Column::TenantId.eq(rows.tenant().uuid())).all(&rows.raw()).await?;
    let mut all = found.into_iter().map(noun).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because databases differ in how they order texts.
    all.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    Ok(all)
}

/// Gives a user a role. Who holds it already keeps the assignment's id and takes on the rest.
///
/// # Errors
/// The user or role does not exist, or the database is unavailable.
pub async fn assign(
    tx: &TenantTx<'_>,
    id: AssignmentId,
    user: UserId,
    role: &RoleId,
    granted_by: &str,
    granted_at: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(), StorageError> {
    use role_assignments::Column;
    let row = role_assignments::Model {
        tenant_id: tx.tenant().uuid(),
        id: id.uuid(),
        user_id: user.uuid(),
        role_id: role.as_str().to_owned(),
        granted_by: granted_by.to_owned(),
        granted_at: granted_at.millis(),
        expires_at: millis(expires_at),
    };
    let again = OnConflict::columns([Column::TenantId, Column::UserId, Column::RoleId])
        .update_columns([Column::GrantedBy, Column::GrantedAt, Column::ExpiresAt])
        .to_owned();
    role_assignments::Entity::insert(row.into_active_model())
        .on_conflict(again)
        .exec_without_returning(&tx.raw())
        .await?;
    Ok(())
}

/// Takes a role from a user; says whether there was one to take.
///
/// # Errors
/// The database is unavailable.
pub async fn unassign(tx: &TenantTx<'_>, user: UserId, role: &RoleId) -> Result<bool, StorageError> {
    let done = role_assignments::Entity::delete_many()
        .filter(role_assignments::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(role_assignments::Column::UserId.eq(user.uuid()))
        .filter(role_assignments::Column::RoleId.eq(role.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// The active roles that a user holds at `now`, by code, with what each permits.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn held_by_user(rows: &TenantRows<'_>, user: UserId, now: Timestamp) -> Result<Vec<HeldRole>, StorageError> {
    type Row = (String, String, String, Option<i64>, Option<String>);
    let found: Vec<Row> = role_assignments::Entity::find()
        .select_only()
        .column(roles::Column::Id)
        .column(roles::Column::Code)
        .column(roles::Column::Scope)
        .column(role_assignments::Column::ExpiresAt)
        .column_as(permissions::Column::Code, "permission")
        .join(JoinType::InnerJoin, role_assignments::Relation::Role.def())
        .join(JoinType::LeftJoin, role_permissions::Relation::Role.def().rev())
        .join(JoinType::LeftJoin, role_permissions::Relation::Permission.def())
        .filter(role_assignments::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(role_assignments::Column::UserId.eq(user.uuid()))
        .filter(roles::Column::IsActive.eq(true))
        .filter(counts_at(now))
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let mut held: BTreeMap<String, HeldRole> = BTreeMap::new();
    for (id, code, scope, expires_at, permission) in found {
        let role = match held.entry(code) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let code = new.key().clone();
                let (id, scope) = (parsed("roles", "id", &id)?, parsed("roles", "scope", &scope)?);
                let expires_at = expires_at.map(Timestamp::from_millis);
                new.insert(HeldRole { id, code, scope, expires_at, permissions: Vec::new() })
            }
        };
        role.permissions.extend(permission);
    }
    Ok(held.into_values().collect())
}

/// Has every other transaction that asks for the same wait until this one is over; says whether there is
/// such a role.
///
/// # Errors
/// The database is unavailable.
pub async fn lock(tx: &TenantTx<'_>, role: &RoleId) -> Result<bool, StorageError> {
    let query = roles::Entity::find_by_id((tx.tenant().uuid(), role.as_str().to_owned()));
    Ok(query.lock(LockType::Update).one(&tx.raw()).await?.is_some())
}

/// How many enabled users hold a role for good.
///
/// # Errors
/// The database is unavailable.
pub async fn lasting_holders(rows: &TenantRows<'_>, role: &RoleId) -> Result<u64, StorageError> {
    let n: Option<i64> = role_assignments::Entity::find()
        .select_only()
        .expr(count_rows())
        .join(JoinType::InnerJoin, role_assignments::Relation::User.def())
        .filter(role_assignments::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(role_assignments::Column::RoleId.eq(role.as_str()))
        .filter(role_assignments::Column::ExpiresAt.is_null())
        .filter(users::Column::Enabled.eq(true))
        .into_tuple()
        .one(&rows.raw())
        .await?;
    Ok(count(n))
}
