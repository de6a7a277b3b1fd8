//! Authenticator apps, one a person.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, UpdateMany};

use super::column::{millis, moment};
use super::db::{TenantRows, TenantTx};
use super::entity::totp_factors::{self, Column, Entity};
use super::error::StorageError;
use crate::model::factors::TotpFactor;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: totp_factors::Model) -> TotpFactor {
    TotpFactor {
        user: UserId::from_uuid(row.user_id),
        sealed_secret: row.sealed_secret,
        last_step: row.last_step,
        created_at: Timestamp::from_millis(row.created_at),
        confirmed_at: moment(row.confirmed_at),
    }
}

fn own(rows: &TenantRows<'_>, user: UserId) -> Condition {
    Condition::all().add(Column::TenantId.eq(rows.tenant().uuid())).add(Column::UserId.eq(user.uuid()))
}

/// Writes an app that is being set up, over one that was never confirmed; says whether it did.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(tx: &TenantTx<'_>, factor: &TotpFactor) -> Result<bool, StorageError> {
    let row = totp_factors::Model {
        tenant_id: tx.tenant().uuid(),
        user_id: factor.user.uuid(),
        sealed_secret: factor.sealed_secret.clone(),
        last_step: factor.last_step,
        created_at: factor.created_at.millis(),
        confirmed_at: millis(factor.confirmed_at),
    };
    let again = OnConflict::columns([Column::TenantId, Column::UserId])
        .update_columns([Column::SealedSecret, Column::LastStep, Column::CreatedAt])
        .action_and_where(Expr::col((Entity, Column::ConfirmedAt)).is_null())
        .to_owned();
    Ok(Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&tx.raw()).await? == 1)
}

/// A person's app, confirmed or not.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>, user: UserId) -> Result<Option<TotpFactor>, StorageError> {
    Ok(Entity::find().filter(own(rows, user)).one(&rows.raw()).await?.map(noun))
}

/// Whether a person has a confirmed app.
///
/// # Errors
/// The database is unavailable.
pub async fn is_confirmed(rows: &TenantRows<'_>, user: UserId) -> Result<bool, StorageError> {
    let confirmed = Entity::find().filter(own(rows, user)).filter(Column::ConfirmedAt.is_not_null());
    Ok(confirmed.count(&rows.raw()).await? > 0)
}

/// Uses up a time step of an app, which must still have this secret.
fn stepped(tx: &TenantTx<'_>, factor: &TotpFactor, step: i64) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(own(tx, factor.user))
        .filter(Column::SealedSecret.eq(factor.sealed_secret.clone()))
}

/// Confirms an app by a first code, of this time step; says whether it was waiting for that.
///
/// # Errors
/// The database is unavailable.
pub async fn confirm(tx: &TenantTx<'_>, factor: &TotpFactor, step: i64, now: Timestamp) -> Result<bool, StorageError> {
    let query = stepped(tx, factor, step)
        .col_expr(Column::ConfirmedAt, Expr::value(now.millis()))
        .filter(Column::ConfirmedAt.is_null());
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// Uses up a time step of a confirmed app; says whether it is a later one than the last.
///
/// # Errors
/// The database is unavailable.
pub async fn use_step(tx: &TenantTx<'_>, factor: &TotpFactor, step: i64) -> Result<bool, StorageError> {
    let later = Condition::any().add(Column::LastStep.is_null()).add(Column::LastStep.lt(step));
    let query = stepped(tx, factor, step).filter(Column::ConfirmedAt.is_not_null()).filter(later);
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// Removes a person's app; says whether it was a confirmed one.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, user: UserId) -> Result<bool, StorageError> {
    let confirmed = is_confirmed(tx, user).await?;
    Entity::delete_many().filter(own(tx, user)).exec(&tx.raw()).await?;
    Ok(confirmed)
}
