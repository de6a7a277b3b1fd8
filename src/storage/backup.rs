//! A copy of the embedded database in one file, taken while it is in use; and whether it is sound.

use std::io::ErrorKind;
use std::path::Path;

use sea_orm::ConnectionTrait;
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};

use super::db::{Db, Engine};
use super::error::StorageError;

/// Copies the database as it is at this moment to a file that must not exist yet, readable by
/// nobody else. The copy is durable when this returns.
///
/// # Errors
/// `Unsupported` on PostgreSQL, or if the file exists; else that the copy could not be written.
pub async fn to_file(db: &Db, path: &Path) -> Result<(), StorageError> {
    if db.engine() != Engine::Sqlite {
        return Err(StorageError::Unsupported(
            "only the embedded database is backed up this way; use pg_dump for PostgreSQL".to_owned(),
        ));
    }
    let Some(name) = path.to_str() else {
        return Err(StorageError::Unsupported("the name of a backup must be Unicode".to_owned()));
    };
    create(path).await?;
    let copied = copy(db, name, path).await;
    if copied.is_err() {
        let _ = tokio::fs::remove_file(path).await;
    }
    copied
}

/// Makes the empty file: only one can, and SQLite accepts an empty one as its target.
async fn create(path: &Path) -> Result<(), StorageError> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(StorageError::Unsupported(format!(
            "{} exists already, and a backup overwrites nothing",
            path.display()
        ))),
        Err(error) => Err(failed(path, &error)),
    }
}

/// On a connection of its own, so that no reader waits for it.
async fn copy(db: &Db, name: &str, path: &Path) -> Result<(), StorageError> {
    let options = db.pool().get_sqlite_connection_pool().connect_options();
    let refused = |error: sqlx::Error| StorageError::Unavailable(format!("the backup was not written: {error}"));
    let mut connection = options.connect().await.map_err(refused)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await;
    let _ = connection.close().await;
    copied.map_err(refused)?;
    // SQLite leaves it to us to flush the copy.
    let file = tokio::fs::File::open(path).await.map_err(|error| failed(path, &error))?;
    file.sync_all().await.map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> StorageError {
    StorageError::Unsupported(format!("the backup {} was not written: {error}", path.display()))
}

/// What is wrong with the embedded database, by its own reckoning; empty if nothing is.
///
/// # Errors
/// `Unsupported` on PostgreSQL, or the database is unavailable.
pub async fn integrity(db: &Db) -> Result<Vec<String>, StorageError> {
    if db.engine() != Engine::Sqlite {
        return Err(StorageError::Unsupported(
            "only the embedded database is checked this way; use pg_amcheck for PostgreSQL".to_owned(),
        ));
    }
    let connection = db.pool();
    let mut wrong = Vec::new();
    for row in connection.query_all_raw(statement("PRAGMA integrity_check")).await? {
        let line: String = row.try_get_by_index(0)?;
        if line != "ok" {
            wrong.push(line);
        }
    }
    for row in connection.query_all_raw(statement("PRAGMA foreign_key_check")).await? {
        let (table, parent): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
        wrong.push(format!("a row of {table} refers to one of {parent} that does not exist"));
    }
    Ok(wrong)
}

fn statement(sql: &str) -> sea_orm::Statement {
    sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)
}
