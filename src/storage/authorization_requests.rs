//! Authorization requests that wait: pushed by a client (RFC 9126), or under way in a browser.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::{digest, json, parsed, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::authorization_requests;
use super::error::StorageError;
use crate::model::authorization_request::{AuthorizationRequest, Progress, RequestKind};
use crate::model::time::Timestamp;

const TABLE: &str = "authorization_requests";

fn noun(row: authorization_requests::Model) -> Result<AuthorizationRequest, StorageError> {
    Ok(AuthorizationRequest {
        digest: digest(TABLE, "digest", &row.digest)?,
        kind: parsed(TABLE, "kind", &row.kind)?,
        client: parsed(TABLE, "client_id", &row.client_id)?,
        browser: row.browser.as_deref().map(|bytes| digest(TABLE, "browser", bytes)).transpose()?,
        parameters: json(TABLE, "parameters", &row.parameters)?,
        progress: json(TABLE, "progress", &row.progress)?,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        used: row.used_at.is_some(),
    })
}

/// Adds a request.
///
/// # Errors
/// Its client does not exist, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, request: &AuthorizationRequest) -> Result<(), StorageError> {
    let row = authorization_requests::Model {
        tenant_id: tx.tenant().uuid(),
        digest: request.digest.to_vec(),
        kind: request.kind.as_str().to_owned(),
        client_id: request.client.as_str().to_owned(),
        browser: request.browser.map(|digest| digest.to_vec()),
        parameters: to_json(&request.parameters),
        progress: to_json(&request.progress),
        created_at: request.created_at.millis(),
        expires_at: request.expires_at.millis(),
        used_at: None,
    };
    authorization_requests::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The request of a reference, used or expired or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, reference: &[u8; 32]) -> Result<Option<AuthorizationRequest>, StorageError> {
    authorization_requests::Entity::find()
        .filter(authorization_requests::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(authorization_requests::Column::Digest.eq(reference.to_vec()))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// Writes down how far a sign-in has come, unless it has come to its end.
///
/// # Errors
/// The database is unavailable.
pub async fn set_progress(tx: &TenantTx<'_>, reference: &[u8; 32], progress: &Progress) -> Result<bool, StorageError> {
    use authorization_requests::Column;
    let done = authorization_requests::Entity::update_many()
        .col_expr(Column::Progress, Expr::value(to_json(progress)))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(reference.to_vec()))
        .filter(Column::UsedAt.is_null())
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Uses a request up. Of many who try, one succeeds.
///
/// # Errors
/// The database is unavailable.
pub async fn use_once(tx: &TenantTx<'_>, reference: &[u8; 32], now: Timestamp) -> Result<bool, StorageError> {
    use authorization_requests::Column;
    let done = authorization_requests::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(reference.to_vec()))
        .filter(Column::UsedAt.is_null())
        // A pushed request has a minute to be begun, and its person the time that a sign-in takes.
        .filter(Column::ExpiresAt.gt(now.millis()).or(Column::Kind.eq(RequestKind::Pushed.as_str())))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}
