//! Devices that wait for a person's word (RFC 8628).

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::{digest, from_seconds, json, parsed, seconds, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::device_codes;
use super::error::StorageError;
use crate::model::authorization::Authorization;
use crate::model::device_code::{DeviceCode, DeviceState};
use crate::model::ids::{ClientId, FamilyId, UserId};
use crate::model::time::Timestamp;

const TABLE: &str = "device_codes";

fn noun(row: device_codes::Model) -> Result<DeviceCode, StorageError> {
    Ok(DeviceCode {
        digest: digest(TABLE, "digest", &row.digest)?,
        user_code: row.user_code,
        client: parsed(TABLE, "client_id", &row.client_id)?,
        scope: parsed(TABLE, "scope", &row.scope)?,
        audience: row.audience,
        state: parsed(TABLE, "state", &row.state)?,
        family: FamilyId::from_uuid(row.family_id),
        authorization: row.authorization.as_deref().map(|text| json(TABLE, "authorization", text)).transpose()?,
        interval: seconds(TABLE, "interval", Some(row.interval))?.unwrap_or_default(),
        polled_at: row.polled_at.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

/// Adds a request.
///
/// # Errors
/// `Duplicate` if the user code is taken; or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, code: &DeviceCode) -> Result<(), StorageError> {
    let row = device_codes::Model {
        tenant_id: tx.tenant().uuid(),
        digest: code.digest.to_vec(),
        user_code: code.user_code.clone(),
        client_id: code.client.as_str().to_owned(),
        scope: code.scope.to_string(),
        audience: code.audience.clone(),
        state: code.state.as_str().to_owned(),
        family_id: code.family.uuid(),
        authorization: code.authorization.as_ref().map(to_json),
        interval: from_seconds(Some(code.interval)).unwrap_or_default(),
        polled_at: code.polled_at.map(Timestamp::millis),
        created_at: code.created_at.millis(),
        expires_at: code.expires_at.millis(),
    };
    device_codes::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The request of a device code, whatever became of it.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, code: &[u8; 32]) -> Result<Option<DeviceCode>, StorageError> {
    device_codes::Entity::find()
        .filter(device_codes::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(device_codes::Column::Digest.eq(code.to_vec()))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// The request that a person's code names, whatever became of it.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_user_code(rows: &TenantRows<'_>, code: &str) -> Result<Option<DeviceCode>, StorageError> {
    device_codes::Entity::find()
        .filter(device_codes::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(device_codes::Column::UserCode.eq(code))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// Writes down what a person said, if nobody has and it has not expired. Of many who try, one
/// succeeds.
///
/// # Errors
/// The database is unavailable.
pub async fn decide(
    tx: &TenantTx<'_>,
    user_code: &str,
    state: DeviceState,
    authorization: Option<&Authorization>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    use device_codes::Column;
    let done = device_codes::Entity::update_many()
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::Authorization, Expr::value(authorization.map(to_json)))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::UserCode.eq(user_code))
        .filter(Column::State.eq(DeviceState::Pending.as_str()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Uses an allowed request up, if it is this client's and has not expired. Of many who try, one
/// succeeds.
///
/// # Errors
/// The database is unavailable.
pub async fn redeem(
    tx: &TenantTx<'_>,
    code: &[u8; 32],
    client: &ClientId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    use device_codes::Column;
    let done = device_codes::Entity::update_many()
        .col_expr(Column::State, Expr::value(DeviceState::Used.as_str()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(code.to_vec()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::State.eq(DeviceState::Approved.as_str()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// What a user allowed devices of a client and these have not fetched counts as refused.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn refuse_of_user_at(tx: &TenantTx<'_>, user: UserId, client: &ClientId) -> Result<(), StorageError> {
    use device_codes::Column;
    let approved = device_codes::Entity::find()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::State.eq(DeviceState::Approved.as_str()))
        .all(&tx.raw())
        .await?;
    for code in approved {
        let code = noun(code)?;
        if code.authorization.is_some_and(|authorization| authorization.user == user) {
            device_codes::Entity::update_many()
                .col_expr(Column::State, Expr::value(DeviceState::Denied.as_str()))
                .filter(Column::TenantId.eq(tx.tenant().uuid()))
                .filter(Column::Digest.eq(code.digest.to_vec()))
                .filter(Column::State.eq(DeviceState::Approved.as_str()))
                .exec(&tx.raw())
                .await?;
        }
    }
    Ok(())
}

/// Writes down that a device asked, and how long it must wait from now on.
///
/// # Errors
/// The database is unavailable.
pub async fn note_poll(
    tx: &TenantTx<'_>,
    code: &[u8; 32],
    now: Timestamp,
    interval: std::time::Duration,
) -> Result<(), StorageError> {
    use device_codes::Column;
    device_codes::Entity::update_many()
        .col_expr(Column::PolledAt, Expr::value(now.millis()))
        .col_expr(Column::Interval, Expr::value(from_seconds(Some(interval)).unwrap_or(i32::MAX)))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(code.to_vec()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
