//! Table `role_assignments`: who has which role, and until when.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_assignments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub role_id: String,
    pub granted_by: String,
    pub granted_at: i64,
    pub expires_at: Option<i64>,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "(Column::TenantId, Column::UserId)",
        to = "(super::users::Column::TenantId, super::users::Column::Id)"
    )]
    User,
    #[sea_orm(
        belongs_to = "super::roles::Entity",
        from = "(Column::TenantId, Column::RoleId)",
        to = "(super::roles::Column::TenantId, super::roles::Column::Id)"
    )]
    Role,
}

impl ActiveModelBehavior for ActiveModel {}
