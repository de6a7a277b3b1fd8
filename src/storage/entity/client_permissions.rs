//! Table `client_permissions`: which client may do what for itself.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_permissions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission_id: String,
    pub granted_by: String,
    pub granted_at: i64,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::permissions::Entity",
        from = "(Column::TenantId, Column::PermissionId)",
        to = "(super::permissions::Column::TenantId, super::permissions::Column::Id)"
    )]
    Permission,
}

impl ActiveModelBehavior for ActiveModel {}
