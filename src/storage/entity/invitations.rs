//! Table `invitations`: who was asked into an organization.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub email: String,
    pub canonical_email: String,
    pub role: String,
    pub invited_by: String,
    pub digest: Option<Vec<u8>>,
    pub created_at: i64,
    pub expires_at: i64,
    pub settled_at: Option<i64>,
}

/// What it refers to, for joins.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::organizations::Entity",
        from = "(Column::TenantId, Column::OrganizationId)",
        to = "(super::organizations::Column::TenantId, super::organizations::Column::Id)"
    )]
    Organization,
}

impl ActiveModelBehavior for ActiveModel {}
