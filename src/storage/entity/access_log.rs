//! Table `access_log`: what services did with their tokens.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub tenant_id: Uuid,
    pub client_id: String,
    pub endpoint: String,
    pub method: String,
    pub status: i32,
    pub response_time_ms: i64,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub at: i64,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
