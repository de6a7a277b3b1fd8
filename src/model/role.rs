//! Roles: named sets of permissions, and their assignment to users.

use super::ids::RoleId;
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
