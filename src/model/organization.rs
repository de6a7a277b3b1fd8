//! Organizations (a workspace of `workspace.md`, a company of `handoff.md`), who belongs to them, and who was
//! asked to.

use super::ids::{InvitationId, MembershipId, OrganizationId, TenantId, UserId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// What somebody is in an organization; each may do what those after it may.
    MembershipRole {
        /// May do everything; an organization always has one.
        Owner = "owner",
        /// Looks after members.
        Admin = "admin",
        /// Belongs to it.
        Member = "member",
    }
}

impl MembershipRole {
    /// Whether this one stands at least as high.
    #[must_use]
    pub const fn reaches(self, other: Self) -> bool {
        (self as u8) <= (other as u8)
    }
}

/// Something that has members and sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Whose it is.
    pub tenant: TenantId,
    /// `org_…`; faces show the bare UUID.
    pub id: OrganizationId,
    /// `CP…`, stable for life.
    pub key: String,
    /// Its short name, unique in the tenant: lower-case letters, digits and hyphens.
    pub slug: String,
    /// For people to read.
    pub name: String,
    /// What it has subscribed to; `free` unless somebody said otherwise.
    pub plan: String,
    /// A disabled one contributes nothing to any decision.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// That somebody belongs to an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// `mem_…`.
    pub id: MembershipId,
    /// To which one.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: MembershipRole,
    /// Since when.
    pub created_at: Timestamp,
}

/// That somebody was asked into an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Whose it is.
    pub tenant: TenantId,
    /// `inv_…`; faces show the bare UUID.
    pub id: InvitationId,
    /// Into which one.
    pub organization: OrganizationId,
    /// The address that was asked; nobody else can follow.
    pub email: String,
    /// As what.
    pub role: MembershipRole,
    /// Who asked, as the audit log names them.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be followed.
    pub expires_at: Timestamp,
    /// When it was followed or withdrawn.
    pub settled_at: Option<Timestamp>,
}
