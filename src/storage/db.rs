//! The way to the database: one reader pool, one way to write, and the tenant on every query.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbErr,
    IsolationLevel, RuntimeErr, TransactionTrait,
};

use super::changes::Change;
use super::error::StorageError;
use super::fresh::Freshness;
use super::sqlite_writer::SqliteWriter;
use crate::config::DatabaseConfig;
use crate::model::change::ChangeKind;
use crate::model::ids::TenantId;

/// A future that a closure returns while it borrows from its arguments.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL, or what speaks its protocol.
    Postgres,
}

/// The database: a pool for reading, and one function for writing.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    readers: DatabaseConnection,
    /// A connection that no request takes: the change feed must be read on time under any load.
    watch: DatabaseConnection,
    writer: Option<SqliteWriter>,
    freshness: Arc<Freshness>,
}

impl Db {
    /// Opens the pool. Nothing is created but the SQLite file.
    ///
    /// # Errors
    /// The address is not understood, or the database can't be reached.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, StorageError> {
        let url = config.url.expose();
        let engine = if url.starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres };
        let readers = connect(options(engine, config, config.pool_size())).await?;
        let mut apart = options(engine, config, 1);
        apart.min_connections(0).connect_lazy(true);
        let watch = Database::connect(apart).await?;
        let writer = match engine {
            Engine::Sqlite => Some(SqliteWriter::start(connect(options(engine, config, 1)).await?)),
            Engine::Postgres => None,
        };
        Ok(Self { engine, readers, watch, writer, freshness: Arc::new(Freshness::default()) })
    }

    /// Which database it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// What tells caches whether they may still be believed.
    #[must_use]
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.freshness
    }

    /// The rows as they were last committed.
    #[must_use]
    pub fn read(&self) -> Rows<'_> {
        Rows(Way::Pool(&self.readers))
    }

    /// The same rows, by a connection of the change feed's own.
    #[must_use]
    pub const fn watch(&self) -> Rows<'_> {
        Rows(Way::Pool(&self.watch))
    }

    /// The rows as they are at this moment, for as long as this is held; for what reads many of them.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn snapshot(&self) -> Result<Snapshot, StorageError> {
        // SQLite's transactions are all of this kind.
        let isolation = (self.engine == Engine::Postgres).then_some(IsolationLevel::RepeatableRead);
        Ok(Snapshot(self.readers.begin_with_config(isolation, None).await?))
    }

    /// Runs `work` in a transaction and answers once that is durable. The one way to write.
    ///
    /// On SQLite the transaction shares its commit with others (a savepoint each); on PostgreSQL it
    /// runs again, up to three times, when another one was in its way. So `work` may run more than
    /// once and must do nothing but read and write rows: that is why it takes its input by reference.
    /// What must survive a refusal is not an `Err` (which rolls back) but a value of `T`.
    ///
    /// # Errors
    /// What `work` said, or that the database was unavailable: then nothing was acknowledged.
    pub async fn write<I, T, E, F>(&self, input: I, work: F) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<StorageError> + Retryable + Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> Work<'a, Result<T, E>> + Send + Sync + 'static,
    {
        if self.freshness.is_lost() {
            return Err(StorageError::gone().into());
        }
        let freshness = Arc::clone(&self.freshness);
        let (value, changes) = match &self.writer {
            Some(writer) => writer.write(input, work).await?,
            None => {
                let pool = self.readers.clone();
                // A task of its own: a caller that goes away can't leave a transaction half done.
                let task = tokio::spawn(async move { retrying(&pool, &input, &work).await });
                task.await.map_err(|stopped| StorageError::Unavailable(stopped.to_string()))??
            }
        };
        freshness.apply(&changes);
        Ok(value)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StorageError> {
        self.readers.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// How many connections the pool has open, and how many of them nobody uses.
    #[must_use]
    pub fn pool_size(&self) -> (u32, usize) {
        match self.engine {
            Engine::Sqlite => {
                let pool = self.readers.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            Engine::Postgres => {
                let pool = self.readers.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
        }
    }

    /// Closes the pool, after what is under way.
    pub async fn close(self) {
        if let Some(writer) = self.writer {
            writer.stop().await;
        }
        let _ = self.watch.close().await;
        let _ = self.readers.close().await;
    }

    /// Has what readers ask be heard.
    #[cfg(test)]
    pub(in crate::storage) fn on_statement(&mut self, hear: impl Fn(&sea_orm::Statement) + Send + Sync + 'static) {
        self.readers.set_metric_callback(move |asked| hear(asked.statement));
    }

    pub(in crate::storage) const fn pool(&self) -> &DatabaseConnection {
        &self.readers
    }

    pub(in crate::storage) const fn sqlite_writer(&self) -> Option<&SqliteWriter> {
        self.writer.as_ref()
    }
}

/// Whether an error means that the whole closure may run again.
pub trait Retryable {
    /// True where another transaction was in the way.
    fn is_contention(&self) -> bool;
}

impl Retryable for StorageError {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Contended(_))
    }
}

async fn retrying<I, T, E, F>(pool: &DatabaseConnection, input: &I, work: &F) -> Result<(T, Vec<Change>), E>
where
    E: From<StorageError> + Retryable,
    F: for<'a> Fn(&'a Tx, &'a I) -> Work<'a, Result<T, E>>,
{
    let mut turn = 0_u32;
    loop {
        turn += 1;
        let failure = match once(pool, input, work).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        if turn > 3 || !failure.is_contention() {
            return Err(failure);
        }
        // The database picks a victim and lets the other one go on; a short pause is enough.
        tokio::time::sleep(Duration::from_millis(5 * u64::from(turn * turn))).await;
    }
}

async fn once<I, T, E, F>(pool: &DatabaseConnection, input: &I, work: &F) -> Result<(T, Vec<Change>), E>
where
    E: From<StorageError>,
    F: for<'a> Fn(&'a Tx, &'a I) -> Work<'a, Result<T, E>>,
{
    let tx = Tx::new(pool.begin().await.map_err(StorageError::from)?);
    match work(&tx, input).await {
        Ok(value) => Ok((value, tx.commit().await?)),
        Err(failure) => {
            let _ = tx.rollback().await; // the connection rolls back anyway when it is returned
            Err(failure)
        }
    }
}

/// Connects; waits where several processes open one new SQLite file: the first switches it to WAL under
/// a lock for which `busy_timeout` does not wait.
async fn connect(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let mut turns_left = 100;
    loop {
        match Database::connect(options.clone()).await {
            Err(failure) if turns_left > 0 && is_locked(&failure) => {
                turns_left -= 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(failure) => return Err(cause(options.get_url()).await.unwrap_or(failure)),
            made => return made,
        }
    }
}

/// Why PostgreSQL can't be reached. The pool tries again until its time is up, and then knows no more than that.
async fn cause(url: &str) -> Option<DbErr> {
    if !url.starts_with("postgres") {
        return None;
    }
    let tried = tokio::time::timeout(Duration::from_secs(1), PgConnection::connect(url)).await.ok()?;
    tried.err().map(|why| DbErr::Conn(RuntimeErr::SqlxError(why.into())))
}

/// `SQLITE_BUSY`, or one of its extended codes.
fn is_locked(failure: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(failure)) = failure else { return false };
    let code = failure.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("5" | "261" | "517"))
}

fn options(engine: Engine, config: &DatabaseConfig, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.expose());
    options
        .max_connections(connections)
        .min_connections(if engine == Engine::Sqlite { 1 } else { connections.min(2) })
        .acquire_timeout(config.acquire_timeout)
        .connect_timeout(config.acquire_timeout)
        // With either of them the pool keeps a task that looks for old connections, and that task may spin for
        // ever (sqlx#3645, mended after 0.9.0). Who takes a connection looks instead, below.
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false);
    match engine {
        Engine::Sqlite => {
            options
                .test_before_acquire(false)
                // A full disk makes SQLite roll back by itself. The driver goes on counting that transaction, and
                // what it takes for nested ones from then on would never be committed: such a connection is dropped.
                .map_sqlx_sqlite_before_acquire(|connection, _| {
                    Box::pin(async move { Ok(!connection.is_in_transaction()) })
                })
                .map_sqlx_sqlite_opts(|sqlite| {
                    sqlite
                        .create_if_missing(true)
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Full)
                        .foreign_keys(true)
                        .busy_timeout(Duration::from_secs(5))
                        .pragma("cache_size", "-4096")
                        .pragma("temp_store", "memory")
                });
        }
        Engine::Postgres => {
            let statement = config.statement_timeout.as_millis().to_string();
            let lock = config.lock_timeout.as_millis().to_string();
            let (idle, life) = (config.idle_timeout, config.max_lifetime);
            options
                // A connection that was quiet may be dead by now; a busy one says so itself.
                .test_before_acquire_if_idle_for(Duration::from_secs(1))
                .map_sqlx_postgres_before_acquire(move |_, connection| {
                    Box::pin(async move { Ok(connection.idle_for < idle && connection.age < life) })
                })
                .map_sqlx_postgres_opts(move |postgres| {
                    postgres.application_name("gatehouse").options([
                        ("statement_timeout", statement.as_str()),
                        ("lock_timeout", lock.as_str()),
                        ("idle_in_transaction_session_timeout", statement.as_str()),
                    ])
                });
        }
    }
    options
}

/// A way to the rows, of no tenant yet: the pool, or a transaction that is open.
#[derive(Clone, Copy)]
pub struct Rows<'a>(Way<'a>);

#[derive(Clone, Copy)]
enum Way<'a> {
    Pool(&'a DatabaseConnection),
    Transaction(&'a DatabaseTransaction),
}

impl<'a> Rows<'a> {
    /// The rows of one tenant.
    #[must_use]
    pub const fn of(self, tenant: TenantId) -> TenantRows<'a> {
        TenantRows { rows: self, tenant }
    }

    pub(in crate::storage) const fn raw(&self) -> DatabaseExecutor<'a> {
        match self.0 {
            Way::Pool(pool) => DatabaseExecutor::Connection(pool),
            Way::Transaction(transaction) => DatabaseExecutor::Transaction(transaction),
        }
    }
}

/// Rows that stay as they are while others write; see [`Db::snapshot`].
pub struct Snapshot(DatabaseTransaction);

impl Snapshot {
    /// The rows.
    #[must_use]
    pub const fn rows(&self) -> Rows<'_> {
        Rows(Way::Transaction(&self.0))
    }
}

/// The rows of one tenant; what reading functions take.
#[derive(Clone, Copy)]
pub struct TenantRows<'a> {
    rows: Rows<'a>,
    tenant: TenantId,
}

impl<'a> TenantRows<'a> {
    /// Whose rows they are.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The same way to the rows, without the tenant.
    pub(in crate::storage) const fn unscoped(&self) -> Rows<'a> {
        self.rows
    }

    pub(in crate::storage) const fn raw(&self) -> DatabaseExecutor<'a> {
        self.rows.raw()
    }
}

/// An open write transaction.
pub struct Tx {
    raw: DatabaseTransaction,
    changes: Mutex<Vec<Change>>,
}

impl Tx {
    pub(in crate::storage) const fn new(raw: DatabaseTransaction) -> Self {
        Self { raw, changes: Mutex::new(Vec::new()) }
    }

    /// The rows as this transaction sees them.
    #[must_use]
    pub const fn rows(&self) -> Rows<'_> {
        Rows(Way::Transaction(&self.raw))
    }

    /// The rows of one tenant, to be read and written.
    #[must_use]
    pub const fn of(&self, tenant: TenantId) -> TenantTx<'_> {
        TenantTx { rows: self.rows().of(tenant), tx: self }
    }

    pub(in crate::storage) const fn raw(&self) -> &DatabaseTransaction {
        &self.raw
    }

    pub(in crate::storage) fn remember(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }

    pub(in crate::storage) async fn commit(self) -> Result<Vec<Change>, StorageError> {
        self.raw.commit().await?;
        Ok(self.changes.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::storage) async fn rollback(self) -> Result<(), StorageError> {
        Ok(self.raw.rollback().await?)
    }
}

/// The rows of one tenant in an open write transaction; what writing functions take.
#[derive(Clone, Copy)]
pub struct TenantTx<'a> {
    rows: TenantRows<'a>,
    tx: &'a Tx,
}

impl TenantTx<'_> {
    /// Tells every copy, once this is committed, that something is no longer what it was.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn changed(&self, kind: ChangeKind, key: &str) -> Result<(), StorageError> {
        super::changes::record(self.tx, Some(self.tenant()), kind, key).await
    }
}

impl<'a> Deref for TenantTx<'a> {
    type Target = TenantRows<'a>;
    fn deref(&self) -> &TenantRows<'a> {
        &self.rows
    }
}
