//! The list of all users, of whatever tenant, is passed over in an index alone.

use sea_orm_migration::prelude::*;

use super::tables::plain;

/// The thirteenth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

const OLD: &[&str] = &["id"];
const NEW: &[&str] = &["id", "tenant_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(plain("users", NEW)).await?;
        manager.get_connection().execute_unprepared("DROP INDEX ix_users_id").await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(plain("users", OLD)).await?;
        manager.get_connection().execute_unprepared("DROP INDEX ix_users_id_tenant_id").await.map(drop)
    }
}
