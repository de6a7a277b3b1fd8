//! Finding people by a part of their names.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

use super::tables::widened;
use super::trigrams;

/// The eighth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Names in canonical form, a line each. SQL does not know that form; the next change of a user
        // brings it, and until then the common letters do.
        for change in widened("users", vec![text_null("search_text")]) {
            manager.alter_table(change).await?;
        }
        manager.get_connection().execute_unprepared(FILL).await?;
        trigrams::add(manager, "users").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        trigrams::remove(manager, "users").await?;
        let mut change = Table::alter();
        manager.alter_table(change.table(Alias::new("users")).drop_column(Alias::new("search_text")).to_owned()).await
    }
}

const FILL: &str = "UPDATE users SET search_text = \
     lower(coalesce(email, '') || '\n' || coalesce(username, '') || '\n' || coalesce(name, ''))";
