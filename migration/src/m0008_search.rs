//! Finding people by a part of their names, in a time that does not grow with how many there are: an index
//! of every three letters that follow one another.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, text_null};
use sea_orm_migration::sea_orm::DbBackend;

use super::tables::{unique, widened};

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
        let run = manager.get_connection();
        run.execute_unprepared(FILL).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            run.execute_unprepared(POSTGRES).await?;
            return Ok(());
        }
        for change in widened("users", vec![big_integer_null("search_number")]) {
            manager.alter_table(change).await?;
        }
        run.execute_unprepared("UPDATE users SET search_number = rowid").await?;
        manager.create_index(unique("users", &["search_number"])).await?;
        for statement in SQLITE {
            run.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let run = manager.get_connection();
        let mut columns = vec!["search_text"];
        if manager.get_database_backend() == DbBackend::Sqlite {
            for statement in SQLITE_BACK {
                run.execute_unprepared(statement).await?;
            }
            columns.push("search_number");
        }
        for column in columns {
            let mut change = Table::alter();
            manager.alter_table(change.table(Alias::new("users")).drop_column(Alias::new(column)).to_owned()).await?;
        }
        Ok(())
    }
}

const FILL: &str = "UPDATE users SET search_text = \
     lower(coalesce(email, '') || '\n' || coalesce(username, '') || '\n' || coalesce(name, ''))";

/// Whoever may not have the extension searches more slowly.
const POSTGRES: &str = "DO $$ BEGIN
       CREATE EXTENSION IF NOT EXISTS pg_trgm;
       CREATE INDEX ix_users_search_text ON users USING gin (search_text gin_trgm_ops);
     EXCEPTION WHEN OTHERS THEN
       RAISE NOTICE 'people are searched without an index: %', SQLERRM;
     END $$";

/// The index finds a row by a number that the row keeps for life: a copy of the file may number its rows
/// anew. Where an old value is to be forgotten, FTS5 must be told which it was.
const SQLITE: &[&str] = &[
    "CREATE VIRTUAL TABLE users_search
       USING fts5(search_text, content='users', content_rowid='search_number', tokenize='trigram')",
    "INSERT INTO users_search(users_search) VALUES ('rebuild')",
    "CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
       UPDATE users SET search_number = (SELECT coalesce(max(search_number), 0) + 1 FROM users)
         WHERE tenant_id = new.tenant_id AND id = new.id;
       INSERT INTO users_search(rowid, search_text)
         SELECT search_number, search_text FROM users WHERE tenant_id = new.tenant_id AND id = new.id;
     END",
    "CREATE TRIGGER users_search_update AFTER UPDATE OF search_text ON users
       WHEN old.search_text IS NOT new.search_text BEGIN
       INSERT INTO users_search(users_search, rowid, search_text) VALUES ('delete', old.search_number, old.search_text);
       INSERT INTO users_search(rowid, search_text) VALUES (new.search_number, new.search_text);
     END",
    "CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
       INSERT INTO users_search(users_search, rowid, search_text) VALUES ('delete', old.search_number, old.search_text);
     END",
];

const SQLITE_BACK: &[&str] = &[
    "DROP TRIGGER users_search_delete",
    "DROP TRIGGER users_search_update",
    "DROP TRIGGER users_search_insert",
    "DROP TABLE users_search",
    "DROP INDEX ix_users_search_number",
];
