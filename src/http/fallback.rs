//! Paths that nobody serves, and methods that a path does not have.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::call::Call;
use super::mount::surface_of;
use super::{faces, shape};
use crate::telemetry::Surface;

/// 404 in the shape of the surface that the path belongs to.
pub(super) async fn not_found(call: Call) -> HttpResponse {
    refuse(&call, surface_of(call.request().path()), StatusCode::NOT_FOUND, "not found").await
}

/// 405 in the surface's shape.
pub(super) async fn method_not_allowed(call: Call, surface: Surface, allow: HeaderValue) -> HttpResponse {
    let mut answer = refuse(&call, surface, StatusCode::METHOD_NOT_ALLOWED, "method not allowed").await;
    answer.headers_mut().insert(header::ALLOW, allow);
    answer
}

async fn refuse(call: &Call, surface: Surface, status: StatusCode, text: &'static str) -> HttpResponse {
    match surface {
        Surface::Handoff => faces::handoff::refuse(call, status).await,
        Surface::Member => faces::member::refuse(call, status).await,
        Surface::Control => faces::control::refuse(call, status, text).await,
        Surface::Idaas => faces::idaas::refuse(call, status, text).await,
        Surface::Rbac => faces::rbac::refuse(call, status),
        _ => shape::problem(surface, call, status, text),
    }
}
