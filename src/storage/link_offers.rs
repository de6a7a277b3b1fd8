//! Accounts of elsewhere that may be linked once their owner has signed in here.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::column::digest;
use super::db::{TenantRows, TenantTx};
use super::entity::link_offers::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::connection::LinkOffer;
use crate::model::ids::ConnectionId;
use crate::model::time::Timestamp;

const TABLE: &str = "link_offers";

/// Makes an offer.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, offer: &LinkOffer) -> Result<(), StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        digest: offer.digest.to_vec(),
        connection_id: offer.connection.uuid(),
        subject: offer.subject.clone(),
        browser: offer.browser.to_vec(),
        label: offer.label.clone(),
        expires_at: offer.expires_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The offer of this digest to this browser, if it still stands; changes nothing.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(
    rows: &TenantRows<'_>,
    name: &[u8; 32],
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<LinkOffer>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::Digest.eq(name.to_vec()))
        .filter(Column::Browser.eq(browser.to_vec()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .one(&rows.raw())
        .await?;
    found.map(noun).transpose()
}

/// The offers to this browser that still stand.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_browser(
    rows: &TenantRows<'_>,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Vec<LinkOffer>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::Browser.eq(browser.to_vec()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .order_by_asc(Column::ExpiresAt)
        .all(&rows.raw())
        .await?;
    found.into_iter().map(noun).collect()
}

fn noun(row: Model) -> Result<LinkOffer, StorageError> {
    Ok(LinkOffer {
        digest: digest(TABLE, "digest", &row.digest)?,
        connection: ConnectionId::from_uuid(row.connection_id),
        subject: row.subject,
        browser: digest(TABLE, "browser", &row.browser)?,
        label: row.label,
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

/// Takes an offer: one statement, so it is taken once. Says whether this took it.
///
/// # Errors
/// The database is unavailable.
pub async fn take(tx: &TenantTx<'_>, offer: &LinkOffer, now: Timestamp) -> Result<bool, StorageError> {
    let taken = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(offer.digest.to_vec()))
        .filter(Column::ConnectionId.eq(offer.connection.uuid()))
        .filter(Column::Subject.eq(offer.subject.as_str()))
        .filter(Column::Browser.eq(offer.browser.to_vec()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(taken.rows_affected == 1)
}
