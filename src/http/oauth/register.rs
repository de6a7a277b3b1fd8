//! `/oauth/register` (RFC 7591 §3, RFC 7592 §2).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use serde_json::{Map, Value};

use super::error::Problem;
use super::wire::ErrorAnswer;
use crate::domain::{Ctx, DomainError};
use crate::http::bearer::{Bearer, Challenge};
use crate::http::body::{self, BodyError};
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::tenant::RegistrationPolicy;
use crate::protocol::oauth::registration::{self, Information, RegistrationError};

/// The largest registration, in bytes.
const MOST: usize = 64 * 1024;

/// Registers a client (RFC 7591 §3.1). Off, open, or for who has an initial access token: a setting of
/// the tenant.
#[utoipa::path(
    post,
    path = "/oauth/register",
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 201, description = "The client, with its secret and registration token for the one time"),
        (status = 400, description = "invalid_client_metadata or invalid_redirect_uri", body = ErrorAnswer),
        (status = 401, description = "An initial access token is needed", body = ErrorAnswer),
        (status = 403, description = "Nobody may register here", body = ErrorAnswer),
        (status = 429, description = "Too many registrations from this address", body = ErrorAnswer),
    ),
    security((), ("bearer" = [])),
)]
pub(super) async fn register(call: Call) -> HttpResponse {
    let made = async {
        let ctx = ctx(&call).await?;
        if ctx.tenant.tenant.settings.registration == RegistrationPolicy::Open {
            call.limit(Limit::Registration).map_err(Problem::from)?;
        }
        let admitted = registration::admit(&ctx, bearer(&call)?)?;
        Ok::<_, Refused>(registration::register(&ctx, admitted, members(&call).await?).await?)
    };
    answer(&call, StatusCode::CREATED, made.await)
}

/// What is registered (RFC 7592 §2.1).
#[utoipa::path(
    get,
    path = "/oauth/register/{client_id}",
    params(("client_id" = String, Path, description = "The client's id")),
    responses(
        (status = 200, description = "The client"),
        (status = 401, description = "No token, or one that does not count", body = ErrorAnswer),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn read(call: Call) -> HttpResponse {
    let found = async {
        let ctx = ctx(&call).await?;
        let token = bearer(&call)?;
        let managed = registration::manage(&ctx, call.path_part("client_id"), token).await?;
        Ok::<_, Refused>(registration::read(&ctx, &managed, token))
    };
    answer(&call, StatusCode::OK, found.await)
}

/// Replaces what is registered, and the registration token with it (RFC 7592 §2.2).
#[utoipa::path(
    put,
    path = "/oauth/register/{client_id}",
    params(("client_id" = String, Path, description = "The client's id")),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, description = "The client, with its new registration token"),
        (status = 400, description = "invalid_client_metadata or invalid_redirect_uri", body = ErrorAnswer),
        (status = 401, description = "No token, or one that does not count", body = ErrorAnswer),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn replace(call: Call) -> HttpResponse {
    let replaced = async {
        let ctx = ctx(&call).await?;
        let managed = registration::manage(&ctx, call.path_part("client_id"), bearer(&call)?).await?;
        Ok::<_, Refused>(registration::replace(&ctx, managed, members(&call).await?).await?)
    };
    answer(&call, StatusCode::OK, replaced.await)
}

/// Ends a registration (RFC 7592 §2.3).
#[utoipa::path(
    delete,
    path = "/oauth/register/{client_id}",
    params(("client_id" = String, Path, description = "The client's id")),
    responses(
        (status = 204, description = "It is gone, with all that the client held"),
        (status = 401, description = "No token, or one that does not count", body = ErrorAnswer),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn delete(call: Call) -> HttpResponse {
    let gone = async {
        let ctx = ctx(&call).await?;
        let managed = registration::manage(&ctx, call.path_part("client_id"), bearer(&call)?).await?;
        Ok::<_, Refused>(registration::delete(&ctx, managed).await?)
    };
    match gone.await {
        Ok(()) => HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        Err(refused) => refused.answer(&call),
    }
}

async fn ctx(call: &Call) -> Result<Ctx<'_>, DomainError> {
    Ok(call.ctx(call.tenant().await?, Actor::Anonymous))
}

fn bearer(call: &Call) -> Result<Option<&str>, Refused> {
    match call.bearer() {
        Bearer::Missing => Ok(None),
        Bearer::Token(token) => Ok(Some(token)),
        Bearer::Malformed => Err(RegistrationError::WrongToken.into()),
    }
}

async fn members(call: &Call) -> Result<Map<String, Value>, Refused> {
    let body = async {
        body::check_type(call.headers(), "application/json")?;
        Fields::parse(&call.bytes(MOST).await?)
    };
    Ok(body.await.map_err(Problem::from)?.into_members())
}

fn answer(call: &Call, status: StatusCode, outcome: Result<Information, Refused>) -> HttpResponse {
    match outcome {
        Ok(information) => {
            let mut answer = HttpResponse::build(status).json(information);
            answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
            answer
        }
        Err(refused) => refused.answer(call),
    }
}

/// Why there is no answer.
enum Refused {
    Registration(RegistrationError),
    Other(Problem),
}

impl From<RegistrationError> for Refused {
    fn from(error: RegistrationError) -> Self {
        Self::Registration(error)
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

impl From<DomainError> for Refused {
    fn from(error: DomainError) -> Self {
        Self::Other(error.into())
    }
}

impl Refused {
    fn answer(self, call: &Call) -> HttpResponse {
        let told = |status: StatusCode, code: &str, text: &str| {
            HttpResponse::build(status).json(serde_json::json!({ "error": code, "error_description": text }))
        };
        let challenged = |challenge: Challenge, code: &str, text: &str| {
            let mut answer = told(StatusCode::UNAUTHORIZED, code, text);
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.header());
            answer
        };
        match self {
            Self::Other(Problem::Body(BodyError::WrongType(wanted))) => {
                let text = format!("The Content-Type must be {wanted}");
                told(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_client_metadata", &text)
            }
            Self::Other(problem) => problem.answer(call),
            Self::Registration(RegistrationError::Protocol(error)) => Problem::from(error).answer(call),
            Self::Registration(RegistrationError::Off) => {
                told(StatusCode::FORBIDDEN, "access_denied", "Clients are registered by the operator here")
            }
            Self::Registration(RegistrationError::NoToken) => {
                challenged(Challenge::Missing, "invalid_token", "A bearer token is needed")
            }
            Self::Registration(RegistrationError::WrongToken) => match call.limit(Limit::KeyFailures) {
                Err(limited) => Problem::from(limited).answer(call),
                Ok(()) => challenged(Challenge::InvalidToken, "invalid_token", "The bearer token does not count"),
            },
        }
    }
}
