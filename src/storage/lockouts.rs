//! Failed attempts to sign in, by the digest of the account's name.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::db::{TenantRows, TenantTx};
use super::entity::lockouts::{self, Column, Entity};
use super::error::StorageError;
use crate::model::time::Timestamp;

/// What is known about attempts on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many failed in the present window.
    pub failures: i32,
    /// Until when the account is locked; in the past if it is not.
    pub locked_until: Timestamp,
}

fn noun(row: &lockouts::Model) -> Attempts {
    Attempts { failures: row.failures, locked_until: Timestamp::from_millis(row.locked_until) }
}

fn column(column: Column) -> Expr {
    Expr::col((Entity, column))
}

/// Counts one attempt, in one statement. The first one, or the first after the window has ended
/// with no lock in force, opens a new window.
///
/// # Errors
/// The database is unavailable.
pub async fn count_attempt(
    tx: &TenantTx<'_>,
    account: &[u8; 32],
    now: Timestamp,
    window_ends_at: Timestamp,
) -> Result<Attempts, StorageError> {
    let row = lockouts::Model {
        tenant_id: tx.tenant().uuid(),
        account: account.to_vec(),
        failures: 1,
        window_ends_at: window_ends_at.millis(),
        locked_until: 0,
    };
    let over = column(Column::WindowEndsAt).lte(now.millis()).and(column(Column::LockedUntil).lte(now.millis()));
    let failures: CaseStatement = Expr::case(over.clone(), 1).finally(column(Column::Failures).add(1));
    let window: CaseStatement = Expr::case(over, window_ends_at.millis()).finally(column(Column::WindowEndsAt));
    let again = OnConflict::columns([Column::TenantId, Column::Account])
        .value(Column::Failures, failures)
        .value(Column::WindowEndsAt, window)
        .to_owned();
    let row = Entity::insert(row.into_active_model()).on_conflict(again).exec_with_returning(&tx.raw()).await?;
    Ok(noun(&row))
}

/// Locks an account until a moment.
///
/// # Errors
/// The database is unavailable.
pub async fn lock(tx: &TenantTx<'_>, account: &[u8; 32], until: Timestamp) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::LockedUntil, Expr::value(until.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Account.eq(account.to_vec()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Forgets all attempts on an account, and its lock.
///
/// # Errors
/// The database is unavailable.
pub async fn clear(tx: &TenantTx<'_>, account: &[u8; 32]) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Account.eq(account.to_vec()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Which of these accounts are locked, and until when.
///
/// # Errors
/// The database is unavailable.
pub async fn locked(
    rows: &TenantRows<'_>,
    accounts: impl Iterator<Item = &[u8; 32]>,
    now: Timestamp,
) -> Result<Vec<(Vec<u8>, Timestamp)>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::Account.is_in(accounts.map(|account| account.to_vec())))
        .filter(Column::LockedUntil.gt(now.millis()))
        .all(&rows.raw())
        .await?;
    Ok(found.into_iter().map(|row| (row.account, Timestamp::from_millis(row.locked_until))).collect())
}

/// What is known about attempts on an account.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>, account: &[u8; 32]) -> Result<Option<Attempts>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::Account.eq(account.to_vec()))
        .one(&rows.raw())
        .await?;
    Ok(found.as_ref().map(noun))
}
