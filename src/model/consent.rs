//! What a person allowed a client.

use super::ids::{ClientId, UserId};
use super::scope::OAuthScope;
use super::time::Timestamp;

/// Remembered by client; asked again only for what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub user: UserId,
    /// To whom.
    pub client: ClientId,
    /// Which scopes.
    pub scope: OAuthScope,
    /// Which single claims beside them (OpenID Connect Core §5.5).
    pub claims: Vec<String>,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}
