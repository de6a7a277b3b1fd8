//! Assertions that were used, until they would have expired by themselves.

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::db::TenantTx;
use super::entity::saml_assertions::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::ids::ConnectionId;
use crate::model::time::Timestamp;

/// Notes that an assertion is used; says whether it is for the first time.
///
/// # Errors
/// The database is unavailable.
pub async fn use_once(
    tx: &TenantTx<'_>,
    connection: ConnectionId,
    digest: &[u8; 32],
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        connection_id: connection.uuid(),
        digest: digest.to_vec(),
        expires_at: expires_at.millis(),
    };
    let used = OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::Digest]).do_nothing().to_owned();
    Ok(Entity::insert(row.into_active_model()).on_conflict(used).exec_without_returning(&tx.raw()).await? == 1)
}
