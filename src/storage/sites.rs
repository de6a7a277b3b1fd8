//! The sites of the catalogue, each with its company.

use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};

use super::catalogue::catalogue_table;
use super::column::{corrupt, total};
use super::db::{TenantRows, TenantTx};
use super::entity::organizations;
use super::entity::sites::{Column, Entity, Model, Relation};
use super::error::StorageError;
use crate::model::catalogue::Site;
use crate::model::ids::{OrganizationId, SiteId, TenantId};
use crate::model::page::{Counted, Window};
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: Model) -> Site {
    Site {
        id: SiteId::from_uuid(row.id),
        key: row.key,
        code: row.code,
        organization: OrganizationId::from_uuid(row.organization_id),
        name: row.name,
        enabled: row.enabled,
        created_at: Timestamp::from_millis(row.created_at),
    }
}

pub(in crate::storage) fn row(tenant: TenantId, site: &Site) -> Model {
    Model {
        tenant_id: tenant.uuid(),
        id: site.id.uuid(),
        key: site.key.clone(),
        code: site.code.clone(),
        organization_id: site.organization.uuid(),
        name: site.name.clone(),
        enabled: site.enabled,
        created_at: site.created_at.millis(),
    }
}

catalogue_table!(Site, SiteId, "site");

/// Part of the sites, of the company of this key or of all, in the order in which they were made, each
/// with the key of its company; and how many there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn window(
    rows: &TenantRows<'_>,
    company: Option<&str>,
    window: Window,
) -> Result<Counted<(Site, String)>, StorageError> {
    let mut query = of_tenant(rows);
    if let Some(key) = company {
        let Some(company) = super::organizations::find_by_key(rows, key).await? else {
            return Ok(Counted { rows: Vec::new(), total: 0 });
        };
        query = query.filter(Column::OrganizationId.eq(company.id.uuid()));
    }
    let part = query.clone().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let part = part.limit(window.limit).offset(window.offset);
    let with_company = part.join(JoinType::InnerJoin, Relation::Organization.def()).select_also(organizations::Entity);
    let found = with_company.all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    let with_key = |(row, parent): (Model, Option<organizations::Model>)| {
        let parent = parent.ok_or_else(|| corrupt("sites", "organization_id", "refers to nothing"))?;
        Ok::<_, StorageError>((noun(row), parent.key))
    };
    Ok(Counted { rows: found.into_iter().map(with_key).collect::<Result<_, _>>()?, total })
}
