//! Table `scoped_grants`: who may do what with which module, where.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scoped_grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub scope_type: String,
    pub scope: String,
    pub module: String,
    pub action: String,
    pub organization_id: Option<Uuid>,
    pub site_id: Option<Uuid>,
    pub module_id: Option<Uuid>,
    pub granted_by: String,
    pub granted_at: i64,
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
        belongs_to = "super::organizations::Entity",
        from = "(Column::TenantId, Column::OrganizationId)",
        to = "(super::organizations::Column::TenantId, super::organizations::Column::Id)"
    )]
    Organization,
    #[sea_orm(
        belongs_to = "super::sites::Entity",
        from = "(Column::TenantId, Column::SiteId)",
        to = "(super::sites::Column::TenantId, super::sites::Column::Id)"
    )]
    Site,
    #[sea_orm(
        belongs_to = "super::modules::Entity",
        from = "(Column::TenantId, Column::ModuleId)",
        to = "(super::modules::Column::TenantId, super::modules::Column::Id)"
    )]
    Module,
}

impl ActiveModelBehavior for ActiveModel {}
