//! Table `upstream_logins`: sign-ins that are under way elsewhere.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub connection_id: Uuid,
    pub browser: Option<Vec<u8>>,
    pub goal: Option<String>,
    pub nonce: Option<String>,
    pub sealed_verifier: Option<Vec<u8>>,
    pub request_id: Option<String>,
    pub pending: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
