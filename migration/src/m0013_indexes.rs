//! What an index alone tells: where a page of all users begins, of whatever tenant they are, and what a request left in
//! the audit log.

use sea_orm_migration::prelude::*;

use super::tables::plain;

/// The thirteenth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(plain("audit_log", &["tenant_id", "request_id", "at", "id"])).await?;
        manager.create_index(plain("users", &["id", "tenant_id"])).await?;
        manager.get_connection().execute_unprepared("DROP INDEX ix_users_id").await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(plain("users", &["id"])).await?;
        for index in ["ix_users_id_tenant_id", "ix_audit_log_tenant_id_request_id_at_id"] {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        Ok(())
    }
}
