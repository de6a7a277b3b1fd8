//! Table `connections`: ways to sign in from elsewhere.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub organization_id: Option<Uuid>,
    pub saml_workspace_id: Option<Uuid>,
    pub name: String,
    pub enabled: bool,
    pub provider: String,
    pub settings: String,
    pub sealed_secret: Option<Vec<u8>>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
