//! Who belongs to which organization, as what.

use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait};

use super::db::TenantRows;
use super::entity::{memberships, organizations};
use super::error::StorageError;
use crate::model::ids::{OrganizationId, UserId};

/// The enabled organization of a user who belongs to exactly one.
///
/// # Errors
/// The database is unavailable.
pub async fn only_organization(rows: &TenantRows<'_>, user: UserId) -> Result<Option<OrganizationId>, StorageError> {
    let found: Vec<uuid::Uuid> = memberships::Entity::find()
        .select_only()
        .column(memberships::Column::OrganizationId)
        .join(JoinType::InnerJoin, memberships::Relation::Organization.def())
        .filter(memberships::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(memberships::Column::UserId.eq(user.uuid()))
        .filter(organizations::Column::Enabled.eq(true))
        .limit(2)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    Ok(match found.as_slice() {
        [only] => Some(OrganizationId::from_uuid(*only)),
        _ => None,
    })
}
