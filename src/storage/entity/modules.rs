//! Table `modules`: the modules of a system.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "modules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub key: String,
    pub code: Option<String>,
    pub system_id: Uuid,
    pub name: String,
    pub enabled: bool,
    pub created_at: i64,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::systems::Entity",
        from = "(Column::TenantId, Column::SystemId)",
        to = "(super::systems::Column::TenantId, super::systems::Column::Id)"
    )]
    System,
}

impl ActiveModelBehavior for ActiveModel {}
