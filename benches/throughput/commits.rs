//! The least that a durable change costs: one row, one commit, one after the other, through the same
//! library and with the same settings of the database.

use std::path::Path;
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};

use super::load::Round;
use super::process;

pub struct Commits(DatabaseConnection);

impl Commits {
    /// In a database of its own.
    pub async fn prepare(folder: &Path, database: Option<String>) -> Self {
        let file = format!("sqlite://{}?mode=rwc", folder.join("commits.db").display());
        let mut options = ConnectOptions::new(database.unwrap_or(file));
        options.max_connections(1).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        });
        let connection = Database::connect(options).await.unwrap();
        for statement in
            ["CREATE TABLE counts (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)", "INSERT INTO counts VALUES (1, 0)"]
        {
            connection.execute_unprepared(statement).await.unwrap();
        }
        Self(connection)
    }

    /// How many in a second.
    pub async fn rate(&self, length: Duration) -> f64 {
        self.round(length, 1, || ()).await.rate
    }

    /// Again and again so many of them and some work beside.
    pub async fn round(&self, length: Duration, commits: usize, work: impl Fn()) -> Round {
        let (me, started, mut done) = (std::process::id(), Instant::now(), 0.0);
        let cpu = process::cpu(me);
        while started.elapsed() < length {
            for _ in 0..commits {
                self.0.execute_unprepared("UPDATE counts SET n = n + 1 WHERE id = 1").await.unwrap();
            }
            work();
            done += 1.0;
        }
        let cpu = process::cpu(me) - cpu;
        Round { rate: done / length.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / done, busy: 0 }
    }
}
