//! `{"error": "<message>"}`: the one place where anything that goes wrong gets its status and its
//! words on this face.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::fields::FieldError;
use crate::http::limit::Limited;
use crate::http::shape;

/// What an error answer holds.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct ErrorBody<'a> {
    /// What went wrong.
    error: Cow<'a, str>,
}

/// Something that is not done. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", cause.as_deref().unwrap_or(message))]
pub(in crate::http::faces) struct Error {
    status: StatusCode,
    message: Cow<'static, str>,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    /// What really happened, where callers are not told.
    cause: Option<String>,
}

/// What handlers answer.
pub(in crate::http::faces) type Answer = Result<HttpResponse, Error>;

impl Error {
    /// A status and the text that goes with it.
    pub(in crate::http::faces) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), challenge: None, retry_after: None, cause: None }
    }

    fn unauthorized(message: &'static str, challenge: Challenge) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, message) }
    }

    /// A tenant's key is missing, malformed, unknown or of the wrong kind.
    pub(super) fn no_tenant(challenge: Challenge) -> Self {
        Self::unauthorized("tenant not found", challenge)
    }

    /// A person's token is missing or does not count.
    pub(super) fn no_user(challenge: Challenge) -> Self {
        Self::unauthorized("user not authenticated", challenge)
    }

    /// A service's token is missing or does not count.
    pub(in crate::http::faces) fn no_service(challenge: Challenge) -> Self {
        Self::unauthorized("Unauthorized", challenge)
    }

    /// The caller is known and lacks this scope.
    pub(in crate::http::faces) fn forbidden(scope: &'static str) -> Self {
        let challenge = Some(Challenge::InsufficientScope(scope));
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, "Forbidden") }
    }

    /// The same where any service would do.
    pub(super) fn no_scope(scope: Option<&'static str>) -> Self {
        scope.map_or_else(|| Self::new(StatusCode::FORBIDDEN, "Forbidden"), Self::forbidden)
    }

    /// A sign-in did not succeed: one text for every cause.
    pub(super) fn sign_in(error: DomainError) -> Self {
        match error {
            DomainError::NotAuthenticated(_) => Self::unauthorized("invalid email or password", Challenge::Missing),
            other => other.into(),
        }
    }

    /// A client's id or secret is not one.
    pub(super) fn no_client(message: &'static str) -> Self {
        Self::unauthorized(message, Challenge::Missing)
    }

    /// The same error where the domain calls a member by another name than the wire.
    pub(super) fn of_field(error: DomainError, known: &'static str, written: &'static str) -> Self {
        match error {
            DomainError::Invalid(invalid) if invalid.field == known => FieldError::new(written, invalid.why).into(),
            other => other.into(),
        }
    }

    fn again(retry_after: Duration, cause: String) -> Self {
        let (retry_after, cause) = (Some(retry_after), Some(cause));
        Self { retry_after, cause, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again") }
    }
}

impl From<DomainError> for Error {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::NotFound(noun) => match noun {
                // A scope name is part of the input, not of the path.
                Noun::Permission => Self::new(StatusCode::BAD_REQUEST, "unknown scope"),
                Noun::Client => Self::new(StatusCode::NOT_FOUND, "Client not found"),
                other => Self::new(StatusCode::NOT_FOUND, format!("{other} not found")),
            },
            DomainError::Taken(Noun::Identifier) => Self::new(StatusCode::CONFLICT, "email already registered"),
            DomainError::Taken(noun) => Self::new(StatusCode::CONFLICT, format!("{noun} already exists")),
            DomainError::Invalid(invalid) => FieldError::new(invalid.field, invalid.why).into(),
            DomainError::NotAuthenticated(_) => Self::no_service(Challenge::InvalidToken),
            DomainError::SecondFactorNeeded => Self::new(StatusCode::FORBIDDEN, "mfa required"),
            DomainError::Forbidden(scope) => Self::forbidden(scope),
            DomainError::NotAllowed(why) => Self::new(StatusCode::FORBIDDEN, why),
            DomainError::Conflict(why) => Self::new(StatusCode::CONFLICT, why),
            DomainError::Busy { retry_after } => Self::again(retry_after, error.to_string()),
            DomainError::Unavailable(_) | DomainError::Contended(_) => {
                Self::again(Duration::from_secs(1), error.to_string())
            }
            DomainError::Defect(cause) => {
                Self { cause: Some(cause), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error") }
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
    fn from(FieldError { field, why }: FieldError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("\"{field}\" {why}"))
    }
}

impl From<Limited> for Error {
    fn from(Limited { retry_after }: Limited) -> Self {
        let retry_after = Some(retry_after);
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests, try again later") }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status).json(ErrorBody { error: Cow::Borrowed(&self.message) });
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
    fn the_words_are_the_contract_s() {
        for (error, status, words) in [
            (Error::from(FieldError::new("email", "is required")), 400, "\"email\" is required"),
            (
                DomainError::from(Invalid::new("email", "is not a valid email")).into(),
                400,
                "\"email\" is not a valid email",
            ),
            (DomainError::Taken(Noun::Identifier).into(), 409, "email already registered"),
            (DomainError::NotFound(Noun::Tenant).into(), 404, "tenant not found"),
            (DomainError::NotFound(Noun::User).into(), 404, "user not found"),
            (DomainError::SecondFactorNeeded.into(), 403, "mfa required"),
            (Error::sign_in(DomainError::NotAuthenticated("whatever")), 401, "invalid email or password"),
            (Error::forbidden("user:read"), 403, "Forbidden"),
            (Error::no_service(Challenge::Missing), 401, "Unauthorized"),
        ] {
            assert_eq!((error.status.as_u16(), error.message.as_ref()), (status, words));
        }
    }

    #[test]
    fn what_happened_inside_stays_inside() {
        let error = Error::from(DomainError::Defect("secret detail".to_owned()));
        assert_eq!(error.message, "internal error");
        assert_eq!(error.to_string(), "secret detail");
    }
}
