//! `{"detail": "<message>"}`: the one place where anything that goes wrong gets its status and its words on
//! this face.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::messages::Message;
use crate::domain::access::LAST_SUPER_ADMIN;
use crate::domain::{DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::fields::FieldError;
use crate::http::limit::Limited;
use crate::http::locale::Locale;
use crate::http::shape;
use crate::model::text::InvalidText;

/// What an error answer holds.
#[derive(Serialize, ToSchema)]
pub(super) struct RbacError {
    /// What went wrong, in the caller's language.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
}

/// Something that is not done. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", cause.clone().unwrap_or_else(|| message.text(Locale::En).into_owned()))]
pub(super) struct Error {
    status: StatusCode,
    message: Message,
    language: Locale,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    /// What really happened, where callers are not told.
    cause: Option<String>,
}

/// What handlers answer.
pub(super) type Answer = Result<HttpResponse, Error>;

impl Error {
    const fn new(status: StatusCode, message: Message) -> Self {
        Self { status, message, language: Locale::Zh, challenge: None, retry_after: None, cause: None }
    }

    /// The token is missing or does not count.
    pub(super) fn unauthorized(challenge: Challenge) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, Message::InvalidToken) }
    }

    /// The code of a new role can't be one.
    pub(super) fn role_code(why: InvalidText) -> Self {
        match why {
            InvalidText::TooLong(_) => FieldError::new("role_code", why.to_string()).into(),
            InvalidText::Empty | InvalidText::Malformed(_) => Self::new(StatusCode::BAD_REQUEST, Message::BadRoleCode),
        }
    }

    /// What a status says by itself.
    pub(super) const fn of_status(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::METHOD_NOT_ALLOWED => Message::NoSuchMethod,
            _ => Message::NoSuchPath,
        };
        Self::new(status, message)
    }

    /// The same error for who reads this language.
    pub(super) const fn said_in(mut self, language: Locale) -> Self {
        self.language = language;
        self
    }

    fn because(status: StatusCode, message: Message, cause: String) -> Self {
        Self { cause: Some(cause), ..Self::new(status, message) }
    }

    fn again(retry_after: Duration, cause: String) -> Self {
        let retry_after = Some(retry_after);
        Self { retry_after, ..Self::because(StatusCode::SERVICE_UNAVAILABLE, Message::Later, cause) }
    }
}

impl From<DomainError> for Error {
    fn from(error: DomainError) -> Self {
        let cause = error.to_string();
        match error {
            DomainError::NotFound(noun) => Self::new(StatusCode::NOT_FOUND, Message::NotFound(noun)),
            DomainError::Taken(noun) => Self::new(StatusCode::CONFLICT, Message::Taken(noun)),
            DomainError::Invalid(invalid) => FieldError::new(invalid.field, invalid.why).into(),
            DomainError::NotAuthenticated(_) => Self::unauthorized(Challenge::InvalidToken),
            DomainError::Forbidden(scope) => {
                let challenge = Some(Challenge::InsufficientScope(scope));
                Self { challenge, ..Self::new(StatusCode::FORBIDDEN, Message::Denied) }
            }
            DomainError::NotAllowed(LAST_SUPER_ADMIN) => Self::new(StatusCode::FORBIDDEN, Message::LastSuperAdmin),
            // One text for every other cause: it is compared (`rbac.md`).
            DomainError::NotAllowed(_) | DomainError::SecondFactorNeeded => {
                Self::because(StatusCode::FORBIDDEN, Message::Denied, cause)
            }
            DomainError::Conflict(_) => Self::because(StatusCode::CONFLICT, Message::Taken(Noun::Code), cause),
            DomainError::Busy { retry_after } => Self::again(retry_after, cause),
            DomainError::Unavailable(_) | DomainError::Contended(_) => Self::again(Duration::from_secs(1), cause),
            DomainError::Defect(_) => Self::because(StatusCode::INTERNAL_SERVER_ERROR, Message::Internal, cause),
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), Message::Body(error))
    }
}

impl From<FieldError> for Error {
    fn from(FieldError { field, why }: FieldError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Message::Field(field, why))
    }
}

impl From<Limited> for Error {
    fn from(Limited { retry_after }: Limited) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, Message::TooMany) }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status).json(RbacError { detail: self.message.text(self.language) });
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge.header());
        }
        if let Some(wait) = self.retry_after {
            shape::retry_after(headers, wait);
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // What is still to come would be read as the next request.
            answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        answer
    }
}
