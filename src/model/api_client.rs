//! API clients: trusted systems that come with a key pair (`handoff.md`).

use ipnet::IpNet;

use super::ids::{ApiClientId, TenantId};
use super::time::Timestamp;

/// A trusted system with a key pair.
#[derive(Clone, Debug)]
pub struct ApiClient {
    /// Whose it is.
    pub tenant: TenantId,
    /// `apc_…`.
    pub id: ApiClientId,
    /// For people to read.
    pub name: String,
    /// Its public name: what `X-Client-Key` holds.
    pub client_key: String,
    /// SHA-256 of what `X-API-Key` holds.
    pub secret: [u8; 32],
    /// SHA-256 of the secret before, and until when that still counts.
    pub previous_secret: Option<([u8; 32], Timestamp)>,
    /// From when on it counts no longer.
    pub expires_at: Option<Timestamp>,
    /// A disabled one counts for nothing.
    pub enabled: bool,
    /// Which `Origin` headers may stand on its requests; empty is any.
    pub origins: Vec<String>,
    /// From which networks it may call; empty is any.
    pub networks: Vec<IpNet>,
    /// Which paths it may call, and what is below them; empty is any.
    pub paths: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}
