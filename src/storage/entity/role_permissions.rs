//! Table `role_permissions`: which role holds which permission.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_permissions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission_id: String,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::roles::Entity",
        from = "(Column::TenantId, Column::RoleId)",
        to = "(super::roles::Column::TenantId, super::roles::Column::Id)"
    )]
    Role,
    #[sea_orm(
        belongs_to = "super::permissions::Entity",
        from = "(Column::TenantId, Column::PermissionId)",
        to = "(super::permissions::Column::TenantId, super::permissions::Column::Id)"
    )]
    Permission,
}

impl ActiveModelBehavior for ActiveModel {}
