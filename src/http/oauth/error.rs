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
            // RFC 6749 §5.2: 401 answers an Authorization header, and only that.
            ErrorCode::InvalidClient if self.0.basic => StatusCode::UNAUTHORIZED,
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code())
            .json(Body { error: self.0.code.as_str(), error_description: &self.0.description });
        let headers = answer.headers_mut();
        if self.0.basic {
            let challenge = HeaderValue::from_static(r#"Basic realm="gatehouse", charset="UTF-8""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.0.retry_after {
            shape::retry_after(headers, wait);
        }
        answer
    }
}

/// Answers a refusal, and counts it against the caller's address where somebody may be guessing.
pub(super) fn refuse(call: &Call, error: OAuthError) -> HttpResponse {
    call.core().metrics.tokens.failures.count(error.code.as_str());
    if let Some(cause) = &error.cause {
        tracing::debug!(error = error.code.as_str(), %cause, "refused");
    }
    if matches!(error.code, ErrorCode::InvalidClient | ErrorCode::InvalidGrant)
        && let Err(limited) = call.limit(Limit::TokenFailures)
    {
        return too_many(limited);
    }
    HttpResponse::from_error(Refusal(error))
}

fn too_many(limited: Limited) -> HttpResponse {
    let mut answer = shape::json(Surface::OAuth, StatusCode::TOO_MANY_REQUESTS, "Too many failures from this address");
    shape::retry_after(answer.headers_mut(), limited.retry_after);
    answer
}

/// A tenant that the path names and that does not exist, or a database that does not answer.
pub(super) fn no_tenant(call: &Call, error: DomainError) -> HttpResponse {
    match error {
        DomainError::NotFound(_) => shape::json(Surface::OAuth, StatusCode::NOT_FOUND, "There is no such issuer"),
        other => refuse(call, other.into()),
    }
}

/// A body that can't be worked with.
pub(super) fn no_body(error: &BodyError) -> HttpResponse {
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        // RFC 6749 §5.2: what a parameter's encoding gets.
        BodyError::WrongType(_) | BodyError::Incomplete | BodyError::Malformed(_) => StatusCode::BAD_REQUEST,
    };
    shape::json(Surface::OAuth, status, &error.to_string())
}
