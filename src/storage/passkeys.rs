//! Passkeys: their public halves, by the id that authenticators give them.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder};

use super::column::{millis, moment};
use super::db::{TenantRows, TenantTx};
use super::entity::passkeys::{self, Column, Entity};
use super::error::StorageError;
use crate::model::factors::Passkey;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: passkeys::Model) -> Passkey {
    Passkey {
        credential_id: row.credential_id,
        user: UserId::from_uuid(row.user_id),
        name: row.name,
        credential: row.credential,
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: moment(row.last_used_at),
    }
}

fn own(rows: &TenantRows<'_>, user: UserId) -> Condition {
    Condition::all().add(Column::TenantId.eq(rows.tenant().uuid())).add(Column::UserId.eq(user.uuid()))
}

/// Adds a passkey.
///
/// # Errors
/// Somebody has it already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, passkey: &Passkey) -> Result<(), StorageError> {
    let row = passkeys::Model {
        tenant_id: tx.tenant().uuid(),
        credential_id: passkey.credential_id.clone(),
        user_id: passkey.user.uuid(),
        name: passkey.name.clone(),
        credential: passkey.credential.clone(),
        created_at: passkey.created_at.millis(),
        last_used_at: millis(passkey.last_used_at),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The passkey that authenticators name so.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>, credential_id: &[u8]) -> Result<Option<Passkey>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::CredentialId.eq(credential_id.to_vec()))
        .one(&rows.raw())
        .await?;
    Ok(found.map(noun))
}

/// All passkeys of a person, the oldest first.
///
/// # Errors
/// The database is unavailable.
pub async fn list(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<Passkey>, StorageError> {
    let query = Entity::find().filter(own(rows, user)).order_by_asc(Column::CreatedAt);
    Ok(query.order_by_asc(Column::CredentialId).all(&rows.raw()).await?.into_iter().map(noun).collect())
}

/// How many passkeys a person has.
///
/// # Errors
/// The database is unavailable.
pub async fn count(rows: &TenantRows<'_>, user: UserId) -> Result<u64, StorageError> {
    Ok(Entity::find().filter(own(rows, user)).count(&rows.raw()).await?)
}

/// Records a sign-in: what is checked next time is `credential`. Says whether the passkey was still
/// what the sign-in was checked against.
///
/// # Errors
/// The database is unavailable.
pub async fn used(
    tx: &TenantTx<'_>,
    passkey: &Passkey,
    credential: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let query = Entity::update_many()
        .col_expr(Column::Credential, Expr::value(credential))
        .col_expr(Column::LastUsedAt, Expr::value(now.millis()))
        .filter(own(tx, passkey.user))
        .filter(Column::CredentialId.eq(passkey.credential_id.clone()))
        .filter(Column::Credential.eq(passkey.credential.as_str()));
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// Gives a passkey of this person another name; says whether there is one.
///
/// # Errors
/// The database is unavailable.
pub async fn rename(tx: &TenantTx<'_>, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StorageError> {
    let query = Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .filter(own(tx, user))
        .filter(Column::CredentialId.eq(credential_id.to_vec()));
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// Removes a passkey of this person; says whether there was one.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, user: UserId, credential_id: &[u8]) -> Result<bool, StorageError> {
    let query = Entity::delete_many().filter(own(tx, user)).filter(Column::CredentialId.eq(credential_id.to_vec()));
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}
