//! Sign-outs on their way to clients: written with the end of the session, taken by whoever tells.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, UpdateMany};

use super::column::parsed;
use super::db::{TenantRows, TenantTx};
use super::entity::logout_outbox::{self, Column, Entity};
use super::error::StorageError;
use crate::model::ids::{ClientId, SessionId, TenantId, UserId};
use crate::model::logout::LogoutNotice;
use crate::model::time::Timestamp;

fn noun(row: logout_outbox::Model) -> Result<LogoutNotice, StorageError> {
    Ok(LogoutNotice {
        tenant: TenantId::from_uuid(row.tenant_id),
        session: SessionId::from_uuid(row.session_id),
        client: parsed("logout_outbox", "client_id", &row.client_id)?,
        user: UserId::from_uuid(row.user_id),
        attempts: row.attempts,
        give_up_at: Timestamp::from_millis(row.give_up_at),
        created_at: Timestamp::from_millis(row.created_at),
    })
}

/// Adds a notice, due at once.
///
/// # Errors
/// The client does not exist, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, notice: &LogoutNotice) -> Result<(), StorageError> {
    let row = logout_outbox::Model {
        tenant_id: tx.tenant().uuid(),
        session_id: notice.session.uuid(),
        client_id: notice.client.as_str().to_owned(),
        user_id: notice.user.uuid(),
        attempts: notice.attempts,
        next_at: notice.created_at.millis(),
        give_up_at: notice.give_up_at.millis(),
        created_at: notice.created_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Up to `limit` notices to a client that are due, the longest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn due(
    rows: &TenantRows<'_>,
    client: &ClientId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<LogoutNotice>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::NextAt.lte(now.millis()))
        .order_by_asc(Column::NextAt)
        .limit(limit);
    found.all(&rows.raw()).await?.into_iter().map(noun).collect()
}

/// Moves rows of a client on to `next_at`.
fn moved(tx: &TenantTx<'_>, client: &ClientId, next_at: Timestamp) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::NextAt, Expr::value(next_at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
}

/// Takes a notice that is due: it is nobody else's until `lease_ends`. One statement, so of several
/// copies one gets it. Says whether this one did; then it was the attempt after `notice.attempts`.
///
/// # Errors
/// The database is unavailable.
pub async fn take(
    tx: &TenantTx<'_>,
    notice: &LogoutNotice,
    now: Timestamp,
    lease_ends: Timestamp,
) -> Result<bool, StorageError> {
    let taken = moved(tx, &notice.client, lease_ends)
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::SessionId.eq(notice.session.uuid()))
        .filter(Column::Attempts.eq(notice.attempts))
        .filter(Column::NextAt.lte(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Puts a notice that was taken back until later, and with it what else is due to the same client:
/// whoever did not hear the one would not hear the others.
///
/// # Errors
/// The database is unavailable.
pub async fn postpone(
    tx: &TenantTx<'_>,
    notice: &LogoutNotice,
    now: Timestamp,
    next_at: Timestamp,
) -> Result<(), StorageError> {
    let this = Column::SessionId.eq(notice.session.uuid());
    moved(tx, &notice.client, next_at).filter(this.or(Column::NextAt.lte(now.millis()))).exec(&tx.raw()).await?;
    Ok(())
}

/// Takes a notice out: the client was told, or never will be.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, notice: &LogoutNotice) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::SessionId.eq(notice.session.uuid()))
        .filter(Column::ClientId.eq(notice.client.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
