//! Organizations.

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::column::total;
use super::db::{TenantRows, TenantTx};
use super::entity::organizations::{Column, Entity, Model};
use super::error::StorageError;
use super::search;
use crate::model::ids::{OrganizationId, TenantId};
use crate::model::organization::Organization;
use crate::model::page::{Counted, Window};
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: Model) -> Organization {
    Organization {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: OrganizationId::from_uuid(row.id),
        key: row.key,
        slug: row.slug,
        name: row.name,
        plan: row.plan,
        enabled: row.enabled,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    }
}

pub(in crate::storage) fn row(tenant: TenantId, noun: &Organization) -> Model {
    Model {
        tenant_id: tenant.uuid(),
        id: noun.id.uuid(),
        key: noun.key.clone(),
        slug: noun.slug.clone(),
        name: noun.name.clone(),
        plan: noun.plan.clone(),
        enabled: noun.enabled,
        search_text: search::text([noun.name.as_str(), &noun.key]),
        created_at: noun.created_at.millis(),
        updated_at: noun.updated_at.millis(),
    }
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(rows.tenant().uuid()))
}

/// Those of a tenant whose name or key holds a text.
async fn named_like(rows: &TenantRows<'_>, keyword: Option<&str>) -> Result<Select<Entity>, StorageError> {
    let found = search::find(Column::SearchText, keyword, rows.unscoped()).await?;
    Ok(Entity::find().filter(search::of_tenant(Column::TenantId, rows, found.is_narrow)).filter(found.condition))
}

/// Adds an organization.
///
/// # Errors
/// `Duplicate` if its id, key or slug is taken; or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, organization: &Organization) -> Result<(), StorageError> {
    let row = row(tx.tenant(), organization).into_active_model();
    Entity::insert(row).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The organization of this id.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: &TenantRows<'_>, id: OrganizationId) -> Result<Option<Organization>, StorageError> {
    Ok(of_tenant(rows).filter(Column::Id.eq(id.uuid())).one(&rows.raw()).await?.map(noun))
}

/// The same, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable.
pub async fn find_for_update(tx: &TenantTx<'_>, id: OrganizationId) -> Result<Option<Organization>, StorageError> {
    let query = of_tenant(tx).filter(Column::Id.eq(id.uuid())).lock(LockType::NoKeyUpdate);
    Ok(query.one(&tx.raw()).await?.map(noun))
}

/// The organization of this key, `CP…`.
///
/// # Errors
/// The database is unavailable.
pub async fn find_by_key(rows: &TenantRows<'_>, key: &str) -> Result<Option<Organization>, StorageError> {
    Ok(of_tenant(rows).filter(Column::Key.eq(key)).one(&rows.raw()).await?.map(noun))
}

/// The organization of this slug.
///
/// # Errors
/// The database is unavailable.
pub async fn find_by_slug(rows: &TenantRows<'_>, slug: &str) -> Result<Option<Organization>, StorageError> {
    Ok(of_tenant(rows).filter(Column::Slug.eq(slug)).one(&rows.raw()).await?.map(noun))
}

/// At most `limit` organizations after `after` whose name or key holds a text, in the order of their ids, which
/// is that of their making.
///
/// # Errors
/// The database is unavailable.
pub async fn list_after(
    rows: &TenantRows<'_>,
    keyword: Option<&str>,
    after: Option<OrganizationId>,
    limit: u64,
) -> Result<Vec<Organization>, StorageError> {
    let mut query = named_like(rows, keyword).await?.order_by_asc(Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.uuid()));
    }
    Ok(query.all(&rows.raw()).await?.into_iter().map(noun).collect())
}

/// Part of the organizations whose name or key holds a text, upper and lower case alike, in the order in
/// which they were made; and how many there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn search(
    rows: &TenantRows<'_>,
    keyword: Option<&str>,
    window: Window,
) -> Result<Counted<Organization>, StorageError> {
    let query = named_like(rows, keyword).await?;
    let part = query.clone().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let found = part.limit(window.limit).offset(window.offset).all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    Ok(Counted { rows: found.into_iter().map(noun).collect(), total })
}

/// Writes what may change: everything but id, key and the moment of its making.
///
/// # Errors
/// `Duplicate` if the slug is taken; or the database is unavailable.
pub async fn update(tx: &TenantTx<'_>, organization: &Organization) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), organization).into_active_model().reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.key = NotSet;
    row.created_at = NotSet;
    Entity::update_many()
        .set(row)
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(organization.id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}
