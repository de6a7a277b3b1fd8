//! `/api/internal/system/health`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::caller::service;
use super::error::Answer;
use super::wire::{OtherError, SystemHealth};
use crate::http::call::Call;
use crate::http::faces::idaas::error::ErrorBody;

/// The scope that opens it.
const SYSTEM_ADMIN: &str = "system:admin";

/// How the installation does.
#[utoipa::path(
    get,
    path = "/api/internal/system/health",
    responses(
        (status = 200, description = "Healthy", body = SystemHealth),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 503, description = "Degraded", body = SystemHealth),
    ),
    security(("service_token" = ["system:admin"])),
)]
pub(super) async fn health(call: Call) -> Answer {
    service(&call, Some(SYSTEM_ADMIN)).await?;
    let well = call.core().readiness().await.is_empty();
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(HttpResponse::build(status).json(SystemHealth {
        status: if well { "healthy" } else { "degraded" },
        database: if well { "connected" } else { "disconnected" },
        redis: "not_configured",
        celery: "running",
    }))
}
