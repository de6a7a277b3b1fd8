//! Table `saml_sessions`: sessions at SAML providers that tokens or browsers' sessions come from.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "saml_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub family_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub connection_id: Uuid,
    pub name_id: String,
    pub name_id_attributes: String,
    pub session_index: Option<String>,
    pub created_at: i64,
}

/// No joins start here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
