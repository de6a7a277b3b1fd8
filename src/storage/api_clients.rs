//! API clients: key pairs of trusted systems.

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::column::{digest, json_array, millis, moment, parsed, texts};
use super::db::{TenantRows, TenantTx};
use super::entity::api_clients::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::api_client::ApiClient;
use crate::model::ids::{ApiClientId, TenantId};
use crate::model::time::Timestamp;

const TABLE: &str = "api_clients";

pub(in crate::storage) fn noun(row: Model) -> Result<ApiClient, StorageError> {
    let previous = match (&row.previous_secret_digest, moment(row.previous_secret_expires_at)) {
        (Some(bytes), Some(until)) => Some((digest(TABLE, "previous_secret_digest", bytes)?, until)),
        _ => None,
    };
    let networks = texts(TABLE, "networks", &row.networks)?;
    Ok(ApiClient {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: ApiClientId::from_uuid(row.id),
        name: row.name,
        client_key: row.client_key,
        secret: digest(TABLE, "secret_digest", &row.secret_digest)?,
        previous_secret: previous,
        expires_at: moment(row.expires_at),
        enabled: row.enabled,
        origins: texts(TABLE, "origins", &row.origins)?,
        networks: networks.iter().map(|text| parsed(TABLE, "networks", text)).collect::<Result<_, _>>()?,
        paths: texts(TABLE, "paths", &row.paths)?,
        created_at: Timestamp::from_millis(row.created_at),
    })
}

pub(in crate::storage) fn row(client: &ApiClient) -> Model {
    Model {
        tenant_id: client.tenant.uuid(),
        id: client.id.uuid(),
        name: client.name.clone(),
        client_key: client.client_key.clone(),
        secret_digest: client.secret.to_vec(),
        previous_secret_digest: client.previous_secret.map(|(digest, _)| digest.to_vec()),
        previous_secret_expires_at: millis(client.previous_secret.map(|(_, until)| until)),
        expires_at: millis(client.expires_at),
        enabled: client.enabled,
        origins: json_array(&client.origins),
        networks: json_array(client.networks.iter().map(ToString::to_string)),
        paths: json_array(&client.paths),
        created_at: client.created_at.millis(),
    }
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(rows.tenant().uuid()))
}

/// Adds an API client of the transaction's tenant.
///
/// # Errors
/// `Duplicate` if its id or key is taken; or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, client: &ApiClient) -> Result<(), StorageError> {
    Entity::insert(row(client).into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The API client of this client key, enabled or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_key(rows: &TenantRows<'_>, client_key: &str) -> Result<Option<ApiClient>, StorageError> {
    of_tenant(rows).filter(Column::ClientKey.eq(client_key)).one(&rows.raw()).await?.map(noun).transpose()
}

/// The same, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, client_key: &str) -> Result<Option<ApiClient>, StorageError> {
    let query = of_tenant(tx).filter(Column::ClientKey.eq(client_key)).lock(LockType::NoKeyUpdate);
    query.one(&tx.raw()).await?.map(noun).transpose()
}

/// Whether there is any, enabled or not.
///
/// # Errors
/// The database is unavailable.
pub async fn is_any(rows: &TenantRows<'_>) -> Result<bool, StorageError> {
    Ok(of_tenant(rows).limit(1).one(&rows.raw()).await?.is_some())
}

/// At most `limit` after `after`, in the order of their ids, which is that of their making.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list_after(
    rows: &TenantRows<'_>,
    after: Option<ApiClientId>,
    limit: u64,
) -> Result<Vec<ApiClient>, StorageError> {
    let mut query = of_tenant(rows).order_by_asc(Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.uuid()));
    }
    query.all(&rows.raw()).await?.into_iter().map(noun).collect()
}

/// Writes what may change: everything but id, client key and the moment of its making. What is written must
/// have been read by [`find_for_update`].
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, client: &ApiClient) -> Result<(), StorageError> {
    let mut row = row(client).into_active_model().reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.client_key = NotSet;
    row.created_at = NotSet;
    Entity::update_many()
        .set(row)
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(client.id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
