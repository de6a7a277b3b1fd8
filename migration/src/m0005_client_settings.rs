//! What OpenID Connect and its registration say about a client, beside what OAuth does.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

use super::tables::widened;

/// The fifth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in widened("clients", vec![text_null("settings")]) {
            manager.alter_table(change).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Alias::new("clients");
        manager.alter_table(Table::alter().table(table).drop_column(Alias::new("settings")).to_owned()).await
    }
}
