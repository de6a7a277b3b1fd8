//! Rows ↔ nouns, on SQLite and PostgreSQL. Plain functions, one file a noun.
//!
//! No rules, no clock, no wire formats; and no `sea_orm` type leaves this layer. Reading functions
//! take [`TenantRows`], writing ones a [`TenantTx`]: the tenant predicate can't be left out, because
//! there is no way to the rows without it but [`unscoped`], where each query says why.

pub mod access_log;
pub mod assertions;
pub mod audit;
pub mod backup;
pub mod changes;
pub mod clients;
mod column;
mod db;
mod entity;
mod error;
pub mod fresh;
pub mod installation;
pub mod leases;
pub mod lockouts;
pub mod migrate;
pub mod permissions;
pub mod roles;
pub mod signing_keys;
mod sqlite_writer;
pub mod tenants;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod unscoped;
pub mod users;

pub use db::{Db, Engine, Retryable, Rows, TenantRows, TenantTx, Tx};
pub use error::StorageError;
