//! Invitations on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::faces::admin::members::body;
use crate::model::organization::{Invitation, MembershipRole};

/// An invitation that can still be followed.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationShown {
    /// `inv_…`.
    id: String,
    /// Who was asked.
    email: String,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    /// Who asked.
    invited_by: String,
    /// RFC 3339.
    created_at: String,
    /// Until when it can be followed.
    expires_at: String,
}

impl From<Invitation> for InvitationShown {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.to_string(),
            email: invitation.email,
            role: invitation.role.as_str(),
            invited_by: invitation.invited_by,
            created_at: invitation.created_at.rfc3339(),
            expires_at: invitation.expires_at.rfc3339(),
        }
    }
}

body! {
    /// Who is to be asked, and as what.
    NewInvitationBody as NewInvitation {
        /// Their address.
        email: String = text,
        /// `owner`, `admin` or `member`.
        #[schema(value_type = String)]
        role: MembershipRole = required_name,
    }
}
