//! Browsers in which people have signed in before.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use super::column::{digest, millis, moment};
use super::db::{TenantRows, TenantTx};
use super::entity::known_browsers::{self, Column, Entity};
use super::error::StorageError;
use crate::model::factors::KnownBrowser;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

fn noun(row: known_browsers::Model) -> Result<KnownBrowser, StorageError> {
    Ok(KnownBrowser {
        browser: digest("known_browsers", "browser", &row.browser)?,
        trusted_until: moment(row.trusted_until),
        first_at: Timestamp::from_millis(row.first_at),
        seen_at: Timestamp::from_millis(row.seen_at),
        user_agent: row.user_agent,
        address: row.address,
    })
}

fn own(rows: &TenantRows<'_>, user: UserId) -> Condition {
    Condition::all().add(Column::TenantId.eq(rows.tenant().uuid())).add(Column::UserId.eq(user.uuid()))
}

/// Remembers that a person signed in in a browser; says whether it is one more beside others.
///
/// # Errors
/// The person does not exist, or the database is unavailable.
pub async fn seen(tx: &TenantTx<'_>, user: UserId, browser: &KnownBrowser) -> Result<bool, StorageError> {
    let others = Entity::find().filter(own(tx, user)).count(&tx.raw()).await?;
    let row = known_browsers::Model {
        tenant_id: tx.tenant().uuid(),
        user_id: user.uuid(),
        browser: browser.browser.to_vec(),
        trusted_until: millis(browser.trusted_until),
        first_at: browser.first_at.millis(),
        seen_at: browser.seen_at.millis(),
        user_agent: browser.user_agent.clone(),
        address: browser.address.clone(),
    };
    let known = OnConflict::columns([Column::TenantId, Column::UserId, Column::Browser]).do_nothing().to_owned();
    let added = Entity::insert(row.clone().into_active_model()).on_conflict(known);
    if added.exec_without_returning(&tx.raw()).await? == 1 {
        return Ok(others > 0);
    }
    Entity::update_many()
        .col_expr(Column::SeenAt, Expr::value(row.seen_at))
        .col_expr(Column::UserAgent, Expr::value(row.user_agent))
        .col_expr(Column::Address, Expr::value(row.address))
        .filter(own(tx, user))
        .filter(Column::Browser.eq(row.browser))
        .exec(&tx.raw())
        .await?;
    Ok(false)
}

/// What is known of a browser of a person.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(
    rows: &TenantRows<'_>,
    user: UserId,
    browser: &[u8; 32],
) -> Result<Option<KnownBrowser>, StorageError> {
    let query = Entity::find().filter(own(rows, user)).filter(Column::Browser.eq(browser.to_vec()));
    query.one(&rows.raw()).await?.map(noun).transpose()
}

/// Has a browser that is known stand in for a second factor; says whether it is known.
///
/// # Errors
/// The database is unavailable.
pub async fn trust(
    tx: &TenantTx<'_>,
    user: UserId,
    browser: &[u8; 32],
    until: Timestamp,
) -> Result<bool, StorageError> {
    let query = Entity::update_many()
        .col_expr(Column::TrustedUntil, Expr::value(until.millis()))
        .filter(own(tx, user))
        .filter(Column::Browser.eq(browser.to_vec()));
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// Ends the trust in every browser of a person. That they have been seen is not forgotten: whoever
/// signs in from elsewhere after a stolen password was changed is still noticed.
///
/// # Errors
/// The database is unavailable.
pub async fn distrust_all(tx: &TenantTx<'_>, user: UserId) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::TrustedUntil, Expr::value(Option::<i64>::None))
        .filter(own(tx, user))
        .filter(Column::TrustedUntil.is_not_null())
        .exec(&tx.raw())
        .await?;
    Ok(())
}
