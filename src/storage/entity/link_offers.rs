//! Table `link_offers`: accounts of elsewhere that may be linked once their owner has signed in here.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_offers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub connection_id: Uuid,
    pub subject: String,
    pub browser: Vec<u8>,
    pub label: Option<String>,
    pub expires_at: i64,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
