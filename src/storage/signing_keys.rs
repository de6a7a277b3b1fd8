//! Signing keys and their states.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::column::{millis, moment, parsed};
use super::db::{TenantRows, TenantTx};
use super::entity::{signing_keys, tenants};
use super::error::StorageError;
use crate::model::ids::{KeyId, TenantId};
use crate::model::signing_key::{KeyState, SigningAlg, SigningKey};
use crate::model::time::Timestamp;

fn noun(row: signing_keys::Model) -> Result<SigningKey, StorageError> {
    Ok(SigningKey {
        tenant: TenantId::from_uuid(row.tenant_id),
        kid: parsed("signing_keys", "kid", &row.kid)?,
        alg: parsed("signing_keys", "alg", &row.alg)?,
        state: parsed("signing_keys", "state", &row.state)?,
        public_jwk: row.public_jwk,
        sealed_private: row.sealed_private,
        created_at: Timestamp::from_millis(row.created_at),
        activated_at: moment(row.activated_at),
        retired_at: moment(row.retired_at),
    })
}

/// Adds a key.
///
/// # Errors
/// It exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, key: &SigningKey) -> Result<(), StorageError> {
    let row = signing_keys::Model {
        tenant_id: tx.tenant().uuid(),
        kid: key.kid.as_str().to_owned(),
        alg: key.alg.as_str().to_owned(),
        state: key.state.as_str().to_owned(),
        public_jwk: key.public_jwk.clone(),
        sealed_private: key.sealed_private.clone(),
        created_at: key.created_at.millis(),
        activated_at: millis(key.activated_at),
        retired_at: millis(key.retired_at),
    };
    signing_keys::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// All keys in all states, oldest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<SigningKey>, StorageError> {
    let found = signing_keys::Entity::find()
        .filter(signing_keys::Column::TenantId.eq(rows.tenant().uuid()))
        .order_by_asc(signing_keys::Column::CreatedAt)
        .all(&rows.raw())
        .await?;
    let mut all = found.into_iter().map(noun).collect::<Result<Vec<_>, _>>()?;
    // Ties are broken here, because databases differ in how they order texts.
    all.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
    Ok(all)
}

/// Keeps every other copy from working on this tenant's keys until the transaction ends.
///
/// # Errors
/// The database is unavailable.
pub async fn lock(tx: &TenantTx<'_>) -> Result<(), StorageError> {
    // The tenant's row stands for its keys: there may be none yet, and rows to come can't be locked.
    tenants::Entity::find_by_id(tx.tenant().uuid()).lock(LockType::NoKeyUpdate).one(&tx.raw()).await?;
    Ok(())
}

/// Notes on the active key of an algorithm that it is to retire, if that is not noted yet.
///
/// # Errors
/// The database is unavailable.
pub async fn mark_due(tx: &TenantTx<'_>, alg: SigningAlg, at: Timestamp) -> Result<(), StorageError> {
    use signing_keys::Column;
    signing_keys::Entity::update_many()
        .col_expr(Column::RetiredAt, Expr::value(at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Alg.eq(alg.as_str()))
        .filter(Column::State.eq(KeyState::Active.as_str()))
        .filter(Column::RetiredAt.is_null())
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Moves a key from one state to the next, if it still stands where `from` says; says whether it
/// did. A removed key loses its private half.
///
/// # Errors
/// The database is unavailable.
pub async fn advance(
    tx: &TenantTx<'_>,
    kid: &KeyId,
    from: KeyState,
    to: KeyState,
    at: Timestamp,
) -> Result<bool, StorageError> {
    use signing_keys::Column;
    let mut query = signing_keys::Entity::update_many()
        .col_expr(Column::State, Expr::value(to.as_str()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Kid.eq(kid.as_str()))
        .filter(Column::State.eq(from.as_str()));
    query = match to {
        KeyState::Next => query,
        KeyState::Active => query.col_expr(Column::ActivatedAt, Expr::value(at.millis())),
        KeyState::Retiring => query.col_expr(Column::RetiredAt, Expr::value(at.millis())),
        KeyState::Removed => query.col_expr(Column::SealedPrivate, Expr::value(Vec::<u8>::new())),
    };
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}
