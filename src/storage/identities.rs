//! Who somebody of elsewhere is here.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::db::{TenantRows, TenantTx};
use super::entity::identities::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::connection::Identity;
use crate::model::ids::{ConnectionId, TenantId, UserId};
use crate::model::time::Timestamp;

pub(super) fn noun(row: Model) -> Identity {
    Identity {
        connection: ConnectionId::from_uuid(row.connection_id),
        subject: row.subject,
        user: UserId::from_uuid(row.user_id),
        created_at: Timestamp::from_millis(row.created_at),
        used_at: Timestamp::from_millis(row.used_at),
    }
}

pub(super) fn row(tenant: TenantId, identity: &Identity) -> Model {
    Model {
        tenant_id: tenant.uuid(),
        connection_id: identity.connection.uuid(),
        subject: identity.subject.clone(),
        user_id: identity.user.uuid(),
        created_at: identity.created_at.millis(),
        used_at: identity.used_at.millis(),
    }
}

/// Links somebody of elsewhere, unless that account is somebody's already; says whether it was linked.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, identity: &Identity) -> Result<bool, StorageError> {
    let row = row(tx.tenant(), identity).into_active_model();
    let linked = OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::Subject]).do_nothing().to_owned();
    let rows = Entity::insert(row).on_conflict(linked).exec_without_returning(&tx.raw()).await?;
    Ok(rows == 1)
}

/// Who somebody of elsewhere is here.
///
/// # Errors
/// The database is unavailable.
pub async fn find(
    rows: &TenantRows<'_>,
    connection: ConnectionId,
    subject: &str,
) -> Result<Option<Identity>, StorageError> {
    let key = (rows.tenant().uuid(), connection.uuid(), subject.to_owned());
    Ok(Entity::find_by_id(key).one(&rows.raw()).await?.map(noun))
}

/// Notes that somebody came that way.
///
/// # Errors
/// The database is unavailable.
pub async fn note_use(
    tx: &TenantTx<'_>,
    connection: ConnectionId,
    subject: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::ConnectionId.eq(connection.uuid()))
        .filter(Column::Subject.eq(subject))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// What is linked to a user, oldest first.
///
/// # Errors
/// The database is unavailable.
pub async fn of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<Identity>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Subject)
        .all(&rows.raw())
        .await?;
    Ok(found.into_iter().map(noun).collect())
}

/// Who comes in by a connection and holds a role, run out or not.
///
/// # Errors
/// The database is unavailable.
pub async fn holders_of_roles(rows: &TenantRows<'_>, connection: ConnectionId) -> Result<Vec<UserId>, StorageError> {
    use super::entity::role_assignments as roles;
    let theirs = Expr::col((roles::Entity, roles::Column::UserId)).equals((Entity, Column::UserId));
    let own = roles::Entity::find().select_only().expr(Expr::val(1));
    let own = own.filter(roles::Column::TenantId.eq(rows.tenant().uuid())).filter(theirs);
    let mut found: Vec<uuid::Uuid> = Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::ConnectionId.eq(connection.uuid()))
        .filter(Expr::exists(own.into_query()))
        .into_tuple()
        .all(&rows.raw())
        .await?;
    // Here, because SQLite would go through all identities in their order to do it.
    found.sort_unstable();
    found.dedup();
    Ok(found.into_iter().map(UserId::from_uuid).collect())
}

/// Unlinks an account of elsewhere from its user; says whether it was linked to them.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(
    tx: &TenantTx<'_>,
    user: UserId,
    connection: ConnectionId,
    subject: &str,
) -> Result<bool, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::ConnectionId.eq(connection.uuid()))
        .filter(Column::Subject.eq(subject))
        .filter(Column::UserId.eq(user.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Unlinks everything from a user.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_all(tx: &TenantTx<'_>, user: UserId) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
