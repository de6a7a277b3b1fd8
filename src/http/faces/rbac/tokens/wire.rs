//! Tokens as they go over the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::fields::{Body, FieldError, Fields};

/// A token that is asked about.
#[derive(ToSchema)]
pub(in crate::http::faces::rbac) struct AskedToken {
    /// Any text.
    pub(in crate::http::faces::rbac) token: String,
}

impl Body for AskedToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { token: fields.text("token")? })
    }
}

/// What a token is worth.
#[derive(Default, Serialize, ToSchema)]
pub(in crate::http::faces::rbac) struct TokenStanding {
    /// Whether it counts at this moment.
    pub(in crate::http::faces::rbac) valid: bool,
    /// Whether nothing but its age speaks against it.
    pub(in crate::http::faces::rbac) expired: bool,
    /// RFC 3339.
    pub(in crate::http::faces::rbac) expires_at: Option<String>,
    /// RFC 3339.
    pub(in crate::http::faces::rbac) issued_at: Option<String>,
    /// `usr_…`, or the id of a service.
    pub(in crate::http::faces::rbac) user_id: Option<String>,
    /// `ADMIN` or `TENANT`.
    pub(in crate::http::faces::rbac) user_type: Option<&'static str>,
    /// In seconds; zero for one that has expired.
    pub(in crate::http::faces::rbac) time_until_expiry: Option<i64>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces::rbac) struct WhoCalls {
    /// Whether there was a token that counts.
    pub(in crate::http::faces::rbac) authenticated: bool,
    /// Whose it is.
    pub(in crate::http::faces::rbac) user: Option<CallingUser>,
}

/// Whose a token is.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces::rbac) struct CallingUser {
    /// `usr_…`, or the id of a service.
    pub(in crate::http::faces::rbac) user_id: String,
    /// `ADMIN` or `TENANT`.
    pub(in crate::http::faces::rbac) user_type: &'static str,
    /// The token's `sub`.
    pub(in crate::http::faces::rbac) subject: String,
    /// Codes of what the token may be used for, sorted.
    pub(in crate::http::faces::rbac) permissions: Vec<String>,
    /// Codes of the roles that they hold, sorted.
    pub(in crate::http::faces::rbac) roles: Vec<String>,
    /// RFC 3339.
    pub(in crate::http::faces::rbac) expires_at: String,
}

/// A refresh token that is to be used.
#[derive(ToSchema)]
pub(in crate::http::faces::rbac) struct UseRefreshToken {
    /// As it was handed out.
    pub(in crate::http::faces::rbac) refresh_token: String,
}

impl Body for UseRefreshToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { refresh_token: fields.text("refresh_token")? })
    }
}

/// New tokens.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces::rbac) struct NextTokens<'a> {
    /// For the `Authorization` header.
    pub(in crate::http::faces::rbac) access_token: &'a str,
    /// `bearer`.
    pub(in crate::http::faces::rbac) token_type: &'static str,
    /// In seconds.
    pub(in crate::http::faces::rbac) expires_in: u64,
    /// In place of the one that was used.
    pub(in crate::http::faces::rbac) refresh_token: &'a str,
}
