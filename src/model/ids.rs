//! Identifiers: one type a noun, one textual form each.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text is not an identifier of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {0} id")]
pub struct NotAnId(pub &'static str);

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every textual form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps the bare key.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare key.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            /// Accepts exactly what `Display` writes: the prefix and 32 lower-case hex digits.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let hex = text.strip_prefix($prefix).ok_or(NotAnId($what))?;
                let canonical = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if !canonical {
                    return Err(NotAnId($what));
                }
                Uuid::try_parse(hex).map(Self).map_err(|_| NotAnId($what))
            }
        }
    };
}

uuid_id!(
    /// A tenant, `tnt_…`.
    TenantId, "tnt_", "tenant"
);
uuid_id!(
    /// A user, `usr_…`; also the `sub` of the tokens issued for them.
    UserId, "usr_", "user"
);
uuid_id!(
    /// A token family: everything that one authorization issued, `fam_…`.
    FamilyId, "fam_", "token family"
);
uuid_id!(
    /// A browser's session, `ses_…`; the bare digits are the `sid` that clients see.
    SessionId, "ses_", "session"
);
impl SessionId {
    /// What clients see of it: `sid` (OpenID Connect Back-Channel Logout §2.1).
    #[must_use]
    pub fn sid(self) -> String {
        self.0.simple().to_string()
    }
}

uuid_id!(
    /// A role assignment, `UR_…`.
    AssignmentId, "UR_", "role assignment"
);

uuid_id!(
    /// An organization (workspace, company), `org_…`; faces show the bare UUID.
    OrganizationId, "org_", "organization"
);
uuid_id!(
    /// A membership, `mem_…`.
    MembershipId, "mem_", "membership"
);
uuid_id!(
    /// An invitation, `inv_…`.
    InvitationId, "inv_", "invitation"
);
uuid_id!(
    /// A site, `sit_…`.
    SiteId, "sit_", "site"
);
uuid_id!(
    /// A system of the catalogue, `sys_…`.
    SystemId, "sys_", "system"
);
uuid_id!(
    /// A module of a system, `mod_…`.
    ModuleId, "mod_", "module"
);
uuid_id!(
    /// An API client, `apc_…`.
    ApiClientId, "apc_", "API client"
);
uuid_id!(
    /// A scoped grant, `gra_…`.
    ScopedGrantId, "gra_", "scoped grant"
);
uuid_id!(
    /// A connection to a provider elsewhere, `con_…`.
    ConnectionId, "con_", "connection"
);

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $max:literal, $allowed:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let allowed: fn(u8) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.bytes().all(allowed) {
                    return Err(NotAnId($what));
                }
                Ok(Self(text.into()))
            }
        }
    };
}

text_id!(
    /// An OAuth client's id: `svc_…` for a service, else what the operator chose. Printable ASCII
    /// without the space, at most 128 bytes (a subset of VSCHAR, RFC 6749 Appendix A.1).
    ClientId, "client", 128, |b| b.is_ascii_graphic()
);
text_id!(
    /// A role's id, `ROLE_…`.
    RoleId, "role", 64, |b| b.is_ascii_alphanumeric() || b == b'_'
);
text_id!(
    /// A permission's id, `PERM_…`.
    PermissionId, "permission", 64, |b| b.is_ascii_alphanumeric() || b == b'_'
);
text_id!(
    /// A signing key's `kid` (RFC 7517 §4.5): the key's RFC 7638 thumbprint.
    KeyId, "key", 128, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
);
