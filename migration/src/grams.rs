//! Finding rows by a part of their names, in a time that grows with what is found and not with what there is: an
//! index of the four characters that begin at each place of a column `search_text`. Shorter parts are the
//! beginning of some of them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::trigrams::TRIGGERS;

/// Adds the index of a table that has the column and, on SQLite, a `search_number`.
pub(crate) async fn add(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => Vec::from(postgres(table)),
        _ => Vec::from(sqlite(table)),
    };
    for statement in statements {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Takes it away.
pub(crate) async fn remove(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let run = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        run.execute_unprepared(&format!("ALTER TABLE {table} DROP COLUMN search_grams")).await?;
        run.execute_unprepared(&format!("DROP FUNCTION {table}_grams(text)")).await?;
        return Ok(());
    }
    for what in TRIGGERS {
        run.execute_unprepared(&format!("DROP TRIGGER {table}_search_{what}")).await?;
    }
    run.execute_unprepared(&format!("DROP VIEW {table}_grams")).await?;
    run.execute_unprepared(&format!("DROP TABLE {table}_search")).await?;
    Ok(())
}

/// The column is stored, since an index over the function alone would have it called again for every row that some
/// other way leads to. What is added to the index goes there at once: a list of what is yet to be added would be
/// gone through by every search.
fn postgres(table: &str) -> [String; 3] {
    [
        format!(
            "CREATE FUNCTION {table}_grams(names text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
               'SELECT array_to_tsvector(array_agg(DISTINCT substr(names, place, 4)))
                  FROM generate_series(1, length(names)) place'"
        ),
        format!(
            "ALTER TABLE {table} ADD COLUMN search_grams tsvector
               GENERATED ALWAYS AS ({table}_grams(search_text)) STORED"
        ),
        format!("CREATE INDEX ix_{table}_search_grams ON {table} USING gin (search_grams) WITH (fastupdate = off)"),
    ]
}

/// Characters stand there as the digits of their bytes, since FTS5 knows letters and digits alone; what begins with one,
/// two or three bytes is indexed too, so that it is known at once whether that is much. The index keeps no text, and
/// finds a row by a number that the row keeps for life: a copy of the file may number its rows anew.
fn sqlite(table: &str) -> [String; 6] {
    let add =
        format!("INSERT OR REPLACE INTO {table}_search(rowid, grams) SELECT search_number, grams FROM {table}_grams");
    [
        format!(
            "CREATE VIEW {table}_grams(search_number, grams) AS SELECT search_number, (
               WITH RECURSIVE places(place) AS (
                 SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < length(search_text)
               )
               SELECT group_concat(hex(substr(search_text, place, 4)), ' ') FROM places
             ) FROM {table}"
        ),
        format!(
            "CREATE VIRTUAL TABLE {table}_search
               USING fts5(grams, content='', contentless_delete=1, detail=none, tokenize='ascii', prefix='2 4 6')"
        ),
        add.clone(),
        format!(
            "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN
               UPDATE {table} SET search_number = (SELECT coalesce(max(search_number), 0) + 1 FROM {table})
                 WHERE tenant_id = new.tenant_id AND id = new.id;
               {add} WHERE search_number =
                 (SELECT search_number FROM {table} WHERE tenant_id = new.tenant_id AND id = new.id);
             END"
        ),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF search_text ON {table}
               WHEN old.search_text IS NOT new.search_text BEGIN
               {add} WHERE search_number = new.search_number;
             END"
        ),
        format!(
            "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN
               DELETE FROM {table}_search WHERE rowid = old.search_number;
             END"
        ),
    ]
}
