//! What people allowed clients.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::column::{json_array, parsed, texts};
use super::db::{TenantRows, TenantTx};
use super::entity::consents;
use super::error::StorageError;
use crate::model::consent::Consent;
use crate::model::ids::{ClientId, UserId};
use crate::model::time::Timestamp;

fn noun(row: &consents::Model) -> Result<Consent, StorageError> {
    const TABLE: &str = "consents";
    Ok(Consent {
        user: UserId::from_uuid(row.user_id),
        client: parsed(TABLE, "client_id", &row.client_id)?,
        scope: parsed(TABLE, "scope", &row.scope)?,
        claims: texts(TABLE, "claims", &row.claims)?,
        first_at: Timestamp::from_millis(row.first_at),
        last_at: Timestamp::from_millis(row.last_at),
    })
}

/// Writes down what a person allows a client from now on; `first_at` of an older row stays.
///
/// # Errors
/// The user or the client does not exist, or the database is unavailable.
pub async fn put(tx: &TenantTx<'_>, consent: &Consent) -> Result<(), StorageError> {
    use consents::Column;
    let row = consents::Model {
        tenant_id: tx.tenant().uuid(),
        user_id: consent.user.uuid(),
        client_id: consent.client.as_str().to_owned(),
        scope: consent.scope.to_string(),
        claims: json_array(&consent.claims),
        first_at: consent.first_at.millis(),
        last_at: consent.last_at.millis(),
    };
    let again = OnConflict::columns([Column::TenantId, Column::UserId, Column::ClientId])
        .update_columns([Column::Scope, Column::Claims, Column::LastAt])
        .to_owned();
    consents::Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// What a person allowed a client.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, user: UserId, client: &ClientId) -> Result<Option<Consent>, StorageError> {
    let found = consents::Entity::find()
        .filter(consents::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(consents::Column::UserId.eq(user.uuid()))
        .filter(consents::Column::ClientId.eq(client.as_str()))
        .one(&rows.raw())
        .await?;
    found.as_ref().map(noun).transpose()
}

/// Everything that a person allowed, the newest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<Consent>, StorageError> {
    let found = consents::Entity::find()
        .filter(consents::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(consents::Column::UserId.eq(user.uuid()))
        .order_by_desc(consents::Column::LastAt)
        .all(&rows.raw())
        .await?;
    found.iter().map(noun).collect()
}

/// Takes it back; says whether there was anything.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, user: UserId, client: &ClientId) -> Result<bool, StorageError> {
    let done = consents::Entity::delete_many()
        .filter(consents::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(consents::Column::UserId.eq(user.uuid()))
        .filter(consents::Column::ClientId.eq(client.as_str()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}
