//! The first index of the column `search_text`, by which rows are found by a part of their names; `grams.rs`
//! took its place.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer_null;
use sea_orm_migration::sea_orm::DbBackend;

use super::tables::{unique, widened};

/// Adds the index of a table that has the column, and on SQLite the number that it finds a row by.
pub(crate) async fn add(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Sqlite {
        for change in widened(table, vec![big_integer_null("search_number")]) {
            manager.alter_table(change).await?;
        }
        let number = format!("UPDATE {table} SET search_number = rowid");
        manager.get_connection().execute_unprepared(&number).await?;
        manager.create_index(unique(table, &["search_number"])).await?;
    }
    add_index(manager, table).await
}

/// The index alone.
pub(crate) async fn add_index(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let run = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        run.execute_unprepared(&postgres(table)).await?;
        return Ok(());
    }
    for statement in sqlite(table) {
        run.execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Takes it away, and the number.
pub(crate) async fn remove(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    remove_index(manager, table).await?;
    if manager.get_database_backend() == DbBackend::Postgres {
        return Ok(());
    }
    let drop = format!("DROP INDEX ix_{table}_search_number");
    manager.get_connection().execute_unprepared(&drop).await?;
    let mut change = Table::alter();
    manager.alter_table(change.table(Alias::new(table)).drop_column(Alias::new("search_number")).to_owned()).await
}

/// Takes the index away alone.
pub(crate) async fn remove_index(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let run = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        run.execute_unprepared(&format!("DROP INDEX IF EXISTS ix_{table}_search_text")).await?;
        return Ok(());
    }
    for what in TRIGGERS {
        run.execute_unprepared(&format!("DROP TRIGGER {table}_search_{what}")).await?;
    }
    run.execute_unprepared(&format!("DROP TABLE {table}_search")).await?;
    Ok(())
}

/// What a table's rows tell the index of on SQLite.
pub(crate) const TRIGGERS: [&str; 3] = ["insert", "update", "delete"];

/// Whoever may not have the extension searches more slowly.
fn postgres(table: &str) -> String {
    format!(
        "DO $$ BEGIN
           CREATE EXTENSION IF NOT EXISTS pg_trgm;
           CREATE INDEX ix_{table}_search_text ON {table} USING gin (search_text gin_trgm_ops);
         EXCEPTION WHEN OTHERS THEN
           RAISE NOTICE '{table} are searched without an index: %', SQLERRM;
         END $$"
    )
}

/// The index finds a row by a number that the row keeps for life: a copy of the file may number its rows
/// anew. Where an old value is to be forgotten, FTS5 must be told which it was.
fn sqlite(table: &str) -> [String; 5] {
    let forget = format!(
        "INSERT INTO {table}_search({table}_search, rowid, search_text)
           VALUES ('delete', old.search_number, old.search_text);"
    );
    [
        format!(
            "CREATE VIRTUAL TABLE {table}_search
               USING fts5(search_text, content='{table}', content_rowid='search_number', tokenize='trigram case_sensitive 1')"
        ),
        format!("INSERT INTO {table}_search({table}_search) VALUES ('rebuild')"),
        format!(
            "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN
               UPDATE {table} SET search_number = (SELECT coalesce(max(search_number), 0) + 1 FROM {table})
                 WHERE tenant_id = new.tenant_id AND id = new.id;
               INSERT INTO {table}_search(rowid, search_text)
                 SELECT search_number, search_text FROM {table} WHERE tenant_id = new.tenant_id AND id = new.id;
             END"
        ),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF search_text ON {table}
               WHEN old.search_text IS NOT new.search_text BEGIN
               {forget}
               INSERT INTO {table}_search(rowid, search_text) VALUES (new.search_number, new.search_text);
             END"
        ),
        format!("CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {forget} END"),
    ]
}
