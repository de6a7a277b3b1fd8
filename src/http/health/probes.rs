//! `/health`, `/healthz`, `/readyz`, `/openapi.json`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::call::Call;

/// Alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// `ok`.
    status: &'static str,
}

/// Ready, or why not.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready` or `unavailable`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// Alive (`idaas.md`); touches no dependency.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "Alive", body = Alive)))]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "ok" })
}

/// Alive (`member.md`); touches no dependency.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "Alive", body = Alive)))]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "ok" })
}

/// Ready for requests: the database is reachable, its schema the wanted one, the keys are loaded,
/// and the process has not been told to stop.
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready, and why", body = Readiness),
    ),
)]
pub(super) async fn readyz(call: Call) -> HttpResponse {
    let mut reasons = call.core().readiness().await;
    if call.state().is_draining() {
        reasons.push("the process has been told to stop".to_owned());
    }
    let (status, word) =
        if reasons.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    HttpResponse::build(status).json(Readiness { status: word, reasons })
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1")))]
pub(super) async fn openapi(call: Call) -> HttpResponse {
    call.state().documents.openapi().answer(call.headers(), "application/json", "public, max-age=300")
}
