//! Requests that are answered once however often they come.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::digest;
use super::db::TenantTx;
use super::entity::idempotent_requests::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::time::Timestamp;

/// A request that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of what was asked.
    pub request: [u8; 32],
    /// Status and sealed body of the answer, once there is one.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// Takes a key for a request until `until`, unless it is taken already: then says by which request.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn take(
    tx: &TenantTx<'_>,
    key: &[u8; 32],
    request: &[u8; 32],
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Known>, StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        digest: key.to_vec(),
        request_digest: request.to_vec(),
        status: 0,
        sealed_answer: None,
        expires_at: until.millis(),
    };
    // One statement decides who goes; what has expired counts as not there.
    let again = OnConflict::columns([Column::TenantId, Column::Digest])
        .update_columns([Column::RequestDigest, Column::Status, Column::SealedAnswer, Column::ExpiresAt])
        .action_and_where(Expr::col((Entity, Column::ExpiresAt)).lte(now.millis()))
        .to_owned();
    if Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&tx.raw()).await? == 1 {
        return Ok(None);
    }
    let known = Entity::find().filter(of(tx, key)).one(&tx.raw()).await?;
    known
        .map(|row| {
            let answer = row.sealed_answer.and_then(|sealed| Some((u16::try_from(row.status).ok()?, sealed)));
            Ok(Known { request: digest("idempotent_requests", "request_digest", &row.request_digest)?, answer })
        })
        .transpose()
}

fn of(tx: &TenantTx<'_>, key: &[u8; 32]) -> Condition {
    Condition::all().add(Column::TenantId.eq(tx.tenant().uuid())).add(Column::Digest.eq(key.to_vec()))
}

/// Keeps the answer to a request until `until`.
///
/// # Errors
/// The database is unavailable.
pub async fn answer(
    tx: &TenantTx<'_>,
    key: &[u8; 32],
    status: u16,
    sealed: &[u8],
    until: Timestamp,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(i32::from(status)))
        .col_expr(Column::SealedAnswer, Expr::value(sealed.to_vec()))
        .col_expr(Column::ExpiresAt, Expr::value(until.millis()))
        .filter(of(tx, key))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Frees a key whose request came to nothing.
///
/// # Errors
/// The database is unavailable.
pub async fn free(tx: &TenantTx<'_>, key: &[u8; 32]) -> Result<(), StorageError> {
    Entity::delete_many().filter(of(tx, key)).exec(&tx.raw()).await?;
    Ok(())
}
