//! The key of a tenant towards SAML providers.

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::db::{TenantRows, TenantTx};
use super::entity::saml_keys::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::time::Timestamp;

/// The sealed private half, and the certificate of the public one.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>) -> Result<Option<(Vec<u8>, String)>, StorageError> {
    let found = Entity::find_by_id(rows.tenant().uuid()).one(&rows.raw()).await?;
    Ok(found.map(|row| (row.sealed_private, row.certificate)))
}

/// Keeps a key, unless there is one already.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, sealed: &[u8], certificate: &str, now: Timestamp) -> Result<(), StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        sealed_private: sealed.to_vec(),
        certificate: certificate.to_owned(),
        created_at: now.millis(),
    };
    let there = OnConflict::column(Column::TenantId).do_nothing().to_owned();
    Entity::insert(row.into_active_model()).on_conflict(there).exec_without_returning(&tx.raw()).await?;
    Ok(())
}
