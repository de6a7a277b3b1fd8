//! `POST /oauth/par` (RFC 9126).

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::request::{Form, authorization};
use super::wire::{AuthorizationForm, ErrorAnswer};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::protocol::oauth::par::push;

/// RFC 9126 §2.2.
#[derive(Serialize, ToSchema)]
pub(super) struct Pushed {
    /// What the browser carries.
    request_uri: String,
    /// How long it may be begun with, in seconds.
    expires_in: u64,
}

/// Takes an authorization request from the client itself. The form is that of the authorization
/// endpoint, with the client's credentials.
#[utoipa::path(
    post,
    path = "/oauth/par",
    request_body(content = AuthorizationForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 201, description = "The reference of the request", body = Pushed),
        (status = 400, description = "RFC 9126 §2.3", body = ErrorAnswer),
        (status = 401, description = "invalid_client, where HTTP Basic was used", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures, or requests of public clients, from this address", body = ErrorAnswer),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security((), ("client_basic" = [])),
)]
pub(super) async fn par(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let form = Form::read(call).await?;
    let params = form.params()?;
    let authorization = authorization(call)?;
    let proof = params.get("client_secret").or_else(|| params.get("client_assertion")).or(authorization);
    if proof.is_none() {
        // Anybody can name a public client, and each request is a row for a while.
        call.limit(Limit::Begun)?;
    }
    let pushed = push(&form.ctx(call), authorization, &params).await?;
    let body = Pushed { request_uri: pushed.request_uri, expires_in: pushed.expires_in.as_secs() };
    Ok(HttpResponse::Created().json(body))
}
