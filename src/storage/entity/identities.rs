//! Table `identities`: who somebody of elsewhere is here.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    pub user_id: Uuid,
    pub created_at: i64,
    pub used_at: i64,
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
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "(Column::TenantId, Column::UserId)",
        to = "(super::users::Column::TenantId, super::users::Column::Id)"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
