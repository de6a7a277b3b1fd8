//! Brings the schema up to date: all that is pending in one transaction, under a lock.
//!
//! SeaORM's migrator takes no lock, and on SQLite no transaction; both are taken here around it, and
//! what is pending is asked again once the lock is held. So any number of copies may start at once.

use std::collections::HashSet;

use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::sea_query::Query;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, IntoDatabaseExecutor, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::db::Db;
use super::error::StorageError;

/// Where the migrator keeps what it has applied.
const TABLE: &str = "seaql_migrations";

/// Waits for whoever else migrates this database. The number is arbitrary but must never change.
/// The time-outs of ordinary statements do not fit here, so they are widened for this transaction.
const POSTGRES_LOCK: &str = "SET LOCAL lock_timeout = '120s'; SET LOCAL statement_timeout = '300s'; \
     SET LOCAL idle_in_transaction_session_timeout = '300s'; SELECT pg_advisory_xact_lock(7022310834521)";

/// Applies what is pending and says what that was.
///
/// # Errors
/// The schema is newer than this program; a change can't be made; or the database is unavailable.
pub async fn up(db: &Db) -> Result<Vec<String>, StorageError> {
    let transaction = locked(db).await?;
    let pending = pending(&transaction).await?;
    if pending.is_empty() {
        transaction.rollback().await?;
    } else {
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
    }
    Ok(pending)
}

/// Begins a transaction that only one copy can have open at a time.
async fn locked(db: &Db) -> Result<DatabaseTransaction, StorageError> {
    let Some(writer) = db.sqlite_writer() else {
        let transaction = db.pool().begin().await?;
        transaction.execute_unprepared(POSTGRES_LOCK).await?;
        return Ok(transaction);
    };
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(writer.connection().begin_with_options(immediate).await?)
}

/// Every change that this program knows, oldest first, and whether it was made. Only reads.
///
/// # Errors
/// The schema is newer than this program, or the database is unavailable.
pub async fn status(db: &Db) -> Result<Vec<(String, bool)>, StorageError> {
    known(db.pool()).await
}

/// Whether the schema is what this program wants.
///
/// # Errors
/// The schema is newer than this program, or the database is unavailable.
pub async fn is_current(db: &Db) -> Result<bool, StorageError> {
    Ok(known(db.pool()).await?.iter().all(|(_, applied)| *applied))
}

async fn pending(transaction: &DatabaseTransaction) -> Result<Vec<String>, StorageError> {
    let all = known(transaction).await?;
    Ok(all.into_iter().filter_map(|(name, applied)| (!applied).then_some(name)).collect())
}

async fn known<'c, C>(connection: &'c C) -> Result<Vec<(String, bool)>, StorageError>
where
    C: ConnectionTrait,
    &'c C: IntoDatabaseExecutor<'c>,
{
    let mut applied = HashSet::new();
    if SchemaManager::new(connection).has_table(TABLE).await? {
        for row in connection.query_all(Query::select().column("version").from(TABLE)).await? {
            applied.insert(row.try_get::<String>("", "version")?);
        }
    }
    let files = Migrator::get_migration_files();
    let known = files.iter().map(|file| (file.name().to_owned(), applied.remove(file.name()))).collect();
    match applied.iter().min() {
        None => Ok(known),
        Some(unknown) => Err(StorageError::Unsupported(format!(
            "the schema is newer than this program (it has {unknown}); start the newer release"
        ))),
    }
}
