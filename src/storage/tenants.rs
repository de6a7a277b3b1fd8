//! Tenants and their keys.

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::column::{digest, json, millis, moment, parsed, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::{tenant_keys, tenants};
use super::error::StorageError;
use crate::model::ids::TenantId;
use crate::model::tenant::{Tenant, TenantKey, TenantKeyKind};
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: tenants::Model) -> Result<Tenant, StorageError> {
    Ok(Tenant {
        id: TenantId::from_uuid(row.id),
        name: row.name,
        is_default: row.is_default,
        enabled: row.enabled,
        settings: json("tenants", "settings", &row.settings)?,
        created_at: Timestamp::from_millis(row.created_at),
    })
}

pub(in crate::storage) fn key_noun(row: tenant_keys::Model) -> Result<TenantKey, StorageError> {
    Ok(TenantKey {
        kind: parsed("tenant_keys", "kind", &row.kind)?,
        digest: digest("tenant_keys", "digest", &row.digest)?,
        public_text: row.public_text,
        expires_at: moment(row.expires_at),
        created_at: Timestamp::from_millis(row.created_at),
    })
}

fn row(tenant: TenantId, noun: &Tenant) -> tenants::Model {
    tenants::Model {
        id: tenant.uuid(),
        name: noun.name.clone(),
        is_default: noun.is_default,
        enabled: noun.enabled,
        settings: to_json(&noun.settings),
        created_at: noun.created_at.millis(),
    }
}

/// Adds the transaction's own tenant.
///
/// # Errors
/// It exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, tenant: &Tenant) -> Result<(), StorageError> {
    let row = row(tx.tenant(), tenant).into_active_model();
    tenants::Entity::insert(row).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The tenant itself.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>) -> Result<Option<Tenant>, StorageError> {
    tenants::Entity::find_by_id(rows.tenant().uuid()).one(&rows.raw()).await?.map(noun).transpose()
}

/// The tenant itself, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>) -> Result<Option<Tenant>, StorageError> {
    let found = tenants::Entity::find_by_id(tx.tenant().uuid()).lock(LockType::NoKeyUpdate).one(&tx.raw()).await?;
    found.map(noun).transpose()
}

/// Changes the name, whether it is enabled, and the settings.
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, tenant: &Tenant) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), tenant).into_active_model().reset_all();
    row.id = NotSet;
    row.is_default = NotSet;
    row.created_at = NotSet;
    tenants::Entity::update_many().set(row).filter(tenants::Column::Id.eq(tx.tenant().uuid())).exec(&tx.raw()).await?;
    Ok(())
}

/// Adds a key.
///
/// # Errors
/// It exists already, or the database is unavailable.
pub async fn insert_key(tx: &TenantTx<'_>, key: &TenantKey) -> Result<(), StorageError> {
    let row = tenant_keys::Model {
        digest: key.digest.to_vec(),
        tenant_id: tx.tenant().uuid(),
        kind: key.kind.as_str().to_owned(),
        public_text: key.public_text.clone(),
        expires_at: millis(key.expires_at),
        created_at: key.created_at.millis(),
    };
    tenant_keys::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The tenant's keys, newest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn keys(rows: &TenantRows<'_>) -> Result<Vec<TenantKey>, StorageError> {
    let found = tenant_keys::Entity::find()
        .filter(tenant_keys::Column::TenantId.eq(rows.tenant().uuid()))
        .order_by_desc(tenant_keys::Column::CreatedAt)
        .order_by_asc(tenant_keys::Column::Digest)
        .all(&rows.raw())
        .await?;
    found.into_iter().map(key_noun).collect()
}

/// Has the keys of this kind cease to count at `at`, if they do not earlier.
///
/// # Errors
/// The database is unavailable.
pub async fn expire_keys(tx: &TenantTx<'_>, kind: TenantKeyKind, at: Timestamp) -> Result<(), StorageError> {
    let counts_longer = Condition::any()
        .add(tenant_keys::Column::ExpiresAt.is_null())
        .add(tenant_keys::Column::ExpiresAt.gt(at.millis()));
    tenant_keys::Entity::update_many()
        .col_expr(tenant_keys::Column::ExpiresAt, Expr::value(at.millis()))
        .filter(tenant_keys::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(tenant_keys::Column::Kind.eq(kind.as_str()))
        .filter(counts_longer)
        .exec(&tx.raw())
        .await?;
    Ok(())
}
