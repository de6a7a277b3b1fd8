//! Roles, what they permit, and who holds them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait, Select,
};

use super::column::{contains, count, count_rows, millis, moment, parsed, total};
use super::db::{TenantRows, TenantTx};
use super::entity::{permissions, role_assignments, role_permissions, roles, users};
use super::error::StorageError;
use crate::model::ids::{AssignmentId, PermissionId, RoleId, TenantId, UserId};
use crate::model::page::{Counted, Window};
use crate::model::permission::Permission;
use crate::model::role::{HeldRole, Role, RoleAssignment, RoleScope};
use crate::model::time::Timestamp;

/// How many rows one statement writes or names.
const CHUNK: usize = 500;

/// Which roles a list shows.
#[derive(Clone, Debug, Default)]
pub struct RoleFilter {
    /// Part of the name, upper and lower case alike.
    pub name: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// How far they reach.
    pub scope: Option<RoleScope>,
    /// Whether they are the system's own.
    pub is_system: Option<bool>,
    /// Whether they count.
    pub is_active: Option<bool>,
}

/// How many roles there are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleCount {
    /// How far they reach.
    pub scope: RoleScope,
    /// Whether they are the system's own.
    pub is_system: bool,
    /// Whether they count.
    pub is_active: bool,
    /// How many.
    pub count: u64,
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<roles::Entity> {
    roles::Entity::find().filter(roles::Column::TenantId.eq(rows.tenant().uuid()))
}

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
    roles::Entity::insert(row(tx.tenant(), role)).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

fn row(tenant: TenantId, role: &Role) -> roles::ActiveModel {
    roles::Model {
        tenant_id: tenant.uuid(),
        id: role.id.as_str().to_owned(),
        code: role.code.clone(),
        name: role.name.clone(),
        description: role.description.clone(),
        scope: role.scope.as_str().to_owned(),
        is_system: role.is_system,
        is_active: role.is_active,
        created_at: role.created_at.millis(),
        updated_at: role.updated_at.millis(),
    }
    .into_active_model()
}

/// Writes name, description and whether it counts. What is written must have been read by
/// [`find_for_update`].
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, role: &Role) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), role).reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.code = NotSet;
    row.scope = NotSet;
    row.is_system = NotSet;
    row.created_at = NotSet;
    roles::Entity::update_many()
        .set(row)
        .filter(roles::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(roles::Column::Id.eq(role.id.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Deletes a role with its assignments.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: &RoleId) -> Result<(), StorageError> {
    roles::Entity::delete_many()
        .filter(roles::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(roles::Column::Id.eq(id.as_str()))
        .exec(&tx.raw())
        .await?;
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

/// Has a role permit something no longer; says whether it did.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_permission(
    tx: &TenantTx<'_>,
    role: &RoleId,
    permission: &PermissionId,
) -> Result<bool, StorageError> {
    let done = role_permissions::Entity::delete_many()
        .filter(role_permissions::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(role_permissions::Column::RoleId.eq(role.as_str()))
        .filter(role_permissions::Column::PermissionId.eq(permission.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// What a role permits, in the order in which the permissions were made.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn permissions_of(rows: &TenantRows<'_>, role: &RoleId) -> Result<Vec<Permission>, StorageError> {
    let found = permissions::Entity::find()
        .join(JoinType::InnerJoin, role_permissions::Relation::Permission.def().rev())
        .filter(role_permissions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(role_permissions::Column::RoleId.eq(role.as_str()))
        .order_by_asc(permissions::Column::CreatedAt)
        .order_by_asc(permissions::Column::Id);
    found.all(&rows.raw()).await?.into_iter().map(super::permissions::noun).collect()
}

/// The codes of what any of these roles permits, repeated or not.
///
/// # Errors
/// The database is unavailable.
pub async fn permission_codes_of(rows: &TenantRows<'_>, all: &[RoleId]) -> Result<Vec<String>, StorageError> {
    let mut codes = Vec::new();
    for some in all.chunks(CHUNK) {
        let found: Vec<String> = role_permissions::Entity::find()
            .select_only()
            .column(permissions::Column::Code)
            .join(JoinType::InnerJoin, role_permissions::Relation::Permission.def())
            .filter(role_permissions::Column::TenantId.eq(rows.tenant().uuid()))
            .filter(role_permissions::Column::RoleId.is_in(some.iter().map(RoleId::as_str)))
            .into_tuple()
            .all(&rows.raw())
            .await?;
        codes.extend(found);
    }
    Ok(codes)
}

/// The role of a code.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_code(rows: &TenantRows<'_>, code: &str) -> Result<Option<Role>, StorageError> {
    of_tenant(rows).filter(roles::Column::Code.eq(code)).one(&rows.raw()).await?.map(noun).transpose()
}

/// One role.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: &RoleId) -> Result<Option<Role>, StorageError> {
    of_tenant(rows).filter(roles::Column::Id.eq(id.as_str())).one(&rows.raw()).await?.map(noun).transpose()
}

/// One role, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, id: &RoleId) -> Result<Option<Role>, StorageError> {
    let query = of_tenant(tx).filter(roles::Column::Id.eq(id.as_str())).lock(LockType::Update);
    query.one(&tx.raw()).await?.map(noun).transpose()
}

/// The roles of these ids that there are, none of which changes before this transaction ends.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn hold(tx: &TenantTx<'_>, ids: &[RoleId]) -> Result<Vec<Role>, StorageError> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(CHUNK) {
        let named = roles::Column::Id.is_in(some.iter().map(RoleId::as_str));
        let found = of_tenant(tx).filter(named).order_by_asc(roles::Column::Id).lock(LockType::Share);
        for row in found.all(&tx.raw()).await? {
            all.push(noun(row)?);
        }
    }
    Ok(all)
}

/// Part of the roles that a filter lets through, in the order in which they were made; and how many there
/// are in all.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn window(rows: &TenantRows<'_>, filter: &RoleFilter, window: Window) -> Result<Counted<Role>, StorageError> {
    let mut all = Condition::all();
    if let Some(name) = &filter.name {
        all = all.add(contains(roles::Column::Name, name));
    }
    if let Some(code) = &filter.code {
        all = all.add(roles::Column::Code.eq(code.as_str()));
    }
    if let Some(scope) = filter.scope {
        all = all.add(roles::Column::Scope.eq(scope.as_str()));
    }
    if let Some(is_system) = filter.is_system {
        all = all.add(roles::Column::IsSystem.eq(is_system));
    }
    if let Some(is_active) = filter.is_active {
        all = all.add(roles::Column::IsActive.eq(is_active));
    }
    let query = of_tenant(rows).filter(all);
    let part = query.clone().order_by_asc(roles::Column::CreatedAt).order_by_asc(roles::Column::Id);
    let found = part.limit(window.limit).offset(window.offset).all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    Ok(Counted { rows: found.into_iter().map(noun).collect::<Result<_, _>>()?, total })
}

/// How many roles there are of each kind that there is.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn counts(rows: &TenantRows<'_>) -> Result<Vec<RoleCount>, StorageError> {
    use roles::Column;
    let found: Vec<(String, bool, bool, i64)> = of_tenant(rows)
        .select_only()
        .columns([Column::Scope, Column::IsSystem, Column::IsActive])
        .expr(count_rows())
        .group_by(Column::Scope)
        .group_by(Column::IsSystem)
        .group_by(Column::IsActive)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let kind = |(scope, is_system, is_active, n): (String, bool, bool, i64)| {
        Ok(RoleCount { scope: parsed("roles", "scope", &scope)?, is_system, is_active, count: count(Some(n)) })
    };
    found.into_iter().map(kind).collect()
}

/// All roles, by code.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Role>, StorageError> {
    let found = of_tenant(rows).all(&rows.raw()).await?;
    let mut all = found.into_iter().map(noun).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because databases differ in how they order texts.
    all.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    Ok(all)
}

/// Gives a user roles, each once. Who holds one already keeps the assignment's id and takes on the rest.
///
/// # Errors
/// The user or a role does not exist, or the database is unavailable.
pub async fn assign(tx: &TenantTx<'_>, assignments: &[RoleAssignment]) -> Result<(), StorageError> {
    use role_assignments::Column;
    for some in assignments.chunks(CHUNK) {
        let rows = some.iter().map(|one| {
            role_assignments::Model {
                tenant_id: tx.tenant().uuid(),
                id: one.id.uuid(),
                user_id: one.user.uuid(),
                role_id: one.role.as_str().to_owned(),
                granted_by: one.granted_by.clone(),
                granted_at: one.granted_at.millis(),
                expires_at: millis(one.expires_at),
            }
            .into_active_model()
        });
        let again = OnConflict::columns([Column::TenantId, Column::UserId, Column::RoleId])
            .update_columns([Column::GrantedBy, Column::GrantedAt, Column::ExpiresAt])
            .to_owned();
        role_assignments::Entity::insert_many(rows).on_conflict(again).exec_without_returning(&tx.raw()).await?;
    }
    Ok(())
}

/// What roles a user was given, run out or not, in the order in which that happened.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn assignments_of(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<(RoleAssignment, Role)>, StorageError> {
    use role_assignments::Column;
    let found = role_assignments::Entity::find()
        .join(JoinType::InnerJoin, role_assignments::Relation::Role.def())
        .select_also(roles::Entity)
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .order_by_asc(Column::GrantedAt)
        .order_by_asc(Column::Id)
        .all(&rows.raw())
        .await?;
    let pair = |(row, role): (role_assignments::Model, Option<roles::Model>)| {
        role.map(|role| Ok((assignment(&row)?, noun(role)?)))
    };
    found.into_iter().filter_map(pair).collect()
}

fn assignment(row: &role_assignments::Model) -> Result<RoleAssignment, StorageError> {
    Ok(RoleAssignment {
        id: AssignmentId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        role: parsed("role_assignments", "role_id", &row.role_id)?,
        granted_by: row.granted_by.clone(),
        granted_at: Timestamp::from_millis(row.granted_at),
        expires_at: moment(row.expires_at),
    })
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
