//! Leases: which copy does a job that only one may do.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryTrait};

use super::db::Tx;
use super::entity::leases::{self, Column, Entity};
use super::error::StorageError;
use crate::model::time::Timestamp;

/// Takes or prolongs a lease, in one statement: it must be free, expired, or the holder's already.
/// Gives its fence, which rises whenever the holder changes; `None` if somebody else has it.
///
/// # Errors
/// The database is unavailable.
pub async fn take(
    tx: &Tx,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<i64>, StorageError> {
    let row = leases::Model { name: name.to_owned(), holder: holder.to_owned(), fence: 1, expires_at: until.millis() };
    let own = || Expr::col((Entity, Column::Holder)).eq(holder);
    let fence = || Expr::col((Entity, Column::Fence));
    let next: CaseStatement = Expr::case(own(), fence()).finally(fence().add(1_i64));
    let again = OnConflict::column(Column::Name)
        .value(Column::Fence, next)
        .update_columns([Column::Holder, Column::ExpiresAt])
        .action_and_where(own().or(Expr::col((Entity, Column::ExpiresAt)).lte(now.millis())))
        .to_owned();
    let mut query = Entity::insert(row.into_active_model()).on_conflict(again).into_query();
    query.returning_col(Column::Fence);
    match tx.raw().query_one(&query).await? {
        Some(row) => Ok(Some(row.try_get("", "fence")?)),
        None => Ok(None),
    }
}

/// Gives a lease back. The row stays, so that the fence goes on rising.
///
/// # Errors
/// The database is unavailable.
pub async fn release(tx: &Tx, name: &str, holder: &str) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(0_i64))
        .filter(Column::Name.eq(name))
        .filter(Column::Holder.eq(holder))
        .exec(tx.raw())
        .await?;
    Ok(())
}
