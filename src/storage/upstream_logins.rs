//! People on their way to a provider and back.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::digest;
use super::db::{TenantRows, TenantTx};
use super::entity::upstream_logins::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::connection::UpstreamLogin;
use crate::model::ids::ConnectionId;
use crate::model::time::Timestamp;

const TABLE: &str = "upstream_logins";

fn noun(row: Model) -> Result<UpstreamLogin, StorageError> {
    Ok(UpstreamLogin {
        digest: digest(TABLE, "digest", &row.digest)?,
        connection: ConnectionId::from_uuid(row.connection_id),
        browser: row.browser.as_deref().map(|bytes| digest(TABLE, "browser", bytes)).transpose()?,
        goal: row.goal,
        nonce: row.nonce,
        sealed_verifier: row.sealed_verifier,
        request_id: row.request_id,
        pending: row.pending,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

/// Somebody sets out.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, login: &UpstreamLogin) -> Result<(), StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        digest: login.digest.to_vec(),
        connection_id: login.connection.uuid(),
        browser: login.browser.map(|digest| digest.to_vec()),
        goal: login.goal.clone(),
        nonce: login.nonce.clone(),
        sealed_verifier: login.sealed_verifier.clone(),
        request_id: login.request_id.clone(),
        pending: login.pending.clone(),
        created_at: login.created_at.millis(),
        expires_at: login.expires_at.millis(),
        used_at: None,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Who set out under this digest and has not come back; changes nothing.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(
    rows: &TenantRows<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<UpstreamLogin>, StorageError> {
    Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::Digest.eq(digest.to_vec()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// Somebody comes back: one statement that compares connection, browser and time, so of several answers
/// one counts. Says whether it is this one.
///
/// # Errors
/// The database is unavailable.
pub async fn use_once(tx: &TenantTx<'_>, login: &UpstreamLogin, now: Timestamp) -> Result<bool, StorageError> {
    let browser = login.browser.map_or_else(|| Column::Browser.is_null(), |digest| Column::Browser.eq(digest.to_vec()));
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(login.digest.to_vec()))
        .filter(Column::ConnectionId.eq(login.connection.uuid()))
        .filter(browser)
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(used.rows_affected == 1)
}
