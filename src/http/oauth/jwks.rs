//! `GET /.well-known/jwks.json`: the public keys (RFC 7517 §5).

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use super::error::Problem;
use super::metadata::tenant;
use crate::domain::keys;
use crate::http::call::Call;

/// The tenant's public keys: those that sign, the next ones, and those whose tokens still live.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    responses(
        (status = 200, description = "A JWK set", content_type = "application/json"),
        (status = 304, description = "Unchanged since the ETag in If-None-Match"),
        (status = 404, description = "No such tenant"),
        (status = 503, description = "Try again after Retry-After seconds"),
    ),
)]
pub(super) async fn jwks(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let tenant = tenant(call).await?;
    let ring = keys::published(call.core(), tenant.tenant.id).await?;
    let known = call.headers().get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let unchanged = known.is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == ring.etag)
    });
    let mut answer = if unchanged { HttpResponse::NotModified().finish() } else { json(ring.jwks.clone()) };
    let life = call.core().config.tokens.key_cache.as_secs();
    let headers = answer.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&ring.etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Ok(cache) = HeaderValue::try_from(format!("public, max-age={life}, stale-while-revalidate={life}")) {
        headers.insert(header::CACHE_CONTROL, cache);
    }
    Ok(answer)
}

/// A document that is JSON text already.
pub(super) fn json(text: bytes::Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(text)
}
