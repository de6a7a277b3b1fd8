//! `{"detail","error_code","status_code"}`: the one place where anything that goes wrong gets its status,
//! its code and its words on this face.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::fields::FieldError;
use crate::http::limit::Limited;
use crate::http::shape;
use crate::model::secret::Secret;

/// What an error answer holds.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct ErrorBody<'a> {
    /// In words.
    detail: &'a str,
    /// As a code.
    error_code: &'a str,
    /// As a status.
    status_code: u16,
    /// With 422: which members are wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [WrongField],
    /// With `MFA_REQUIRED`: what `POST /api/auth/mfa` asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_token: Option<&'a str>,
}

/// A member of the body, or a parameter, that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::faces) struct WrongField {
    /// Which one.
    field: &'static str,
    /// What is wrong with it.
    message: Cow<'static, str>,
}

/// Something that is not done. `Display` is for the log.
#[derive(thiserror::Error)]
#[error("{}", cause.as_deref().unwrap_or(detail))]
pub(in crate::http::faces) struct Error {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<WrongField>,
    mfa_token: Option<Secret<String>>,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    /// What really happened, where callers are not told.
    cause: Option<String>,
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What handlers answer.
pub(in crate::http::faces) type Answer = Result<HttpResponse, Error>;

impl Error {
    fn coded(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            mfa_token: None,
            challenge: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A status with the code that goes with it, and a text.
    pub(in crate::http::faces) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::coded(status, shape::workspace_code(status), detail)
    }

    /// Nobody proved to be anybody.
    pub(in crate::http::faces) fn unauthorized(challenge: Challenge) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, "Not authenticated") }
    }

    /// Somebody did, and may not.
    pub(in crate::http::faces) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden")
    }

    /// A password was right, and the address must be proved first.
    pub(super) fn email_not_verified() -> Self {
        Self::coded(StatusCode::FORBIDDEN, "EMAIL_NOT_VERIFIED", "Please verify your email first")
    }

    /// A password was right, and this is the ticket for the second factor.
    pub(super) fn mfa_required(ticket: Secret<String>) -> Self {
        let error = Self::coded(StatusCode::FORBIDDEN, "MFA_REQUIRED", "A second factor is required");
        Self { mfa_token: Some(ticket), ..error }
    }

    /// A sign-in did not succeed: one text for every cause.
    pub(super) fn sign_in(error: DomainError) -> Self {
        Self::unproved(error, "INVALID_CREDENTIALS", "Invalid email or password", Challenge::Missing)
    }

    /// A token in the body does not count: one text for every cause.
    pub(super) fn token(error: DomainError) -> Self {
        Self::unproved(error, "INVALID_TOKEN", "Invalid or expired token", Challenge::InvalidToken)
    }

    fn unproved(error: DomainError, code: &'static str, detail: &'static str, challenge: Challenge) -> Self {
        match error {
            DomainError::NotAuthenticated(_) => {
                Self { challenge: Some(challenge), ..Self::coded(StatusCode::UNAUTHORIZED, code, detail) }
            }
            other => other.into(),
        }
    }

    /// Nothing says which of the caller's workspaces it is about.
    pub(super) fn workspace_required() -> Self {
        let detail = "Say which of your workspaces it is about, in the header X-Workspace-Id";
        Self::coded(StatusCode::BAD_REQUEST, "WORKSPACE_REQUIRED", detail)
    }

    /// Members that are wrong.
    fn invalid(wrong: Vec<FieldError>) -> Self {
        let errors: Vec<WrongField> =
            wrong.into_iter().map(|FieldError { field, why }| WrongField { field, message: why }).collect();
        let said: Vec<String> = errors.iter().map(|wrong| format!("{} {}", wrong.field, wrong.message)).collect();
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, said.join("; ")) }
    }

    fn again(retry_after: Duration, cause: String) -> Self {
        let (retry_after, cause) = (Some(retry_after), Some(cause));
        Self { retry_after, cause, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable, try again") }
    }
}

/// Members that are read one by one: all that are wrong are named at once.
#[derive(Default)]
pub(super) struct Reading(Vec<FieldError>);

impl Reading {
    /// A member, or something in its place where it is wrong.
    pub(super) fn take<T: Default>(&mut self, member: Result<T, FieldError>) -> T {
        member.unwrap_or_else(|wrong| {
            self.0.push(wrong);
            T::default()
        })
    }

    /// What was read, if nothing was wrong.
    pub(super) fn done<T>(self, read: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(read) } else { Err(Error::invalid(self.0)) }
    }
}

/// A noun by this face's name for it.
const fn word(noun: Noun) -> &'static str {
    match noun {
        Noun::Organization => "Workspace",
        Noun::Membership => "Member",
        Noun::Invitation | Noun::Link => "Invitation",
        Noun::User => "User",
        Noun::Tenant => "Tenant",
        Noun::Role => "Role",
        Noun::Slug => "Slug",
        Noun::Identifier => "Email",
        _ => "Object",
    }
}

impl From<DomainError> for Error {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::NotFound(noun) => Self::new(StatusCode::NOT_FOUND, format!("{} not found", word(noun))),
            DomainError::Taken(Noun::Membership) => Self::new(StatusCode::CONFLICT, "Already a member"),
            DomainError::Taken(noun) => Self::new(StatusCode::CONFLICT, format!("{} already taken", word(noun))),
            DomainError::Conflict(why) => Self::new(StatusCode::CONFLICT, why),
            DomainError::Invalid(invalid) => FieldError::new(invalid.field, invalid.why).into(),
            DomainError::NotAuthenticated(_) => Self::unauthorized(Challenge::InvalidToken),
            DomainError::SecondFactorNeeded => {
                Self::coded(StatusCode::FORBIDDEN, "MFA_REQUIRED", "A second factor is required")
            }
            DomainError::Forbidden(_) => Self::forbidden(),
            DomainError::NotAllowed(why) => Self::new(StatusCode::FORBIDDEN, why),
            DomainError::Busy { retry_after } => Self::again(retry_after, error.to_string()),
            DomainError::Unavailable(_) | DomainError::Contended(_) => {
                Self::again(Duration::from_secs(1), error.to_string())
            }
            DomainError::Defect(cause) => {
                Self { cause: Some(cause), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error") }
            }
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), error.to_string())
    }
}

impl From<FieldError> for Error {
    fn from(wrong: FieldError) -> Self {
        Self::invalid(vec![wrong])
    }
}

impl From<Limited> for Error {
    fn from(Limited { retry_after }: Limited) -> Self {
        let retry_after = Some(retry_after);
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests, try again later") }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status).json(ErrorBody {
            detail: &self.detail,
            error_code: self.code,
            status_code: self.status.as_u16(),
            errors: &self.errors,
            mfa_token: self.mfa_token.as_ref().map(|token| token.expose().as_str()),
        });
        if let Some(challenge) = self.challenge {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.header());
        }
        if let Some(wait) = self.retry_after {
            shape::retry_after(answer.headers_mut(), wait);
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // What is still to come would be read as the next request.
            answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;

    #[test]
    fn codes_and_statuses_are_the_contract_s() {
        let wrong = || FieldError::new("email", "is required");
        for (error, status, code) in [
            (Error::from(BodyError::Malformed("x")), 400, "BAD_REQUEST"),
            (Error::unauthorized(Challenge::Missing), 401, "UNAUTHORIZED"),
            (Error::sign_in(DomainError::NotAuthenticated("whatever")), 401, "INVALID_CREDENTIALS"),
            (Error::token(DomainError::NotAuthenticated("whatever")), 401, "INVALID_TOKEN"),
            (Error::forbidden(), 403, "FORBIDDEN"),
            (Error::email_not_verified(), 403, "EMAIL_NOT_VERIFIED"),
            (Error::mfa_required(Secret::new(String::new())), 403, "MFA_REQUIRED"),
            (DomainError::NotFound(Noun::User).into(), 404, "NOT_FOUND"),
            (DomainError::Taken(Noun::Slug).into(), 409, "CONFLICT"),
            (DomainError::from(Invalid::new("email", "is not one")).into(), 422, "VALIDATION_ERROR"),
            (Error::from(wrong()), 422, "VALIDATION_ERROR"),
            (Error::from(Limited { retry_after: Duration::from_secs(1) }), 429, "RATE_LIMITED"),
            (DomainError::Defect("secret detail".to_owned()).into(), 500, "INTERNAL_ERROR"),
            (Error::workspace_required(), 400, "WORKSPACE_REQUIRED"),
        ] {
            assert_eq!((error.status.as_u16(), error.code), (status, code));
            assert!(!error.detail.contains("secret"), "{}", error.detail);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut reading = Reading::default();
        let read: (String, String) = (
            reading.take(Err(FieldError::new("email", "is required"))),
            reading.take(Err(FieldError::new("name", "must be a string"))),
        );
        let error = reading.done(read).unwrap_err();
        assert_eq!(error.errors.iter().map(|wrong| wrong.field).collect::<Vec<_>>(), ["email", "name"]);
        assert_eq!(error.detail, "email is required; name must be a string");
    }
}
