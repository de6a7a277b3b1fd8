//! Rows ↔ nouns, on SQLite and PostgreSQL. Plain functions, one file a noun.
//!
//! No rules, no clock, no wire formats; and no `sea_orm` type leaves this layer. Reading functions
//! take [`TenantRows`], writing ones a [`TenantTx`]: the tenant predicate can't be left out, because
//! there is no way to the rows without it but [`unscoped`], where each query says why.

pub mod access_log;
pub mod api_clients;
pub mod assertions;
pub mod audit;
pub mod authorization_codes;
pub mod authorization_requests;
pub mod backup;
mod catalogue;
pub mod catalogue_numbers;
pub mod changes;
pub mod clients;
mod column;
pub mod connections;
pub mod consents;
mod db;
pub mod device_codes;
mod entity;
mod error;
pub mod fresh;
pub mod idempotent_requests;
pub mod identities;
pub mod installation;
pub mod invitations;
pub mod known_browsers;
pub mod leases;
pub mod link_offers;
pub mod lockouts;
pub mod logout_outbox;
pub mod mail_links;
pub mod mail_outbox;
pub mod memberships;
pub mod mfa_tickets;
pub mod migrate;
pub mod modules;
pub mod organizations;
pub mod passkeys;
pub mod permissions;
pub mod recovery_codes;
pub mod roles;
pub mod saml_assertions;
pub mod saml_keys;
pub mod saml_sessions;
pub mod scoped_grants;
mod search;
pub mod sessions;
pub mod signing_keys;
pub mod sites;
mod sqlite_writer;
pub mod systems;
pub mod tenants;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod totp;
pub mod transfer;
pub mod unscoped;
pub mod upstream_logins;
pub mod users;
pub mod webauthn_ceremonies;

pub use db::{Db, Engine, Retryable, Rows, TenantRows, TenantTx, Tx};
pub use error::StorageError;
