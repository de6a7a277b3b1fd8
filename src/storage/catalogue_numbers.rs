//! Which number the next catalogue key of a kind and day gets.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::db::TenantTx;
use super::entity::catalogue_numbers::{Column, Entity, Model};
use super::error::StorageError;

/// Draws the next number of a prefix, from 0 on. None is drawn twice, whatever became of what it was
/// drawn for; who draws another one of the same prefix waits until this transaction is over.
///
/// # Errors
/// The database is unavailable.
pub async fn draw(tx: &TenantTx<'_>, prefix: &str) -> Result<i64, StorageError> {
    let first = Model { tenant_id: tx.tenant().uuid(), prefix: prefix.to_owned(), next: 1 };
    let again = OnConflict::columns([Column::TenantId, Column::Prefix])
        .value(Column::Next, Expr::col((Entity, Column::Next)).add(1))
        .to_owned();
    let row = Entity::insert(first.into_active_model()).on_conflict(again).exec_with_returning(&tx.raw()).await?;
    Ok(row.next - 1)
}

/// Has no number of a prefix be drawn that is smaller than `next`.
///
/// # Errors
/// The database is unavailable.
pub async fn reserve(tx: &TenantTx<'_>, prefix: &str, next: i64) -> Result<(), StorageError> {
    let row = Model { tenant_id: tx.tenant().uuid(), prefix: prefix.to_owned(), next };
    let later = OnConflict::columns([Column::TenantId, Column::Prefix])
        .update_column(Column::Next)
        .action_and_where(Expr::col((Entity, Column::Next)).lt(next))
        .to_owned();
    Entity::insert(row.into_active_model()).on_conflict(later).exec_without_returning(&tx.raw()).await?;
    Ok(())
}
