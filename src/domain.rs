//! The verbs: open a transaction, decide access, change rows, write audit, return nouns.
//!
//! No status codes, no texts for people, no actix.

pub mod access;
pub mod access_log;
pub mod account;
pub mod administration;
pub mod api_clients;
pub mod api_sign_in;
pub mod audit;
pub mod authn;
pub mod bootstrap;
pub mod catalogue;
pub mod clients;
pub mod connections;
pub mod consents;
mod core;
mod ctx;
pub mod device_codes;
mod error;
pub mod factors;
pub mod idempotency;
pub mod identities;
pub mod invitations;
pub mod keys;
pub mod known_browsers;
pub mod lockout;
pub mod login_transactions;
pub mod logout;
pub mod mail;
pub mod mail_links;
pub mod memberships;
pub mod organizations;
pub mod password_policy;
pub mod passwords;
pub mod permissions;
pub mod provisioning;
pub mod recovery;
pub mod registration;
pub mod roles;
pub mod saml_keys;
pub mod saml_sign_in;
pub mod scoped_grants;
pub mod services;
pub mod sessions;
pub mod sign_in;
pub mod subjects;
pub mod tenants;
pub mod tokens;
pub mod transfer;
pub mod upkeep;
pub mod upstream_logins;
pub mod users;
pub mod verification;

pub use self::core::{Core, Seams};
pub use ctx::{Ctx, Origin};
pub use error::{DomainError, Invalid, Noun};
