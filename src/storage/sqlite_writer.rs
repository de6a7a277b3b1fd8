//! SQLite's one writer: queued transactions commit in groups, each in a savepoint of its own.
//!
//! With `synchronous=FULL` a commit costs a flush to the disk, some milliseconds. While one group is
//! being flushed the next one queues up, so the cost is shared by all who wait: durability at nearly
//! the speed of not having it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::changes::Change;
use super::db::{Retryable, Tx, Work};
use super::error::StorageError;

/// How many may wait; beyond it writing is refused rather than remembered.
const QUEUE: usize = 4096;
/// The largest group, in transactions.
const GROUP: usize = 256;
/// How long a group may collect before it is flushed.
const COLLECT: Duration = Duration::from_millis(20);
/// How long a caller waits for its group.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells the caller how its group ended.
type Settle = Box<dyn FnOnce(Result<(), StorageError>) + Send>;
/// One queued transaction: runs in a savepoint; `None` means that it was rolled back and answered.
type Job = Box<dyn for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, Result<Option<Settle>, StorageError>> + Send>;

/// A handle to the writer task.
#[derive(Clone)]
pub(in crate::storage) struct SqliteWriter {
    queue: mpsc::Sender<Job>,
    connection: DatabaseConnection,
}

impl SqliteWriter {
    /// Starts the task on a connection that nobody else has.
    pub(in crate::storage) fn start(connection: DatabaseConnection) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(connection.clone(), jobs));
        Self { queue, connection }
    }

    /// The connection itself, for what can't run in a transaction: migration's own, and backup.
    pub(in crate::storage) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(in crate::storage) async fn write<I, T, E, F>(&self, input: I, work: F) -> Result<(T, Vec<Change>), E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<StorageError> + Retryable + Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> Work<'a, Result<T, E>> + Send + Sync + 'static,
    {
        let (answer, settled) = oneshot::channel();
        let job: Job = Box::new(move |group| Box::pin(savepoint(group, input, work, answer)));
        self.queue.try_send(job).map_err(|_| StorageError::Unavailable("too many writes are waiting".to_owned()))?;
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StorageError::Unavailable("the transaction was abandoned".to_owned()).into()),
            Err(_) => Err(StorageError::Unavailable("the disk did not take the write in time".to_owned()).into()),
        }
    }

    /// Waits until everything queued before is durable.
    pub(in crate::storage) async fn stop(self) {
        let _ = self.write::<(), (), StorageError, _>((), |_, ()| Box::pin(async { Ok(()) })).await;
        drop(self.queue);
        let _ = self.connection.close().await;
    }
}

/// Runs one closure in a savepoint; its answer waits for the group's commit.
async fn savepoint<I, T, E, F>(
    group: &DatabaseTransaction,
    input: I,
    work: F,
    answer: oneshot::Sender<Result<(T, Vec<Change>), E>>,
) -> Result<Option<Settle>, StorageError>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
    F: for<'a> Fn(&'a Tx, &'a I) -> Work<'a, Result<T, E>> + Send + Sync + 'static,
{
    if answer.is_closed() {
        return Ok(None); // nobody waits for it any more, and nothing has been acknowledged
    }
    let tx = Tx::new(group.begin().await?);
    // A panic costs this one transaction, not the writer.
    let done = AssertUnwindSafe(async { work(&tx, &input).await }).catch_unwind().await;
    match done {
        Ok(Ok(value)) => {
            let changes = tx.commit().await?;
            Ok(Some(Box::new(move |committed| {
                let _ = answer.send(committed.map(|()| (value, changes)).map_err(E::from));
            })))
        }
        Ok(Err(failure)) => {
            tx.rollback().await?;
            let _ = answer.send(Err(failure));
            Ok(None)
        }
        Err(_) => {
            tx.rollback().await?;
            Ok(None)
        }
    }
}

async fn run(connection: DatabaseConnection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.recv().await {
        let mut settles = Vec::new();
        let outcome = group(&connection, first, &mut jobs, &mut settles).await;
        for settle in settles {
            settle(match &outcome {
                Ok(()) => Ok(()),
                Err(failure) => Err(StorageError::Unavailable(failure.to_string())),
            });
        }
    }
}

/// One group: everything that is queued by now and while it collects, in one durable commit.
async fn group(
    connection: &DatabaseConnection,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    settles: &mut Vec<Settle>,
) -> Result<(), StorageError> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(immediate).await?;
    let started = Instant::now();
    let mut next = Some(first);
    let mut size = 0;
    while let Some(job) = next {
        settles.extend(job(&transaction).await?);
        size += 1;
        next = if size < GROUP && started.elapsed() < COLLECT { jobs.try_recv().ok() } else { None };
    }
    if settles.is_empty() {
        return Ok::<_, DbErr>(transaction.rollback().await?).map_err(StorageError::from);
    }
    Ok(transaction.commit().await?)
}
