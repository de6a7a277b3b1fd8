//! Sessions on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::session::Session;

/// An open session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionShown {
    /// `ses_…`.
    id: String,
    /// `usr_…`.
    user_id: String,
    /// How they proved who they are (RFC 8176).
    amr: Vec<String>,
    /// From where it began.
    address: Option<String>,
    /// In which browser.
    user_agent: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// When it was used last.
    seen_at: String,
    /// When it ends if it is not used.
    expires_at: String,
    /// When it ends in any case.
    ends_at: String,
}

impl From<Session> for SessionShown {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.to_string(),
            user_id: session.user.to_string(),
            amr: session.amr(),
            address: session.address,
            user_agent: session.user_agent,
            created_at: session.created_at.rfc3339(),
            seen_at: session.seen_at.rfc3339(),
            expires_at: session.expires_at.rfc3339(),
            ends_at: session.ends_at.rfc3339(),
        }
    }
}
