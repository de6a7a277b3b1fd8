//! Why a verb was not done. What it looks like on the wire is each face's own affair.

use std::time::Duration;

use super::password_policy::Weakness;
use crate::storage::StorageError;

/// A noun, for "not found" and "taken".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A tenant.
    Tenant,
    /// A user.
    User,
    /// An e-mail address or username.
    Identifier,
    /// An OAuth client or service.
    Client,
    /// A permission, which is also a scope name.
    Permission,
    /// A role.
    Role,
    /// A signing key.
    Key,
    /// A mailed link.
    Link,
    /// A passkey.
    Passkey,
    /// An organization.
    Organization,
    /// The short name of an organization.
    Slug,
    /// A membership.
    Membership,
    /// An invitation.
    Invitation,
    /// A system of the catalogue.
    System,
    /// A module of the catalogue.
    Module,
    /// A site of the catalogue.
    Site,
    /// A code of the catalogue.
    Code,
    /// An API client.
    ApiClient,
    /// A session.
    Session,
    /// A connection to a provider elsewhere.
    Connection,
    /// Who somebody of elsewhere is here.
    Identity,
    /// A domain that leads to a connection.
    Domain,
    /// A scoped grant.
    ScopedGrant,
}

impl std::fmt::Display for Noun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::Identifier => "e-mail address or username",
            Self::Client => "client",
            Self::Permission => "permission",
            Self::Role => "role",
            Self::Key => "key",
            Self::Link => "link",
            Self::Passkey => "passkey",
            Self::Organization => "organization",
            Self::Slug => "slug",
            Self::Membership => "membership",
            Self::Invitation => "invitation",
            Self::System => "system",
            Self::Module => "module",
            Self::Site => "site",
            Self::Code => "code",
            Self::ApiClient => "API client",
            Self::Session => "session",
            Self::Connection => "connection",
            Self::Identity => "identity",
            Self::Domain => "domain",
            Self::ScopedGrant => "scoped grant",
        })
    }
}

/// An input that can't be what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct Invalid {
    /// Which one.
    pub field: &'static str,
    /// What is wrong with it and what would be right.
    pub why: String,
    /// The same about a password, for pages to say in the reader's language.
    pub weakness: Option<Weakness>,
}

impl Invalid {
    /// An input and what is wrong with it.
    pub fn new(field: &'static str, why: impl Into<String>) -> Self {
        Self { field, why: why.into(), weakness: None }
    }
}

/// Why a verb was not done.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// The database can't be reached or did not answer in time.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// More passwords wait to be hashed than can be in good time.
    #[error("too many sign-ins at once; try again in {} s", retry_after.as_secs())]
    Busy {
        /// When it may be worth trying again.
        retry_after: Duration,
    },
    /// What was named does not exist, or not for this caller.
    #[error("no such {0}")]
    NotFound(Noun),
    /// It exists already.
    #[error("{0} already taken")]
    Taken(Noun),
    /// An input can't be what it should be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller did not prove who they are; the cause is for the audit log alone.
    #[error("not authenticated: {0}")]
    NotAuthenticated(&'static str),
    /// The account has a second factor, which this way in can't ask for.
    #[error("a second factor is needed")]
    SecondFactorNeeded,
    /// The caller lacks a permission.
    #[error("the permission {0} is missing")]
    Forbidden(&'static str),
    /// A rule stands against it, whatever the caller holds; says which.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// What is there now stands against it; says what.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// Another transaction was in the way, again and again.
    #[error("another transaction was in the way: {0}")]
    Contended(String),
    /// A defect of ours, or a row that can't be.
    #[error("{0}")]
    Defect(String),
}

impl From<StorageError> for DomainError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(why) => Self::Unavailable(why),
            StorageError::Contended(why) => Self::Contended(why),
            other => Self::Defect(other.to_string()),
        }
    }
}

impl crate::storage::Retryable for DomainError {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Contended(_))
    }
}

impl From<crate::crypto::sealing::SealError> for DomainError {
    fn from(error: crate::crypto::sealing::SealError) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<crate::crypto::jwk::KeyError> for DomainError {
    fn from(error: crate::crypto::jwk::KeyError) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<crate::crypto::jws::JwsError> for DomainError {
    fn from(error: crate::crypto::jws::JwsError) -> Self {
        Self::Defect(error.to_string())
    }
}
