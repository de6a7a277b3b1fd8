//! The verbs: open a transaction, decide access, change rows, write audit, return nouns.
//!
//! No status codes, no texts for people, no actix.

pub mod access_log;
pub mod audit;
pub mod authn;
pub mod bootstrap;
pub mod clients;
mod core;
mod ctx;
mod error;
pub mod keys;
pub mod lockout;
pub mod permissions;
pub mod roles;
pub mod services;
pub mod tenants;
pub mod tokens;
pub mod upkeep;
pub mod users;

pub use self::core::{Core, Seams};
pub use ctx::{Ctx, Origin};
pub use error::{DomainError, Invalid, Noun};
