//! `/api/internal/system/health`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::wire::SystemHealth;
use crate::http::call::Call;
use crate::http::shape;

/// When it may be worth asking again.
const AGAIN: Duration = Duration::from_secs(1);

/// How the installation does. It takes no token: whoever watches must hear of it when none can be checked.
#[utoipa::path(
    get,
    path = "/api/internal/system/health",
    responses(
        (status = 200, description = "Healthy", body = SystemHealth),
        (status = 503, description = "Degraded", body = SystemHealth),
    ),
)]
pub(super) async fn health(call: Call) -> HttpResponse {
    let well = call.core().readiness().await.is_empty();
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut answer = HttpResponse::build(status).json(SystemHealth {
        status: if well { "healthy" } else { "degraded" },
        database: if well { "connected" } else { "disconnected" },
        redis: "not_configured",
        celery: "running",
    });
    if !well {
        shape::retry_after(answer.headers_mut(), AGAIN);
    }
    answer
}
