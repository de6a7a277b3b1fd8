//! Client assertions, each of which counts once (RFC 7523 §3, `jti`).

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::db::TenantTx;
use super::entity::used_assertions;
use super::error::StorageError;
use crate::model::ids::ClientId;
use crate::model::time::Timestamp;

/// Uses up an assertion; says whether it had not been used before. It is remembered until `expires_at`.
///
/// # Errors
/// The client does not exist, or the database is unavailable.
pub async fn use_once(
    tx: &TenantTx<'_>,
    client: &ClientId,
    digest: &[u8; 32],
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    use used_assertions::Column;
    let row = used_assertions::Model {
        tenant_id: tx.tenant().uuid(),
        client_id: client.as_str().to_owned(),
        digest: digest.to_vec(),
        expires_at: expires_at.millis(),
    };
    let used = OnConflict::columns([Column::TenantId, Column::ClientId, Column::Digest]).do_nothing().to_owned();
    let written = used_assertions::Entity::insert(row.into_active_model())
        .on_conflict(used)
        .exec_without_returning(&tx.raw())
        .await?;
    Ok(written == 1)
}
