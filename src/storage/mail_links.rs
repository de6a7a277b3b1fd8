//! Links that were mailed: each counts once, for one purpose, while the user is who it was mailed to.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::parsed;
use super::db::{TenantRows, TenantTx};
use super::entity::mail_links::{self, Column, Entity};
use super::entity::users;
use super::error::StorageError;
use crate::model::ids::UserId;
use crate::model::mail::{LinkPurpose, MailLink};
use crate::model::time::Timestamp;

fn noun(row: mail_links::Model) -> Result<MailLink, StorageError> {
    Ok(MailLink {
        purpose: parsed("mail_links", "purpose", &row.purpose)?,
        user: UserId::from_uuid(row.user_id),
        address: row.address,
        epoch: row.epoch,
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

/// Adds a link.
///
/// # Errors
/// The user is gone, or the database is unavailable.
pub async fn insert(
    tx: &TenantTx<'_>,
    digest: &[u8; 32],
    link: &MailLink,
    created_at: Timestamp,
) -> Result<(), StorageError> {
    let row = mail_links::Model {
        tenant_id: tx.tenant().uuid(),
        digest: digest.to_vec(),
        purpose: link.purpose.as_str().to_owned(),
        user_id: link.user.uuid(),
        address: link.address.clone(),
        epoch: link.epoch,
        expires_at: link.expires_at.millis(),
        used_at: None,
        created_at: created_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// What must hold for a link to count: tenant, digest and purpose, not used, not over, and its user
/// is enabled and still has the address and the epoch that it was made under.
fn counts(rows: &TenantRows<'_>, purpose: LinkPurpose, digest: &[u8; 32], now: Timestamp) -> Condition {
    let user = |column: users::Column| Expr::col((users::Entity, column));
    let link = |column: Column| Expr::col((Entity, column));
    let same_user = Query::select()
        .expr(Expr::val(1))
        .from(users::Entity)
        .and_where(user(users::Column::TenantId).eq(rows.tenant().uuid()))
        .and_where(user(users::Column::Id).eq(link(Column::UserId)))
        .and_where(user(users::Column::Email).eq(link(Column::Address)))
        .and_where(user(users::Column::TokenEpoch).eq(link(Column::Epoch)))
        .and_where(user(users::Column::Enabled).eq(true))
        .to_owned();
    Condition::all()
        .add(Column::TenantId.eq(rows.tenant().uuid()))
        .add(Column::Digest.eq(digest.to_vec()))
        .add(Column::Purpose.eq(purpose.as_str()))
        .add(Column::UsedAt.is_null())
        .add(Column::ExpiresAt.gt(now.millis()))
        .add(Expr::exists(same_user))
}

/// The link, if it would count now; changes nothing.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(
    rows: &TenantRows<'_>,
    purpose: LinkPurpose,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<MailLink>, StorageError> {
    let found = Entity::find().filter(counts(rows, purpose, digest, now)).one(&rows.raw()).await?;
    found.map(noun).transpose()
}

/// Uses up a link, in one statement that compares everything it is bound to; `None` if it does not
/// count.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn use_once(
    tx: &TenantTx<'_>,
    purpose: LinkPurpose,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<MailLink>, StorageError> {
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(counts(tx, purpose, digest, now))
        .exec_with_returning(&tx.raw())
        .await?;
    used.into_iter().next().map(noun).transpose()
}
