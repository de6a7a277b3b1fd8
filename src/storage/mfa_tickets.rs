//! Sign-ins whose password was right and whose second factor is still to come.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::db::{TenantRows, TenantTx};
use super::entity::mfa_tickets::{self, Column, Entity};
use super::error::StorageError;
use crate::model::factors::MfaTicket;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

fn noun(row: &mfa_tickets::Model) -> MfaTicket {
    MfaTicket {
        user: UserId::from_uuid(row.user_id),
        epoch: row.epoch,
        expires_at: Timestamp::from_millis(row.expires_at),
    }
}

/// Adds a ticket.
///
/// # Errors
/// The user is gone, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, digest: &[u8; 32], ticket: &MfaTicket) -> Result<(), StorageError> {
    let row = mfa_tickets::Model {
        tenant_id: tx.tenant().uuid(),
        digest: digest.to_vec(),
        user_id: ticket.user.uuid(),
        epoch: ticket.epoch,
        expires_at: ticket.expires_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The ticket, if it is not over; changes nothing.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>, digest: &[u8; 32], now: Timestamp) -> Result<Option<MfaTicket>, StorageError> {
    let query = Entity::find_by_id((rows.tenant().uuid(), digest.to_vec()));
    Ok(query.filter(Column::ExpiresAt.gt(now.millis())).one(&rows.raw()).await?.as_ref().map(noun))
}

/// Uses a ticket up, in one statement that compares everything it is bound to; says whether it counted.
///
/// # Errors
/// The database is unavailable.
pub async fn use_once(
    tx: &TenantTx<'_>,
    digest: &[u8; 32],
    user: UserId,
    epoch: i32,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let used = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(digest.to_vec()))
        .filter(Column::UserId.eq(user.uuid()))
        .filter(Column::Epoch.eq(epoch))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(used.rows_affected == 1)
}
