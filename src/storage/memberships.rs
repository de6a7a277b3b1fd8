//! Who belongs to which organization, as what.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::column::{count, count_rows, parsed};
use super::db::{TenantRows, TenantTx};
use super::entity::memberships::{self, Column, Entity, Relation};
use super::entity::{organizations, users};
use super::error::StorageError;
use crate::model::ids::{MembershipId, OrganizationId, UserId};
use crate::model::organization::{Membership, MembershipRole, Organization};
use crate::model::time::Timestamp;
use crate::model::user::User;

pub(in crate::storage) fn noun(row: &memberships::Model) -> Result<Membership, StorageError> {
    Ok(Membership {
        id: MembershipId::from_uuid(row.id),
        organization: OrganizationId::from_uuid(row.organization_id),
        user: UserId::from_uuid(row.user_id),
        role: parsed("memberships", "role", &row.role)?,
        created_at: Timestamp::from_millis(row.created_at),
    })
}

/// Adds a membership.
///
/// # Errors
/// `Duplicate` if the user belongs to the organization already; or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, membership: &Membership) -> Result<(), StorageError> {
    let row = memberships::Model {
        tenant_id: tx.tenant().uuid(),
        id: membership.id.uuid(),
        organization_id: membership.organization.uuid(),
        user_id: membership.user.uuid(),
        role: membership.role.as_str().to_owned(),
        created_at: membership.created_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// What a user is in an organization, enabled or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Membership>, StorageError> {
    let query = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()))
        .filter(Column::UserId.eq(user.uuid()));
    query.one(&rows.raw()).await?.as_ref().map(noun).transpose()
}

/// The membership of this id in an organization.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_id(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    id: MembershipId,
) -> Result<Option<Membership>, StorageError> {
    let query = Entity::find_by_id((rows.tenant().uuid(), id.uuid()));
    let found = query.filter(Column::OrganizationId.eq(organization.uuid())).one(&rows.raw()).await?;
    found.as_ref().map(noun).transpose()
}

/// Up to `limit` members of an organization after one, by the id of the membership: who came first first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_organization_after(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    after: Option<MembershipId>,
    limit: u64,
) -> Result<Vec<(Membership, User)>, StorageError> {
    let mut query = Entity::find()
        .join(JoinType::InnerJoin, Relation::User.def())
        .select_also(users::Entity)
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()))
        .order_by_asc(Column::Id)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.uuid()));
    }
    let found = query.all(&rows.raw()).await?;
    let member = |(row, user): (memberships::Model, Option<users::Model>)| {
        user.map(|user| Ok((noun(&row)?, super::users::noun(user)?)))
    };
    found.into_iter().filter_map(member).collect()
}

/// The enabled organizations of a user, with what they are there, by name.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<(Organization, Membership)>, StorageError> {
    let found = Entity::find()
        .join(JoinType::InnerJoin, Relation::Organization.def())
        .select_also(organizations::Entity)
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .filter(organizations::Column::Enabled.eq(true))
        .all(&rows.raw())
        .await?;
    let one = |(row, organization): (memberships::Model, Option<organizations::Model>)| {
        organization.map(|organization| Ok((super::organizations::noun(organization), noun(&row)?)))
    };
    let mut all: Vec<(Organization, Membership)> =
        found.into_iter().filter_map(one).collect::<Result<_, StorageError>>()?;
    // Sorted here, because databases differ in how they order texts.
    all.sort_unstable_by(|(a, _), (b, _)| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(all)
}

/// What a user is in all their organizations, enabled or not, by the id of the organization.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn all_of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<Membership>, StorageError> {
    let query = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .order_by_asc(Column::OrganizationId);
    query.all(&rows.raw()).await?.iter().map(noun).collect()
}

/// The enabled organization of a user who belongs to exactly one.
///
/// # Errors
/// The database is unavailable.
pub async fn only_organization(rows: &TenantRows<'_>, user: UserId) -> Result<Option<OrganizationId>, StorageError> {
    let found: Vec<uuid::Uuid> = Entity::find()
        .select_only()
        .column(Column::OrganizationId)
        .join(JoinType::InnerJoin, Relation::Organization.def())
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
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

/// Whether a user belongs to an organization that is enabled.
///
/// # Errors
/// The database is unavailable.
pub async fn is_member(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, StorageError> {
    let query = Entity::find()
        .join(JoinType::InnerJoin, Relation::Organization.def())
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .filter(organizations::Column::Enabled.eq(true));
    Ok(query.one(&rows.raw()).await?.is_some())
}

/// Whether anybody belongs to an organization.
///
/// # Errors
/// The database is unavailable.
pub async fn has_any(rows: &TenantRows<'_>, organization: OrganizationId) -> Result<bool, StorageError> {
    let query = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()));
    Ok(query.one(&rows.raw()).await?.is_some())
}

/// How many enabled users are this in an organization.
///
/// # Errors
/// The database is unavailable.
pub async fn count_of_role(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
    role: MembershipRole,
) -> Result<u64, StorageError> {
    let n: Option<i64> = Entity::find()
        .select_only()
        .expr(count_rows())
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::OrganizationId.eq(organization.uuid()))
        .filter(Column::Role.eq(role.as_str()))
        .filter(users::Column::Enabled.eq(true))
        .into_tuple()
        .one(&rows.raw())
        .await?;
    Ok(count(n))
}

/// Makes a member something else; says whether there was one.
///
/// # Errors
/// The database is unavailable.
pub async fn set_role(tx: &TenantTx<'_>, id: MembershipId, role: MembershipRole) -> Result<bool, StorageError> {
    let done = Entity::update_many()
        .col_expr(Column::Role, Expr::value(role.as_str()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Ends a membership; says whether there was one.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: MembershipId) -> Result<bool, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}
