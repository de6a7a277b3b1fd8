//! A sign-out that a client is still to be told of.

use super::ids::{ClientId, SessionId, TenantId, UserId};
use super::time::Timestamp;

/// One client, one session that ended (OpenID Connect Back-Channel Logout §2.5).
#[derive(Clone, Debug)]
pub struct LogoutNotice {
    /// Whose.
    pub tenant: TenantId,
    /// Which session: `sid`.
    pub session: SessionId,
    /// Who is told.
    pub client: ClientId,
    /// Who was signed in: `sub`.
    pub user: UserId,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried no more.
    pub give_up_at: Timestamp,
    /// When the session ended.
    pub created_at: Timestamp,
}
