//! A tenant, or the whole installation, as one file of JSON lines: written here, read there, from one
//! engine to the other.
//!
//! Ids are kept, and so are passwords, keys of clients and recovery codes, which are hashes and digests.
//! What the database holds sealed (private signing keys, secrets of authenticator apps, secrets that
//! clients sign with) goes along only if that is asked for. A person whose authenticator app stays
//! behind still needs a second factor to sign in: a passkey or a recovery code.

mod batch;
mod export;
mod import;
mod lines;
mod reading;
mod values;
mod writing;

use std::collections::BTreeMap;

pub use export::{Left, export};
pub use import::{Imported, Wish, header, import};
pub use lines::Header;

use super::error::DomainError;
use crate::storage::{Retryable, StorageError};

/// Why a file was not written or read to its end.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A line is not what it should be, or stands against what is there.
    #[error("line {line}: {why}")]
    Line {
        /// Which one; the header is the first.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It was refused as a whole.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
}

impl TransferError {
    /// That a line was refused; who was in the way or not there is no fault of the line.
    fn at(line: u64) -> impl Fn(DomainError) -> Self {
        move |error| match error {
            DomainError::Unavailable(_) | DomainError::Contended(_) => Self::Domain(error),
            other => Self::Line { line, why: other.to_string() },
        }
    }
}

impl From<StorageError> for TransferError {
    fn from(error: StorageError) -> Self {
        Self::Domain(error.into())
    }
}

impl Retryable for TransferError {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Domain(error) if error.is_contention())
    }
}

/// How many of each kind, by name.
pub type Counts = BTreeMap<&'static str, u64>;
