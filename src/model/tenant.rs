//! Tenants: the hard wall between user spaces.

use serde::{Deserialize, Serialize};

use super::color::Color;
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

impl Tenant {
    /// What people know it by: the default one is the installation itself, until it is given a name.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.is_default && self.name == "default" { "gatehouse" } else { &self.name }
    }
}

text_enum! {
    /// Who may register a client (RFC 7591 §3).
    RegistrationPolicy {
        /// Nobody but the operator.
        Off = "off",
        /// Whoever holds an initial access token.
        Token = "token",
        /// Anybody.
        Open = "open",
    }
}

/// What lets its holder register clients (RFC 7591 §3), known by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialAccessToken {
    /// SHA-256, in hex.
    pub digest: String,
    /// When it ceases to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a tenant may set for itself; `None` takes the installation's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantSettings {
    /// The least number of characters in a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_min_length: Option<u32>,
    /// Life of access tokens, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_ttl: Option<u32>,
    /// Life of refresh tokens, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_ttl: Option<u32>,
    /// Whether people may make an account of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_registration: Option<bool>,
    /// The colour of buttons and links on its pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Address of the picture beside its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Who may register a client.
    pub registration: RegistrationPolicy,
    /// Whether clients that register themselves may have response types that send tokens through the
    /// browser.
    pub registration_legacy: bool,
    /// What opens registration where it takes a token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub initial_access_tokens: Vec<InitialAccessToken>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            password_min_length: None,
            access_token_ttl: None,
            refresh_token_ttl: None,
            self_registration: None,
            color: None,
            logo: None,
            registration: RegistrationPolicy::Off,
            registration_legacy: false,
            initial_access_tokens: Vec::new(),
        }
    }
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
