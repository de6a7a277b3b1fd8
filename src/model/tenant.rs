//! Tenants: the hard wall between user spaces.

use super::ids::TenantId;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// Which calls a tenant key opens.
    TenantKeyKind {
        /// `pub_…`: for client-side calls (register, log in).
        Public = "public",
        /// `sec_…`: for management calls.
        Secret = "secret",
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// `tnt_…`.
    pub id: TenantId,
    /// For people to read.
    pub name: String,
    /// The one that serves every path that names none; its issuer is the base URL.
    pub is_default: bool,
    /// A disabled tenant answers nothing.
    pub enabled: bool,
    /// What it sets for itself.
    pub settings: TenantSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a tenant may set for itself; `None` takes the installation's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantSettings {
    /// The least number of characters in a password.
    pub password_min_length: Option<u32>,
    /// Life of access tokens, in seconds.
    pub access_token_ttl: Option<u32>,
    /// Life of refresh tokens, in seconds.
    pub refresh_token_ttl: Option<u32>,
}

/// A key by which a tenant's own back end or front end calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKey {
    /// Which calls it opens.
    pub kind: TenantKeyKind,
    /// SHA-256 of the key.
    pub digest: [u8; 32],
    /// The key itself; only a public one is kept.
    pub public_text: Option<String>,
    /// When it ceases to count, once it has been replaced.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}
