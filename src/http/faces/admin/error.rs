//! Problem details (RFC 9457): the one place where anything that goes wrong gets its status and its words
//! on this face.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use crate::domain::DomainError;
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::fields::FieldError;
use crate::http::limit::Limited;
use crate::http::shape::{self, Fault, Problem};

/// Something that is not done. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", cause.as_deref().unwrap_or(detail))]
pub(super) struct Error {
    status: StatusCode,
    detail: Cow<'static, str>,
    /// What of the input is wrong, where one member is.
    fault: Option<Box<FieldError>>,
    challenge: Option<Challenge>,
    retry_after: Option<Duration>,
    /// What really happened, where callers are not told.
    cause: Option<String>,
}

/// What handlers answer.
pub(super) type Answer = Result<HttpResponse, Error>;

impl Error {
    /// A status and the words that go with it.
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), fault: None, challenge: None, retry_after: None, cause: None }
    }

    /// Nobody proved to be anybody.
    pub(super) fn unauthorized(challenge: Challenge) -> Self {
        let detail = "an access token that counts here is needed";
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// The same request is being done already.
    pub(super) fn under_way() -> Self {
        let retry_after = Some(Duration::from_secs(1));
        Self { retry_after, ..Self::new(StatusCode::CONFLICT, "a request with this Idempotency-Key is being done") }
    }

    fn again(retry_after: Duration, cause: String) -> Self {
        let (retry_after, cause) = (Some(retry_after), Some(cause));
        Self { retry_after, cause, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again") }
    }
}

impl From<DomainError> for Error {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            DomainError::Taken(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            DomainError::Invalid(invalid) => FieldError::new(invalid.field, invalid.why).into(),
            DomainError::NotAuthenticated(_) => Self::unauthorized(Challenge::InvalidToken),
            DomainError::Forbidden(permission) => {
                let challenge = Some(Challenge::InsufficientScope(permission));
                Self { challenge, ..Self::new(StatusCode::FORBIDDEN, error.to_string()) }
            }
            DomainError::Conflict(why) => Self::new(StatusCode::CONFLICT, why),
            DomainError::NotAllowed(why) => Self::new(StatusCode::FORBIDDEN, why),
            DomainError::Busy { retry_after } => Self::again(retry_after, error.to_string()),
            DomainError::Unavailable(_) | DomainError::Contended(_) => {
                Self::again(Duration::from_secs(1), error.to_string())
            }
            DomainError::Defect(cause) => {
                Self { cause: Some(cause), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error") }
            }
            other => Self::new(StatusCode::FORBIDDEN, other.to_string()),
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), error.to_string())
    }
}

impl From<FieldError> for Error {
    fn from(fault: FieldError) -> Self {
        let detail = format!("\"{}\" {}", fault.field, fault.why);
        Self { fault: Some(Box::new(fault)), ..Self::new(StatusCode::BAD_REQUEST, detail) }
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
        let fault = self.fault.iter().map(|fault| Fault { field: fault.field, detail: fault.why.to_string() });
        let mut answer = Problem::new(self.status, self.detail.to_string(), fault.collect()).answer();
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
    use crate::domain::Noun;

    #[test]
    fn causes_have_their_statuses() {
        for (error, status) in [
            (DomainError::NotFound(Noun::User), 404),
            (DomainError::Taken(Noun::Identifier), 409),
            (DomainError::Forbidden("user:read"), 403),
            (DomainError::NotAllowed("no"), 403),
            (DomainError::NotAuthenticated("whatever"), 401),
            (DomainError::Unavailable("gone".to_owned()), 503),
            (DomainError::Defect("secret detail".to_owned()), 500),
        ] {
            let error = Error::from(error);
            assert_eq!(error.status.as_u16(), status, "{error}");
            assert!(!error.detail.contains("secret"));
        }
    }
}
