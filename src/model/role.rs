//! Roles: named sets of permissions, and their assignment to users.

use std::str::FromStr;

use super::ids::{AssignmentId, RoleId, UserId};
use super::text::InvalidText;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// How far a role reaches. Not an OAuth scope.
    RoleScope {
        /// Everywhere in the tenant.
        Global = "GLOBAL",
        /// One tenant.
        Tenant = "TENANT",
        /// The whole installation.
        System = "SYSTEM",
    }
}

/// The code of a role that somebody makes: capital letters, digits and underscores. The seeded ones are
/// in small letters, so that none of these can pass for one of those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleCode(String);

impl RoleCode {
    /// The most characters of one.
    pub const MAX: usize = 50;

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleCode {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
            return Err(InvalidText::Malformed("role code"));
        }
        if text.len() > Self::MAX {
            return Err(InvalidText::TooLong(Self::MAX));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `ROLE_…`.
    pub id: RoleId,
    /// What tokens and decisions name it by.
    pub code: String,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// How far it reaches.
    pub scope: RoleScope,
    /// Seeded: can't be deleted or renamed.
    pub is_system: bool,
    /// An inactive role counts for nothing.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A role as somebody holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    /// `ROLE_…`.
    pub id: RoleId,
    /// Its code.
    pub code: String,
    /// How far it reaches.
    pub scope: RoleScope,
    /// From when on they hold it no longer.
    pub expires_at: Option<Timestamp>,
    /// The codes of what it permits.
    pub permissions: Vec<String>,
}

/// That somebody holds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment {
    /// `UR_…`.
    pub id: AssignmentId,
    /// Who.
    pub user: UserId,
    /// Which one.
    pub role: RoleId,
    /// Who gave it, as the audit log names them.
    pub granted_by: String,
    /// When.
    pub granted_at: Timestamp,
    /// From when on they hold it no longer.
    pub expires_at: Option<Timestamp>,
}

/// A seeded role.
pub struct SeededRole {
    /// `ROLE_…`.
    pub id: &'static str,
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How far it reaches.
    pub scope: RoleScope,
    /// The permission codes that it holds; `None` is every one.
    pub permissions: Option<&'static [&'static str]>,
}

/// The codes of the roles that administer an installation, or a tenant, whatever else they permit.
pub const ADMINISTRATIVE: [&str; 2] = [SUPER_ADMIN, "admin"];

/// The code of the role that holds every permission; its last holder can't lose it.
pub const SUPER_ADMIN: &str = "super_admin";

/// The id of that role, in every tenant.
pub const SUPER_ADMIN_ID: &str = "ROLE_SUPER_ADMIN";

/// The roles that every tenant has from the start.
pub const SEEDED: &[SeededRole] = &[
    SeededRole {
        id: SUPER_ADMIN_ID,
        code: SUPER_ADMIN,
        name: "Super administrator",
        scope: RoleScope::System,
        permissions: None,
    },
    SeededRole {
        id: "ROLE_ADMIN",
        code: "admin",
        name: "Administrator",
        scope: RoleScope::Global,
        permissions: Some(&["user:read", "user:write", "tenant:read", "role:read", "role:write"]),
    },
    SeededRole { id: "ROLE_USER", code: "user", name: "User", scope: RoleScope::Global, permissions: Some(&[]) },
];
