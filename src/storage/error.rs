//! What can go wrong between us and the rows.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failure of storage, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database can't be reached, is full or did not answer in time: try again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A row like this exists already.
    #[error("a row with this key exists already: {0}")]
    Duplicate(String),
    /// A row that this one refers to does not exist.
    #[error("a row that this one refers to does not exist: {0}")]
    DanglingReference(String),
    /// Another transaction was in the way; the whole closure may run again.
    #[error("another transaction was in the way: {0}")]
    Contended(String),
    /// A row holds what the types do not allow.
    #[error("table {table} holds an impossible {column}: {why}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// In which column.
        column: &'static str,
        /// What is wrong with it; never the value of a secret.
        why: String,
    },
    /// What was asked for can't be done with this database as it is; the text says why and what to do.
    #[error("{0}")]
    Unsupported(String),
    /// Anything else: a defect of ours.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

impl StorageError {
    /// The database is known to be gone.
    pub(in crate::storage) fn gone() -> Self {
        Self::Unavailable("it has not answered for more than a second".to_owned())
    }
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(what)) => return Self::Duplicate(what),
            Some(SqlErr::ForeignKeyConstraintViolation(what)) => return Self::DanglingReference(what),
            _ => {}
        }
        let text = error.to_string();
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(text),
            DbErr::Exec(RuntimeErr::SqlxError(sqlx)) | DbErr::Query(RuntimeErr::SqlxError(sqlx)) => {
                classify(sqlx, text)
            }
            _ => Self::Refused(text),
        }
    }
}

/// Sorts a driver's error by its SQLSTATE (PostgreSQL Appendix A) or SQLite result code.
fn classify(error: &sea_orm::sqlx::Error, text: String) -> StorageError {
    use sea_orm::sqlx::Error;
    match error {
        Error::Database(database) => match database.code().as_deref() {
            Some("40001" | "40P01" | "5" | "6" | "261" | "517") => StorageError::Contended(text),
            // shutting down, cancelled, full, too many connections, read-only, timed out
            Some(
                "57P01" | "57P02" | "57P03" | "57P05" | "57014" | "53100" | "53200" | "53300" | "25006" | "25P03"
                | "25P04" | "55P03",
            ) => StorageError::Unavailable(text),
            Some(code) if code.starts_with("08") || code.starts_with("58") => StorageError::Unavailable(text),
            // SQLITE_READONLY, _IOERR, _FULL, _CANTOPEN and their extended codes
            Some(code) if code.parse::<u32>().is_ok_and(|c| code.len() < 5 && matches!(c & 0xff, 8 | 10 | 13 | 14)) => {
                StorageError::Unavailable(text)
            }
            _ => StorageError::Refused(text),
        },
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => StorageError::Unavailable(text),
        _ => StorageError::Refused(text),
    }
}
