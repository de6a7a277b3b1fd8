//! `POST /oauth/token` (RFC 6749 §3.2).

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use super::error::Problem;
use super::request::{Form, authorization};
use super::wire::{ErrorAnswer, TokenAnswer, TokenForm};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::client::GrantType;
use crate::protocol::oauth::token::{Granted, issue};

/// Issues tokens, by whichever grant type the client has.
#[utoipa::path(
    post,
    path = "/oauth/token",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens", body = TokenAnswer),
        (status = 400, description = "RFC 6749 §5.2", body = ErrorAnswer),
        (status = 401, description = "invalid_client, where HTTP Basic was used", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures from this address", body = ErrorAnswer),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security((), ("client_basic" = [])),
)]
pub(super) async fn token(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let form = Form::read(call).await?;
    let params = form.params()?;
    if params.get("grant_type") == Some(GrantType::Password.as_str()) {
        call.limit(Limit::Login)?;
    }
    let granted = issue(&form.ctx(call), authorization(call)?, &params).await?;
    Ok(shape(&granted))
}

fn shape(granted: &Granted) -> HttpResponse {
    let mut answer = HttpResponse::Ok().json(TokenAnswer {
        access_token: &granted.access.token,
        token_type: "Bearer",
        expires_in: granted.access.expires_in.as_secs(),
        refresh_token: granted.refresh.as_ref().map(|token| token.expose().as_str()),
        id_token: granted.id_token.as_deref(),
        issued_token_type: granted.issued_token_type,
        scope: &granted.access.scope.to_string(),
    });
    // RFC 6749 §5.1: both headers, for caches of every age.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}
