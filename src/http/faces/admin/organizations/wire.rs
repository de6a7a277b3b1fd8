//! Organizations on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::faces::admin::members::body;
use crate::model::ids::UserId;
use crate::model::organization::{Membership, MembershipRole, Organization};
use crate::model::user::User;

/// An organization.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
pub(super) struct OrganizationShown {
    /// `org_…`.
    id: String,
    /// `CP…`, stable for life.
    key: String,
    /// Its short name.
    slug: String,
    /// For people to read.
    name: String,
    /// What it has subscribed to.
    plan: String,
    /// Whether it counts.
    enabled: bool,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Organization> for OrganizationShown {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            key: organization.key,
            slug: organization.slug,
            name: organization.name,
            plan: organization.plan,
            enabled: organization.enabled,
            created_at: organization.created_at.rfc3339(),
            updated_at: organization.updated_at.rfc3339(),
        }
    }
}

body! {
    /// An organization that is to be made.
    NewOrganizationBody as NewOrganization {
        /// For people to read.
        name: String = text,
        /// Its short name; made from the name if there is none.
        slug: Option<String> = optional,
        /// What it has subscribed to.
        plan: Option<String> = optional,
    }
}

body! {
    /// What becomes of an organization: what is absent stays.
    OrganizationChangeBody as OrganizationChange {
        /// For people to read.
        name: Option<String> = replacement,
        /// Its short name.
        slug: Option<String> = replacement,
        /// What it has subscribed to.
        plan: Option<String> = replacement,
        /// Whether it counts.
        enabled: Option<bool> = flag,
    }
}

/// A member of an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberShown {
    /// `mem_…`.
    id: String,
    /// `usr_…`.
    user_id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    /// RFC 3339.
    created_at: String,
}

impl From<(Membership, User)> for MemberShown {
    fn from((membership, user): (Membership, User)) -> Self {
        Self {
            id: membership.id.to_string(),
            user_id: membership.user.to_string(),
            email: user.email,
            name: user.name,
            role: membership.role.as_str(),
            created_at: membership.created_at.rfc3339(),
        }
    }
}

body! {
    /// A user who is to be a member.
    NewMemberBody as NewMember {
        /// `usr_…`.
        #[schema(value_type = String)]
        user_id: UserId = required_name,
        /// `owner`, `admin` or `member`.
        #[schema(value_type = String)]
        role: MembershipRole = required_name,
    }
}

body! {
    /// What a member is to be.
    RoleBody as MemberRole {
        /// `owner`, `admin` or `member`.
        #[schema(value_type = String)]
        role: MembershipRole = required_name,
    }
}
