//! Two shapes on one face: whoever proved to be a service reads `{"error"}`, everybody else
//! `{"detail","error_code","status_code"}`.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};

use crate::domain::DomainError;
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::faces::idaas::error::Error as ServiceError;
use crate::http::fields::FieldError;
use crate::http::shape;

/// Something that is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// For a service.
    #[error(transparent)]
    Service(ServiceError),
    /// For anybody else.
    #[error("{detail}")]
    Other {
        /// The status.
        status: StatusCode,
        /// In words.
        detail: &'static str,
        /// What would help.
        challenge: Option<Challenge>,
    },
    /// For anybody else, where it is not the caller's fault, or too much of it.
    #[error(transparent)]
    Later(ServiceError),
}

/// What handlers answer.
pub(super) type Answer = Result<HttpResponse, Error>;

impl Error {
    /// Nobody proved to be anybody.
    pub(super) const fn unauthorized(challenge: Challenge) -> Self {
        let detail = "Not authenticated";
        Self::Other { status: StatusCode::UNAUTHORIZED, detail, challenge: Some(challenge) }
    }

    /// Somebody did, and may not.
    pub(super) const fn forbidden() -> Self {
        Self::Other { status: StatusCode::FORBIDDEN, detail: "Forbidden", challenge: None }
    }
}

/// What handlers meet after the caller has proved to be a service.
macro_rules! for_services {
    ($($source:ty),+) => {
        $(impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::Service(error.into())
            }
        })+
    };
}
for_services!(ServiceError, DomainError, BodyError, FieldError);

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Service(error) | Self::Later(error) => error.status_code(),
            Self::Other { status, .. } => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Service(error) => error.error_response(),
            Self::Other { status, detail, challenge } => {
                let mut answer = shape::workspace(*status, shape::workspace_code(*status), detail);
                if let Some(challenge) = challenge {
                    answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.header());
                }
                answer
            }
            Self::Later(error) => {
                let status = error.status_code();
                let mut answer = shape::workspace(status, shape::workspace_code(status), error.message());
                if let Some(wait) = error.error_response().headers().get(header::RETRY_AFTER) {
                    answer.headers_mut().insert(header::RETRY_AFTER, wait.clone());
                }
                answer
            }
        }
    }
}
