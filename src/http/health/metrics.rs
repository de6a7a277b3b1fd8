//! `/metrics`.

use actix_web::HttpResponse;

use crate::http::call::Call;

/// Everything that is counted, in the Prometheus text format.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "Every metric", body = String, content_type = "text/plain")),
)]
pub(super) async fn metrics(call: Call) -> HttpResponse {
    let core = call.core();
    let hashing = core.passwords.stats();
    core.metrics.hashing.set(hashing.queued, hashing.running, hashing.refused_total);
    let (size, idle) = core.db.pool_size();
    core.metrics.database.size.set(f64::from(size));
    core.metrics.database.idle.set(f64::from(u32::try_from(idle).unwrap_or(u32::MAX)));
    core.metrics.change_feed_lag.set(core.db.freshness().age().as_secs_f64());
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(core.metrics.render())
}
