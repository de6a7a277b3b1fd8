//! Permissions: `resource:action` codes. A service's OAuth scopes are permission codes too.

use std::fmt;
use std::str::FromStr;

use super::ids::PermissionId;
use super::text::InvalidText;
use super::time::Timestamp;

/// A code `resource:action`, as in `user:read`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionCode(String);

impl PermissionCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the colon.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.split_once(':').map_or("", |(resource, _)| resource)
    }

    /// The part after the colon.
    #[must_use]
    pub fn action(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, action)| action)
    }
}

impl fmt::Display for PermissionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PermissionCode {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.len() > 100 {
            return Err(InvalidText::TooLong(100));
        }
        let part =
            |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        match text.split_once(':') {
            Some((resource, action)) if part(resource) && part(action) => Ok(Self(text.to_owned())),
            _ => Err(InvalidText::Malformed("permission code, which is resource:action")),
        }
    }
}

/// A thing that may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// `PERM_…`.
    pub id: PermissionId,
    /// For people to read.
    pub name: String,
    /// What decisions compare.
    pub code: PermissionCode,
    /// For people to read.
    pub description: Option<String>,
    /// Seeded: can't be deleted.
    pub is_system: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The permissions that every tenant has from the start: code, name.
pub const SEEDED: &[(&str, &str)] = &[
    ("user:read", "Read users"),
    ("user:write", "Change users"),
    ("tenant:read", "Read tenants"),
    ("tenant:write", "Change tenants"),
    ("role:read", "Read roles and permissions"),
    ("role:write", "Change roles and permissions"),
    ("auth:token", "Obtain short tokens for users"),
    ("internal:admin", "Administer services"),
    ("system:admin", "Administer the installation"),
];

/// The codes that gatehouse itself asks for, spelled once.
pub mod code {
    /// Read users.
    pub const USER_READ: &str = "user:read";
    /// Change users.
    pub const USER_WRITE: &str = "user:write";
    /// Read tenants.
    pub const TENANT_READ: &str = "tenant:read";
    /// Change tenants.
    pub const TENANT_WRITE: &str = "tenant:write";
    /// Read roles and permissions.
    pub const ROLE_READ: &str = "role:read";
    /// Change roles and permissions.
    pub const ROLE_WRITE: &str = "role:write";
    /// Administer the installation.
    pub const SYSTEM_ADMIN: &str = "system:admin";
    /// Obtain short tokens for users.
    pub const AUTH_TOKEN: &str = "auth:token";
    /// Administer services.
    pub const INTERNAL_ADMIN: &str = "internal:admin";
}

/// The id of a seeded permission: `user:read` is `PERM_USER_READ`.
#[must_use]
pub fn seeded_id(code: &str) -> String {
    format!("PERM_{}", code.to_ascii_uppercase().replace([':', '-', '.'], "_"))
}
