//! Tokens as they go over the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::fields::{Body, FieldError, Fields};

/// A token that is asked about.
#[derive(ToSchema)]
pub(super) struct AskedToken {
    /// Any text.
    pub(super) token: String,
}

impl Body for AskedToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { token: fields.text("token")? })
    }
}

/// What a token is worth.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct TokenStanding {
    /// Whether it counts at this moment.
    pub(super) valid: bool,
    /// Whether nothing but its age speaks against it.
    pub(super) expired: bool,
    /// RFC 3339.
    pub(super) expires_at: Option<String>,
    /// RFC 3339.
    pub(super) issued_at: Option<String>,
    /// `usr_…`, or the id of a service.
    pub(super) user_id: Option<String>,
    /// `ADMIN` or `TENANT`.
    pub(super) user_type: Option<&'static str>,
    /// In seconds; zero for one that has expired.
    pub(super) time_until_expiry: Option<i64>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub(super) struct WhoCalls {
    /// Whether there was a token that counts.
    pub(super) authenticated: bool,
    /// Whose it is.
    pub(super) user: Option<CallingUser>,
}

/// Whose a token is.
#[derive(Serialize, ToSchema)]
pub(super) struct CallingUser {
    /// `usr_…`, or the id of a service.
    pub(super) user_id: String,
    /// `ADMIN` or `TENANT`.
    pub(super) user_type: &'static str,
    /// The token's `sub`.
    pub(super) subject: String,
    /// Codes of what the token may be used for, sorted.
    pub(super) permissions: Vec<String>,
    /// Codes of the roles that they hold, sorted.
    pub(super) roles: Vec<String>,
    /// RFC 3339.
    pub(super) expires_at: String,
}

/// A refresh token that is to be used.
#[derive(ToSchema)]
pub(super) struct UseRefreshToken {
    /// As it was handed out.
    pub(super) refresh_token: String,
}

impl Body for UseRefreshToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { refresh_token: fields.text("refresh_token")? })
    }
}

/// New tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct NextTokens<'a> {
    /// For the `Authorization` header.
    pub(super) access_token: &'a str,
    /// `bearer`.
    pub(super) token_type: &'static str,
    /// In seconds.
    pub(super) expires_in: u64,
    /// In place of the one that was used.
    pub(super) refresh_token: &'a str,
}
