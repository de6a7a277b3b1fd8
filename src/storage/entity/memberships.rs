//! Table `memberships`: who belongs to which organization, as what.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub user_id: Uuid,
    pub role: String,
    pub created_at: i64,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::organizations::Entity",
        from = "(Column::TenantId, Column::OrganizationId)",
        to = "(super::organizations::Column::TenantId, super::organizations::Column::Id)"
    )]
    Organization,
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "(Column::TenantId, Column::UserId)",
        to = "(super::users::Column::TenantId, super::users::Column::Id)"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
