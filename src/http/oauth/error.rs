//! Refusals as RFC 6749 §5.2 writes them. The one place that knows their status.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::domain::DomainError;
use crate::http::body::BodyError;
use crate::http::call::Call;
use crate::http::limit::{Limit, Limited};
use crate::http::shape;
use crate::protocol::oauth::{ErrorCode, OAuthError};
use crate::telemetry::Surface;

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A refusal on its way out.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .0.code.as_str(), .0.cause.as_deref().unwrap_or(&.0.description))]
pub(super) struct Refusal(OAuthError);

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self.0.code {
            // RFC 6749 §5.2: 401 answers an Authorization header; RFC 7662 §2.3: and introspection.
            ErrorCode::InvalidClient if self.0.challenge => StatusCode::UNAUTHORIZED,
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code())
            .json(Body { error: self.0.code.as_str(), error_description: &self.0.description });
        let headers = answer.headers_mut();
        if self.0.challenge {
            let challenge = HeaderValue::from_static(r#"Basic realm="gatehouse", charset="UTF-8""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.0.retry_after {
            shape::retry_after(headers, wait);
        }
        answer
    }
}

/// Why a request is refused, before it is known what that looks like.
#[derive(Debug)]
pub(super) enum Problem {
    /// By the protocol's rules.
    Protocol(OAuthError),
    /// The path names a tenant that does not exist.
    NoIssuer,
    /// The body can't be worked with.
    Body(BodyError),
    /// Too many tries from this address.
    Limited(Limited),
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        Self::Protocol(error)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}

impl From<DomainError> for Problem {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::NotFound(_) => Self::NoIssuer,
            other => Self::Protocol(other.into()),
        }
    }
}

impl Problem {
    /// The answer; counts against the caller's address what somebody may be guessing at.
    pub(super) fn answer(self, call: &Call) -> HttpResponse {
        match self {
            Self::Protocol(error) => refuse(call, error),
            Self::NoIssuer => shape::json(Surface::OAuth, StatusCode::NOT_FOUND, "There is no such issuer"),
            Self::Limited(limited) => too_many(limited),
            Self::Body(error) => {
                let status = match error {
                    // RFC 6749 §5.2: what a malformed request gets.
                    BodyError::WrongType(_) => StatusCode::BAD_REQUEST,
                    ref other => other.status(),
                };
                shape::json(Surface::OAuth, status, &error.to_string())
            }
        }
    }
}

fn refuse(call: &Call, error: OAuthError) -> HttpResponse {
    call.core().metrics.tokens.failures.count(error.code.as_str());
    if let Some(cause) = &error.cause {
        tracing::debug!(error = error.code.as_str(), %cause, "refused");
    }
    let guessing = matches!(error.code, ErrorCode::InvalidClient | ErrorCode::InvalidGrant);
    if let (true, Err(limited)) = (guessing, call.limit(Limit::TokenFailures)) {
        return too_many(limited);
    }
    HttpResponse::from_error(Refusal(error))
}

fn too_many(limited: Limited) -> HttpResponse {
    let text = "Too many tries from this address";
    let mut answer = shape::json(Surface::OAuth, StatusCode::TOO_MANY_REQUESTS, text);
    shape::retry_after(answer.headers_mut(), limited.retry_after);
    answer
}
