//! The access log's way to the database: bounded, grouped, and never in a request's way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::core::Core;
use crate::model::access_log::AccessLogEntry;
use crate::storage::access_log;
use crate::telemetry::Metrics;

/// How many rows go into one transaction.
const GROUP: usize = 500;
/// How long a row waits for company.
const COLLECT: Duration = Duration::from_millis(200);

enum Message {
    Row(Box<AccessLogEntry>),
    Flush(oneshot::Sender<()>),
}

/// Where requests leave their row.
pub struct AccessLog {
    queue: mpsc::Sender<Message>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<Message>>,
    metrics: Arc<Metrics>,
}

impl AccessLog {
    pub(super) fn new(capacity: u32, metrics: Arc<Metrics>) -> Self {
        let (queue, inbox) = mpsc::channel(usize::try_from(capacity).unwrap_or(8192).max(1));
        Self { queue, inbox: tokio::sync::Mutex::new(inbox), metrics }
    }

    /// Leaves a row, or sheds and counts it where the writer can't keep up.
    pub fn record(&self, entry: AccessLogEntry) {
        if self.queue.try_send(Message::Row(Box::new(entry))).is_err() {
            self.metrics.access_log_shed();
        }
    }

    /// Waits until the rows left so far are written, two seconds at most.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let asked = tokio::time::timeout(Duration::from_secs(1), self.queue.send(Message::Flush(done))).await;
        if matches!(asked, Ok(Ok(()))) {
            let _ = tokio::time::timeout(Duration::from_secs(1), written).await;
        }
    }
}

/// Writes what requests leave, for as long as the process lives; one caller at a time.
pub async fn write(core: Arc<Core>) {
    let mut inbox = core.access_log.inbox.lock().await;
    while let Some(first) = inbox.recv().await {
        let (mut rows, mut waiting) = (Vec::new(), Vec::new());
        let deadline = tokio::time::Instant::now() + COLLECT;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Row(row) => rows.push(*row),
                Message::Flush(done) => waiting.push(done),
            }
            let enough = rows.len() >= GROUP || !waiting.is_empty();
            next = if enough { None } else { tokio::time::timeout_at(deadline, inbox.recv()).await.ok().flatten() };
        }
        store(&core, rows).await;
        for done in waiting {
            let _ = done.send(());
        }
    }
}

async fn store(core: &Core, rows: Vec<AccessLogEntry>) {
    if rows.is_empty() {
        return;
    }
    let count = rows.len();
    let written = core.db.write(rows, |tx, rows| Box::pin(access_log::append(tx, rows))).await;
    if let Err(why) = written {
        tracing::warn!(rows = count, %why, "access log rows were shed");
        (0..count).for_each(|_| core.metrics.access_log_shed());
    }
}
