//! Table `connection_domains`: whose addresses lead to which connection.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection_domains")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    pub connection_id: Uuid,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::connections::Entity",
        from = "(Column::TenantId, Column::ConnectionId)",
        to = "(super::connections::Column::TenantId, super::connections::Column::Id)"
    )]
    Connection,
}

impl ActiveModelBehavior for ActiveModel {}
