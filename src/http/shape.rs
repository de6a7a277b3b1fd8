//! What a refusal looks like that no handler wrote: unknown paths, wrong methods, ambiguous paths,
//! panics. One place that knows each surface's shape; what a face's own handlers refuse is in its
//! `error.rs`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema};

use super::call::Call;
use super::pages;
use crate::telemetry::Surface;

/// A refusal that says nothing but what is wrong with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: StatusCode,
    /// The text; never anything that the caller sent.
    pub(super) text: &'static str,
}

/// `{"error"}`, as `idaas.md` wants it.
#[derive(Serialize, ToSchema)]
struct Error<'a> {
    error: &'a str,
}

/// RFC 6749 §5.2.
#[derive(Serialize, ToSchema)]
struct OAuthError<'a> {
    error: &'static str,
    error_description: &'a str,
}

/// `{"detail"}`, as `member.md`, `handoff.md` and `rbac.md` want it.
#[derive(Serialize, ToSchema)]
struct Detail<'a> {
    detail: &'a str,
}

/// As `workspace.md` wants it.
#[derive(Serialize, ToSchema)]
struct CodedDetail<'a> {
    detail: &'a str,
    error_code: &'static str,
    status_code: u16,
}

/// Problem details (RFC 9457 §3), as `/api/admin/v1` writes them.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Problem {
    /// `about:blank`: the title says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// Which part of the input is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// The id under which the request stands in the log.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
}

/// A part of the input that is wrong.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Fault {
    /// A member of the body, a parameter, or a header.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) detail: String,
}

impl Problem {
    /// What is wrong, with which parts of the input.
    pub(super) fn new(status: StatusCode, detail: String, errors: Vec<Fault>) -> Self {
        let title = status.canonical_reason().unwrap_or("Unknown");
        Self { kind: "about:blank", title, status: status.as_u16(), detail, errors, request_id: String::new() }
    }

    /// As an answer, to which [`identify`] adds what only the edge knows.
    pub(super) fn answer(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = HttpResponse::build(status).content_type(PROBLEM).json(&self);
        answer.extensions_mut().insert(self);
        answer
    }
}

/// The media type of problem details.
const PROBLEM: &str = "application/problem+json";

/// Writes the request's id into problem details.
pub(super) fn identify(answer: &mut HttpResponse, request_id: &str) {
    let Some(mut problem) = answer.extensions_mut().remove::<Problem>() else { return };
    request_id.clone_into(&mut problem.request_id);
    if let Ok(body) = serde_json::to_vec(&problem) {
        let bare = std::mem::replace(answer, HttpResponse::new(StatusCode::OK));
        *answer = bare.set_body(BoxBody::new(body));
    }
}

/// The refusal in the surface's JSON, also where the surface is made of pages.
pub(super) fn json(surface: Surface, status: StatusCode, text: &str) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    match surface {
        Surface::OAuth => answer.json(OAuthError { error: oauth_code(status), error_description: text }),
        Surface::Workspace | Surface::Control => workspace(status, workspace_code(status), text),
        Surface::Rbac => answer.json(Detail { detail: text }),
        Surface::Member | Surface::Handoff => answer.json(Detail { detail: detail_code(status) }),
        Surface::Admin => Problem::new(status, text.to_owned(), Vec::new()).answer(),
        Surface::Idaas | Surface::Operator | Surface::Pages | Surface::Console | Surface::Other => {
            answer.json(Error { error: text })
        }
    }
}

/// What refusals of a surface hold, for the OpenAPI document.
pub(super) fn schema(surface: Surface) -> RefOr<Schema> {
    match surface {
        Surface::OAuth => OAuthError::schema(),
        Surface::Workspace => CodedDetail::schema(),
        // Whoever proved to be a service reads another one than everybody else.
        Surface::Control => AnyOfBuilder::new().item(CodedDetail::schema()).item(Error::schema()).into(),
        Surface::Rbac | Surface::Member | Surface::Handoff => Detail::schema(),
        Surface::Admin => Problem::schema(),
        Surface::Idaas | Surface::Operator | Surface::Pages | Surface::Console | Surface::Other => Error::schema(),
    }
}

/// The schemas that [`schema`] refers to.
pub(super) fn parts(surface: Surface) -> Vec<(String, RefOr<Schema>)> {
    if surface == Surface::Admin { vec![(Fault::name().into_owned(), Fault::schema())] } else { Vec::new() }
}

/// The media type of a surface's refusals.
pub(super) fn media_type(surface: Surface) -> &'static str {
    if surface == Surface::Admin { PROBLEM } else { "application/json" }
}

/// The refusal as the surface's callers expect it: JSON, or a page where people look at it.
pub(super) fn problem(surface: Surface, call: &Call, status: StatusCode, text: &str) -> HttpResponse {
    match surface {
        Surface::Pages | Surface::Console | Surface::Other => pages::error::answer(call, status),
        _ => json(surface, status, text),
    }
}

/// A refusal in the shape of `workspace.md`.
pub(super) fn workspace(status: StatusCode, error_code: &'static str, detail: &str) -> HttpResponse {
    HttpResponse::build(status).json(CodedDetail { detail, error_code, status_code: status.as_u16() })
}

/// The code that goes with a status where nothing finer is known (`workspace.md`).
pub(super) fn workspace_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        409 => "CONFLICT",
        422 => "VALIDATION_ERROR",
        429 => "RATE_LIMITED",
        400..=499 => "BAD_REQUEST",
        503 => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    }
}

/// The code that goes with a status where nothing finer is known (`handoff.md`, `member.md`).
pub(super) fn detail_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "not_allowed",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "request_timeout",
        409 => "conflict",
        413 => "payload_too_large",
        415 => "unsupported_media_type",
        422 => "validation_error",
        429 => "rate_limited",
        400..=499 => "bad_request",
        503 => "temporarily_unavailable",
        _ => "internal_error",
    }
}

/// The code that goes with a status where nothing finer is known.
fn oauth_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        429 | 503 => "temporarily_unavailable",
        500..=599 => "server_error",
        _ => "invalid_request",
    }
}

/// Says when it may be worth trying again (RFC 9110 §10.2.3): whole seconds, at least one.
pub(super) fn retry_after(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
}
