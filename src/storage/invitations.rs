//! Who was asked into an organization. What was followed or withdrawn stays until it would have run out.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};

use super::column::{count, count_rows, parsed};
use super::db::{TenantRows, TenantTx};
use super::entity::invitations::{self, Column, Entity};
use super::entity::organizations;
use super::error::StorageError;
use crate::model::ids::{InvitationId, OrganizationId, TenantId};
use crate::model::organization::Invitation;
use crate::model::text::canonical;
use crate::model::time::Timestamp;

fn noun(row: invitations::Model) -> Result<Invitation, StorageError> {
    Ok(Invitation {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: InvitationId::from_uuid(row.id),
        organization: OrganizationId::from_uuid(row.organization_id),
        email: row.email,
        role: parsed("invitations", "role", &row.role)?,
        invited_by: row.invited_by,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        settled_at: row.settled_at.map(Timestamp::from_millis),
    })
}

/// Adds an invitation, whose link has no secret yet.
///
/// # Errors
/// The organization is gone, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, invitation: &Invitation) -> Result<(), StorageError> {
    let row = invitations::Model {
        tenant_id: tx.tenant().uuid(),
        id: invitation.id.uuid(),
        organization_id: invitation.organization.uuid(),
        email: invitation.email.clone(),
        canonical_email: canonical(&invitation.email),
        role: invitation.role.as_str().to_owned(),
        invited_by: invitation.invited_by.clone(),
        digest: None,
        created_at: invitation.created_at.millis(),
        expires_at: invitation.expires_at.millis(),
        settled_at: invitation.settled_at.map(Timestamp::millis),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Neither followed nor withdrawn nor over, and its organization is enabled.
fn counts(rows: &TenantRows<'_>, now: Timestamp) -> Condition {
    let organization = |column: organizations::Column| Expr::col((organizations::Entity, column));
    let enabled = Query::select()
        .expr(Expr::val(1))
        .from(organizations::Entity)
        .and_where(organization(organizations::Column::TenantId).eq(rows.tenant().uuid()))
        .and_where(organization(organizations::Column::Id).eq(Expr::col((Entity, Column::OrganizationId))))
        .and_where(organization(organizations::Column::Enabled).eq(true))
        .to_owned();
    Condition::all()
        .add(Column::TenantId.eq(rows.tenant().uuid()))
        .add(Column::SettledAt.is_null())
        .add(Column::ExpiresAt.gt(now.millis()))
        .add(Expr::exists(enabled))
}

fn open(rows: &TenantRows<'_>, now: Timestamp) -> Select<Entity> {
    Entity::find().filter(counts(rows, now))
}

/// The invitations into an organization that can be followed, the oldest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list_open(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<Vec<Invitation>, StorageError> {
    let query = open(rows, now).filter(Column::OrganizationId.eq(organization.uuid()));
    let found = query.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&rows.raw()).await?;
    found.into_iter().map(noun).collect()
}

/// How many invitations into an organization can be followed.
///
/// # Errors
/// The database is unavailable.
pub async fn count_open(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let query = open(rows, now).filter(Column::OrganizationId.eq(organization.uuid()));
    let n: Option<i64> = query.select_only().expr(count_rows()).into_tuple().one(&rows.raw()).await?;
    Ok(count(n))
}

/// The invitation that a link's secret leads to, if it can be followed; changes nothing.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_digest(
    rows: &TenantRows<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let query = open(rows, now).filter(Column::Digest.eq(digest.to_vec()));
    query.one(&rows.raw()).await?.map(noun).transpose()
}

/// Gives an invitation's link a new secret, if it can still be followed; the one before counts no longer.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn set_digest(
    tx: &TenantTx<'_>,
    id: InvitationId,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let set = Entity::update_many()
        .col_expr(Column::Digest, Expr::value(digest.to_vec()))
        .filter(counts(tx, now))
        .filter(Column::Id.eq(id.uuid()))
        .exec_with_returning(&tx.raw())
        .await?;
    set.into_iter().next().map(noun).transpose()
}

/// Uses an invitation up for whoever has this address, in one statement that compares everything it is
/// bound to; `None` if it does not count.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn use_once(
    tx: &TenantTx<'_>,
    digest: &[u8; 32],
    canonical_email: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let used = Entity::update_many()
        .col_expr(Column::SettledAt, Expr::value(now.millis()))
        .filter(counts(tx, now))
        .filter(Column::Digest.eq(digest.to_vec()))
        .filter(Column::CanonicalEmail.eq(canonical_email))
        .exec_with_returning(&tx.raw())
        .await?;
    used.into_iter().next().map(noun).transpose()
}

/// Takes an invitation back, if it could be followed.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn withdraw(
    tx: &TenantTx<'_>,
    organization: OrganizationId,
    id: InvitationId,
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let these = Condition::all().add(Column::Id.eq(id.uuid()));
    Ok(settle(tx, organization, these, now).await?.pop())
}

/// Takes back whatever invites this address into an organization.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn withdraw_for(
    tx: &TenantTx<'_>,
    organization: OrganizationId,
    canonical_email: &str,
    now: Timestamp,
) -> Result<Vec<Invitation>, StorageError> {
    let these = Condition::all().add(Column::CanonicalEmail.eq(canonical_email));
    settle(tx, organization, these, now).await
}

/// Takes back whatever somebody has sent out for an organization.
///
/// # Errors
/// The database is unavailable.
pub async fn withdraw_by(
    tx: &TenantTx<'_>,
    organization: OrganizationId,
    invited_by: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    let these = Condition::all().add(Column::InvitedBy.eq(invited_by));
    settle(tx, organization, these, now).await.map(drop)
}

async fn settle(
    tx: &TenantTx<'_>,
    organization: OrganizationId,
    these: Condition,
    now: Timestamp,
) -> Result<Vec<Invitation>, StorageError> {
    let settled = Entity::update_many()
        .col_expr(Column::SettledAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()))
        .filter(Column::SettledAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .filter(these)
        .exec_with_returning(&tx.raw())
        .await?;
    settled.into_iter().map(noun).collect()
}
