//! Recovery codes, by digest.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use super::db::{TenantRows, TenantTx};
use super::entity::recovery_codes::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

fn own(rows: &TenantRows<'_>, user: UserId) -> Condition {
    Condition::all().add(Column::TenantId.eq(rows.tenant().uuid())).add(Column::UserId.eq(user.uuid()))
}

/// Replaces a person's codes.
///
/// # Errors
/// The database is unavailable.
pub async fn replace(
    tx: &TenantTx<'_>,
    user: UserId,
    digests: &[[u8; 32]],
    now: Timestamp,
) -> Result<(), StorageError> {
    delete_all(tx, user).await?;
    let rows = digests.iter().map(|digest| {
        let row = Model {
            tenant_id: tx.tenant().uuid(),
            user_id: user.uuid(),
            digest: digest.to_vec(),
            created_at: now.millis(),
            used_at: None,
        };
        row.into_active_model()
    });
    Entity::insert_many(rows).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Uses up one code; says whether it was one that had not been used.
///
/// # Errors
/// The database is unavailable.
pub async fn use_once(
    tx: &TenantTx<'_>,
    user: UserId,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let query = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(own(tx, user))
        .filter(Column::Digest.eq(digest.to_vec()))
        .filter(Column::UsedAt.is_null());
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// How many codes a person has left.
///
/// # Errors
/// The database is unavailable.
pub async fn left(rows: &TenantRows<'_>, user: UserId) -> Result<u64, StorageError> {
    Ok(Entity::find().filter(own(rows, user)).filter(Column::UsedAt.is_null()).count(&rows.raw()).await?)
}

/// Deletes all codes of a person.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_all(tx: &TenantTx<'_>, user: UserId) -> Result<(), StorageError> {
    Entity::delete_many().filter(own(tx, user)).exec(&tx.raw()).await?;
    Ok(())
}
