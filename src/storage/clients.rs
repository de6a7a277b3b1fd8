//! OAuth clients and what they may do for themselves.

use std::collections::HashMap;

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, Select,
};

use super::column::{digest, from_seconds, json, json_array, parsed, seconds, texts, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::{client_permissions, clients, permissions};
use super::error::StorageError;
use crate::model::client::{Client, ClientSecrets, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::{ClientId, PermissionId, TenantId};
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;

const TABLE: &str = "clients";

fn secrets(row: &clients::Model) -> Result<Option<ClientSecrets>, StorageError> {
    let Some(current) = &row.secret_digest else { return Ok(None) };
    let previous = match (&row.previous_secret_digest, row.previous_secret_expires_at) {
        (Some(bytes), Some(until)) => {
            Some((digest(TABLE, "previous_secret_digest", bytes)?, Timestamp::from_millis(until)))
        }
        _ => None,
    };
    let current = digest(TABLE, "secret_digest", current)?;
    Ok(Some(ClientSecrets { current, previous, sealed: row.sealed_secret.clone() }))
}

pub(in crate::storage) fn noun(row: clients::Model, mut codes: Vec<String>) -> Result<Client, StorageError> {
    // Sorted here, because databases differ in how they order texts.
    codes.sort_unstable();
    let grant_types = texts(TABLE, "grant_types", &row.grant_types)?;
    Ok(Client {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: parsed(TABLE, "id", &row.id)?,
        enabled: row.enabled,
        auth_method: parsed(TABLE, "auth_method", &row.auth_method)?,
        secrets: secrets(&row)?,
        grant_types: grant_types.iter().map(|text| parsed(TABLE, "grant_types", text)).collect::<Result<_, _>>()?,
        redirect_uris: texts(TABLE, "redirect_uris", &row.redirect_uris)?,
        post_logout_redirect_uris: texts(TABLE, "post_logout_redirect_uris", &row.post_logout_redirect_uris)?,
        scope: parsed(TABLE, "scope", &row.scope)?,
        permissions: OAuthScope::from_tokens(codes),
        audiences: texts(TABLE, "audiences", &row.audiences)?,
        access_token_format: parsed(TABLE, "access_token_format", &row.access_token_format)?,
        signing_alg: parsed(TABLE, "signing_alg", &row.signing_alg)?,
        access_token_ttl: seconds(TABLE, "access_token_ttl", row.access_token_ttl)?,
        refresh_token_ttl: seconds(TABLE, "refresh_token_ttl", row.refresh_token_ttl)?,
        settings: row
            .settings
            .as_deref()
            .map_or_else(|| Ok(ClientSettings::default()), |text| json(TABLE, "settings", text))?,
        created_at: Timestamp::from_millis(row.created_at),
        name: row.name,
        description: row.description,
        jwks: row.jwks,
        default_audience: row.default_audience,
    })
}

pub(in crate::storage) fn row(tenant: TenantId, client: &Client) -> clients::Model {
    let secrets = client.secrets.as_ref();
    let previous = secrets.and_then(|secrets| secrets.previous);
    clients::Model {
        tenant_id: tenant.uuid(),
        id: client.id.as_str().to_owned(),
        name: client.name.clone(),
        description: client.description.clone(),
        enabled: client.enabled,
        auth_method: client.auth_method.as_str().to_owned(),
        secret_digest: secrets.map(|secrets| secrets.current.to_vec()),
        previous_secret_digest: previous.map(|(digest, _)| digest.to_vec()),
        previous_secret_expires_at: previous.map(|(_, until)| until.millis()),
        sealed_secret: secrets.and_then(|secrets| secrets.sealed.clone()),
        jwks: client.jwks.clone(),
        grant_types: json_array(client.grant_types.iter().map(|grant| grant.as_str())),
        redirect_uris: json_array(&client.redirect_uris),
        post_logout_redirect_uris: json_array(&client.post_logout_redirect_uris),
        scope: client.scope.to_string(),
        default_audience: client.default_audience.clone(),
        audiences: json_array(&client.audiences),
        access_token_format: client.access_token_format.as_str().to_owned(),
        signing_alg: client.signing_alg.as_str().to_owned(),
        access_token_ttl: from_seconds(client.access_token_ttl),
        refresh_token_ttl: from_seconds(client.refresh_token_ttl),
        settings: Some(to_json(&client.settings)),
        created_at: client.created_at.millis(),
    }
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<clients::Entity> {
    clients::Entity::find().filter(clients::Column::TenantId.eq(rows.tenant().uuid()))
}

/// Which client has which permission: ids and codes, of all clients or of some.
async fn permission_codes(
    rows: &TenantRows<'_>,
    of: Option<&[&str]>,
) -> Result<HashMap<String, Vec<String>>, StorageError> {
    let mut query = client_permissions::Entity::find()
        .select_only()
        .column(client_permissions::Column::ClientId)
        .column(permissions::Column::Code)
        .join(JoinType::InnerJoin, client_permissions::Relation::Permission.def())
        .filter(client_permissions::Column::TenantId.eq(rows.tenant().uuid()));
    if let Some(ids) = of {
        query = query.filter(client_permissions::Column::ClientId.is_in(ids.iter().copied()));
    }
    let pairs: Vec<(String, String)> = query.into_tuple().all(&rows.raw()).await?;
    let mut codes = HashMap::<String, Vec<String>>::new();
    for (client, code) in pairs {
        codes.entry(client).or_default().push(code);
    }
    Ok(codes)
}

async fn all(rows: &TenantRows<'_>, query: Select<clients::Entity>) -> Result<Vec<Client>, StorageError> {
    let found = query.all(&rows.raw()).await?;
    let mut codes = permission_codes(rows, None).await?;
    let mut all = Vec::with_capacity(found.len());
    for row in found {
        let own = codes.remove(&row.id).unwrap_or_default();
        all.push(noun(row, own)?);
    }
    all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(all)
}

/// Adds a client; its permissions are granted one by one.
///
/// # Errors
/// The id exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, client: &Client) -> Result<(), StorageError> {
    let row = row(tx.tenant(), client).into_active_model();
    clients::Entity::insert(row).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// One client.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: &ClientId) -> Result<Option<Client>, StorageError> {
    one(rows, of_tenant(rows).filter(clients::Column::Id.eq(id.as_str()))).await
}

/// One client, which nobody else changes until this transaction ends: read this way what is written
/// back, or what must still be so when the transaction commits.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, id: &ClientId) -> Result<Option<Client>, StorageError> {
    one(tx, of_tenant(tx).filter(clients::Column::Id.eq(id.as_str())).lock(LockType::NoKeyUpdate)).await
}

async fn one(rows: &TenantRows<'_>, query: Select<clients::Entity>) -> Result<Option<Client>, StorageError> {
    let Some(row) = query.one(&rows.raw()).await? else { return Ok(None) };
    let codes = permission_codes(rows, Some(&[row.id.as_str()])).await?.remove(&row.id).unwrap_or_default();
    noun(row, codes).map(Some)
}

/// Up to `limit` clients after one, by id.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list_after(
    rows: &TenantRows<'_>,
    after: Option<&ClientId>,
    limit: u64,
) -> Result<Vec<Client>, StorageError> {
    let mut query = of_tenant(rows).order_by_asc(clients::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(clients::Column::Id.gt(after.as_str()));
    }
    let found = query.all(&rows.raw()).await?;
    let ids: Vec<&str> = found.iter().map(|row| row.id.as_str()).collect();
    let mut codes = permission_codes(rows, Some(&ids)).await?;
    found
        .into_iter()
        .map(|row| {
            let own = codes.remove(&row.id).unwrap_or_default();
            noun(row, own)
        })
        .collect()
}

/// All clients, oldest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Client>, StorageError> {
    all(rows, of_tenant(rows)).await
}

/// The clients that act for themselves, oldest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn services(rows: &TenantRows<'_>) -> Result<Vec<Client>, StorageError> {
    // `_` stands for any character here, which no other grant type takes advantage of.
    let named = format!("\"{}\"", GrantType::ClientCredentials);
    all(rows, of_tenant(rows).filter(clients::Column::GrantTypes.contains(named))).await
}

/// Writes everything about a client but its permissions; says whether it exists. What is written
/// must have been read by [`find_for_update`].
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, client: &Client) -> Result<bool, StorageError> {
    let mut row = row(tx.tenant(), client).into_active_model().reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.created_at = NotSet;
    let done = clients::Entity::update_many()
        .set(row)
        .filter(clients::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(clients::Column::Id.eq(client.id.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes a client and all that hangs on it; says whether it existed.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: &ClientId) -> Result<bool, StorageError> {
    let done = clients::Entity::delete_many()
        .filter(clients::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(clients::Column::Id.eq(id.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Gives a client a permission; says whether it lacked it.
///
/// # Errors
/// The client or permission does not exist, or the database is unavailable.
pub async fn grant_permission(
    tx: &TenantTx<'_>,
    client: &ClientId,
    permission: &PermissionId,
    by: &str,
    at: Timestamp,
) -> Result<bool, StorageError> {
    use client_permissions::Column;
    let row = client_permissions::Model {
        tenant_id: tx.tenant().uuid(),
        client_id: client.as_str().to_owned(),
        permission_id: permission.as_str().to_owned(),
        granted_by: by.to_owned(),
        granted_at: at.millis(),
    };
    let had = OnConflict::columns([Column::TenantId, Column::ClientId, Column::PermissionId]).do_nothing().to_owned();
    let written = client_permissions::Entity::insert(row.into_active_model())
        .on_conflict(had)
        .exec_without_returning(&tx.raw())
        .await?;
    Ok(written == 1)
}

/// Takes a permission from a client; says whether it had it.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_permission(
    tx: &TenantTx<'_>,
    client: &ClientId,
    permission: &PermissionId,
) -> Result<bool, StorageError> {
    let done = client_permissions::Entity::delete_many()
        .filter(client_permissions::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(client_permissions::Column::ClientId.eq(client.as_str()))
        .filter(client_permissions::Column::PermissionId.eq(permission.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}
