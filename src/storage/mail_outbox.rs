//! Mails on their way out: written with what they tell of, taken by whoever sends.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::parsed;
use super::db::TenantTx;
use super::entity::mail_outbox::{self, Column, Entity};
use super::error::StorageError;
use crate::model::ids::TenantId;
use crate::model::mail::Mail;
use crate::model::time::Timestamp;

const TABLE: &str = "mail_outbox";

pub(in crate::storage) fn noun(row: mail_outbox::Model) -> Result<Mail, StorageError> {
    Ok(Mail {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: row.id,
        kind: parsed(TABLE, "kind", &row.kind)?,
        recipient: row.recipient,
        language: parsed(TABLE, "language", &row.language)?,
        address: row.address,
        device: row.device,
        about: row.about,
        attempts: row.attempts,
        give_up_at: Timestamp::from_millis(row.give_up_at),
        created_at: Timestamp::from_millis(row.created_at),
    })
}

/// Adds a mail, due at once.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, mail: &Mail) -> Result<(), StorageError> {
    let row = mail_outbox::Model {
        tenant_id: tx.tenant().uuid(),
        id: mail.id,
        kind: mail.kind.as_str().to_owned(),
        recipient: mail.recipient.clone(),
        language: mail.language.as_str().to_owned(),
        address: mail.address.clone(),
        device: mail.device.clone(),
        about: mail.about.clone(),
        attempts: mail.attempts,
        next_at: mail.created_at.millis(),
        give_up_at: mail.give_up_at.millis(),
        created_at: mail.created_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Takes a mail that is due: it is nobody else's until `lease_ends`. One statement, so of several
/// copies one gets it. Says whether this one did; then it was the attempt after `mail.attempts`.
///
/// # Errors
/// The database is unavailable.
pub async fn take(tx: &TenantTx<'_>, mail: &Mail, now: Timestamp, lease_ends: Timestamp) -> Result<bool, StorageError> {
    let taken = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::NextAt, Expr::value(lease_ends.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .filter(Column::NextAt.lte(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Puts a mail back until later, unless somebody else has taken it since.
///
/// # Errors
/// The database is unavailable.
pub async fn postpone(tx: &TenantTx<'_>, mail: &Mail, next_at: Timestamp) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::NextAt, Expr::value(next_at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Takes a mail out: it was sent, or never will be.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, mail: &Mail) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(mail.id))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
