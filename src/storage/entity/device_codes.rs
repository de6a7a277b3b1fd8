//! Table `device_codes`: devices that wait for a person's word (RFC 8628).

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub user_code: String,
    pub client_id: String,
    pub scope: String,
    pub audience: Option<String>,
    pub state: String,
    pub family_id: Uuid,
    pub authorization: Option<String>,
    pub interval: i32,
    pub polled_at: Option<i64>,
    pub created_at: i64,
    pub expires_at: i64,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
