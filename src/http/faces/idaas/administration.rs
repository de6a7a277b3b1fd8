//! `/v1/internal/services`: what takes `internal:admin`: scopes, lists, logs, numbers, clean-up.

use std::time::Duration;

use actix_web::HttpResponse;

use super::caller::service;
use super::error::{Answer, ErrorBody};
use super::services::client_id;
use super::wire::{LogLine, Message, ServiceList, ServiceScope, Statistics};
use crate::domain::access::Powers;
use crate::domain::{services, upkeep};
use crate::http::call::Call;
use crate::http::fields::{Body as _, FieldError};
use crate::model::permission::code;
use crate::model::time::Timestamp;

/// Grants a service a scope; doing it twice is doing it once.
#[utoipa::path(
    post,
    path = "/v1/internal/services/grant-scope",
    request_body = ServiceScope,
    responses(
        (status = 200, description = "Granted", body = Message),
        (status = 400, description = "No such scope", body = ErrorBody),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`Client not found`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn grant_scope(call: Call) -> Answer {
    set_scope(&call, true, "Scope granted successfully").await
}

/// Revokes a service's scope, also from the tokens that it holds; doing it twice is doing it once.
#[utoipa::path(
    post,
    path = "/v1/internal/services/revoke-scope",
    request_body = ServiceScope,
    responses(
        (status = 200, description = "Revoked", body = Message),
        (status = 400, description = "No such scope", body = ErrorBody),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`Client not found`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn revoke_scope(call: Call) -> Answer {
    set_scope(&call, false, "Scope revoked successfully").await
}

async fn set_scope(call: &Call, granted: bool, message: &'static str) -> Answer {
    let service = service(call, Some(code::INTERNAL_ADMIN)).await?;
    let wish = ServiceScope::read(&mut call.json().await?)?;
    let by = Powers::of(call.core(), &service.token).await?;
    services::set_scope(&service.ctx, by, &client_id(&wish.client_id)?, &wish.scope_name, granted).await?;
    Ok(HttpResponse::Ok().json(Message { message }))
}

/// All services of the tenant.
#[utoipa::path(
    get,
    path = "/v1/internal/services",
    responses(
        (status = 200, description = "The services", body = ServiceList),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let service = service(&call, Some(code::INTERNAL_ADMIN)).await?;
    Ok(HttpResponse::Ok().json(ServiceList::from(services::list(&service.ctx).await?)))
}

/// What a service did with its tokens, newest first.
#[utoipa::path(
    get,
    path = "/v1/internal/services/{client_id}/logs",
    params(
        ("client_id" = String, Path, description = "`svc_…`"),
        ("limit" = Option<u64>, Query, description = "How many; 50 unless said otherwise, 1000 at most"),
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
    ),
    responses(
        (status = 200, description = "Its requests", body = [LogLine]),
        (status = 400, description = "A bad limit or offset", body = ErrorBody),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`Client not found`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn logs(call: Call) -> Answer {
    let service = service(&call, Some(code::INTERNAL_ADMIN)).await?;
    let id = client_id(call.path_part("client_id"))?;
    let query = call.query();
    let (limit, offset) = (query.limit("limit", 50, 1000)?, query.offset("offset")?);
    let lines = services::log(&service.ctx, &id, limit, offset).await?;
    Ok(HttpResponse::Ok().json(lines.into_iter().map(LogLine::from).collect::<Vec<_>>()))
}

/// What a service did since a moment, in numbers.
#[utoipa::path(
    get,
    path = "/v1/internal/services/{client_id}/statistics",
    params(
        ("client_id" = String, Path, description = "`svc_…`"),
        ("since" = Option<String>, Query, description = "`30m`, `24h` (unless said otherwise), `7d`, or an RFC 3339 time"),
    ),
    responses(
        (status = 200, description = "The numbers", body = Statistics),
        (status = 400, description = "A bad since", body = ErrorBody),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`Client not found`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn statistics(call: Call) -> Answer {
    let service = service(&call, Some(code::INTERNAL_ADMIN)).await?;
    let id = client_id(call.path_part("client_id"))?;
    let since = since(call.query().text("since")?.unwrap_or("24h"), service.ctx.now())?;
    let numbers = services::statistics(&service.ctx, &id, since).await?;
    Ok(HttpResponse::Ok().json(Statistics {
        client_id: id.to_string(),
        since: since.rfc3339(),
        total_requests: numbers.total,
        avg_response_time: hundredths(numbers.mean_response_ms),
        error_count: numbers.errors,
        success_rate: success_rate(numbers.total, numbers.errors),
    }))
}

/// `30m`, `24h`, `7d` before now, or an RFC 3339 time.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, FieldError> {
    // A plus sign that nobody escaped has become a space.
    if let Some(time) = Timestamp::parse_rfc3339(&text.replace(' ', "+")) {
        return Ok(time);
    }
    let span = || {
        let unit = text.chars().last()?;
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        // A century is enough for everybody.
        count.checked_mul(seconds).filter(|span| *span <= 100 * 365 * 86_400).map(Duration::from_secs)
    };
    span().map(|span| now - span).ok_or(FieldError::new("since", "must be like 30m, 24h or 7d, or an RFC 3339 time"))
}

#[allow(clippy::cast_precision_loss)] // counts of requests, far below 2^53
fn success_rate(total: i64, errors: i64) -> f64 {
    if total <= 0 { 100.0 } else { hundredths((total - errors).max(0) as f64 * 100.0 / total as f64) }
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Deletes what has expired. The server also does it by itself.
#[utoipa::path(
    post,
    path = "/v1/internal/services/cleanup-tokens",
    responses(
        (status = 200, description = "Done", body = Message),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn cleanup_tokens(call: Call) -> Answer {
    service(&call, Some(code::INTERNAL_ADMIN)).await?;
    upkeep::clean(call.core()).await?;
    Ok(HttpResponse::Ok().json(Message { message: "Expired tokens cleaned up successfully" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_span_or_a_time() {
        let now = Timestamp::from_seconds(1_000_000_000);
        for (text, expected) in [
            ("30m", 1_000_000_000 - 1800),
            ("24h", 1_000_000_000 - 86_400),
            ("7d", 1_000_000_000 - 7 * 86_400),
            ("2001-09-09T00:00:00Z", 999_993_600),
            ("2001-09-09T02:00:00+02:00", 999_993_600),
            ("2001-09-09T02:00:00 02:00", 999_993_600),
        ] {
            assert_eq!(since(text, now), Ok(Timestamp::from_seconds(expected)), "{text}");
        }
        for bad in ["", "h", "24", "-1h", "1w", "yesterday", "99999999999999999999d", "9999999d", "1.5h", "٣h"] {
            assert!(since(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_are_percentages() {
        assert_eq!(success_rate(0, 0), 100.0);
        assert_eq!(success_rate(3, 1), 66.67);
        assert_eq!(success_rate(3, 3), 0.0);
    }
}
