//! Errors as clients meet them: a code with its section, and a text that names what was wrong.
//! The cause goes to the audit log, never on the wire.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::{Ctx, DomainError, audit};
use crate::model::audit::Outcome;

/// A registered error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// The client is unknown or did not prove who it is (RFC 6749 §5.2).
    InvalidClient,
    /// The grant or refresh token does not count (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant type (RFC 6749 §5.2).
    UnauthorizedClient,
    /// The grant type is not known (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The scope is unknown, malformed or more than may be had (RFC 6749 §5.2).
    InvalidScope,
    /// The audience is unknown to the client (RFC 8707 §2).
    InvalidTarget,
    /// The response type is not known, or not open to this client (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// The person, or the server, said no (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// Nobody is signed in, and nothing may be shown (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// The person must choose, and nothing may be shown (OpenID Connect Core §3.1.2.6).
    AccountSelectionRequired,
    /// The person must consent, and nothing may be shown (OpenID Connect Core §3.1.2.6).
    ConsentRequired,
    /// Something must be shown, and nothing may be (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// The sign-in that the client can't do without is out of reach (OpenID Connect Core Unmet Authentication Requirements §2).
    UnmetAuthenticationRequirements,
    /// The request_uri leads to nothing that counts (RFC 9101 §7, RFC 9126 §2.2).
    InvalidRequestUri,
    /// The request object does not count (RFC 9101 §7).
    InvalidRequestObject,
    /// The registration parameter is not answered (OpenID Connect Core §3.1.2.6).
    RegistrationNotSupported,
    /// The person has not said anything yet (RFC 8628 §3.5).
    AuthorizationPending,
    /// The device asks too often (RFC 8628 §3.5).
    SlowDown,
    /// The device code has expired (RFC 8628 §3.5).
    ExpiredToken,
    /// The access token does not count (RFC 6750 §3.1).
    InvalidToken,
    /// The access token may not be used for this (RFC 6750 §3.1).
    InsufficientScope,
    /// A redirect URI can't be registered (RFC 7591 §3.2.2).
    InvalidRedirectUri,
    /// Something else can't be registered (RFC 7591 §3.2.2).
    InvalidClientMetadata,
    /// Try again later (RFC 6749 §4.1.2.1); with status 503.
    TemporarilyUnavailable,
    /// A defect of ours (RFC 6749 §4.1.2.1); with status 500.
    ServerError,
}

impl ErrorCode {
    /// The code as it stands in `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// A refusal.
#[derive(Debug)]
pub struct OAuthError {
    /// What clients decide by.
    pub code: ErrorCode,
    /// What people read: what was wrong and what to do.
    pub description: Cow<'static, str>,
    /// Why, for the log where it is answered; never on the wire.
    pub cause: Option<Cow<'static, str>>,
    /// When it may be worth trying again.
    pub retry_after: Option<Duration>,
    /// Whether the answer is 401 and names a scheme: where the client used HTTP Basic (RFC 6749
    /// §5.2), and at introspection (RFC 7662 §2.3).
    pub challenge: bool,
}

impl OAuthError {
    /// A refusal with its text.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into(), cause: None, retry_after: None, challenge: false }
    }

    /// The same, with a cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same, written to the audit log: where nobody but a person can be told, the support code of their
    /// page, which is the request's id, leads to what exactly failed.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn noted(self, ctx: &Ctx<'_>, action: &'static str) -> Result<Self, Self> {
        if !matches!(self.code, ErrorCode::TemporarilyUnavailable | ErrorCode::ServerError) {
            let cause = self.cause.clone().unwrap_or_else(|| self.description.clone());
            let entry = ctx.audit(action, None, Outcome::Failure, Some(cause.into_owned()));
            audit::append(ctx.core, entry).await?;
        }
        Ok(self)
    }

    /// `invalid_request` with its text.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

impl From<DomainError> for OAuthError {
    fn from(error: DomainError) -> Self {
        let unavailable = |retry_after: Duration, cause: String| Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::TemporarilyUnavailable, "Try again in a moment").because(cause)
        };
        match error {
            DomainError::Unavailable(why) | DomainError::Contended(why) => unavailable(Duration::from_secs(1), why),
            DomainError::Busy { retry_after } => unavailable(retry_after, "too many passwords to hash".to_owned()),
            // One text for every cause: which one it was is in the audit log.
            DomainError::NotAuthenticated(cause) => {
                Self::new(ErrorCode::InvalidGrant, "Invalid user name or password").because(cause)
            }
            DomainError::SecondFactorNeeded => {
                Self::new(ErrorCode::InvalidGrant, "This account has a second factor: sign in on the hosted page")
            }
            DomainError::Invalid(why) => Self::invalid_request(why.to_string()),
            other => Self::new(ErrorCode::ServerError, "Something went wrong on our side").because(other.to_string()),
        }
    }
}
