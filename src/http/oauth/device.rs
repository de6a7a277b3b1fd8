//! `POST /oauth/device_authorization` (RFC 8628 §3.1).

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::request::{Form, authorization};
use super::wire::{DeviceForm, ErrorAnswer};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::protocol::oauth::device::begin;

/// RFC 8628 §3.2.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceAuthorization<'a> {
    /// What the device asks with at the token endpoint.
    device_code: &'a str,
    /// What the person types.
    user_code: &'a str,
    /// Where they type it.
    verification_uri: String,
    /// The same with the code in it, for a picture that a phone reads.
    verification_uri_complete: String,
    /// How long both codes count, in seconds.
    expires_in: u64,
    /// How long the device must wait between two questions, in seconds.
    interval: u64,
}

/// Begins a sign-in on a device that has no browser of its own.
#[utoipa::path(
    post,
    path = "/oauth/device_authorization",
    request_body(content = DeviceForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The codes", body = DeviceAuthorization),
        (status = 400, description = "RFC 6749 §5.2", body = ErrorAnswer),
        (status = 401, description = "invalid_client, where HTTP Basic was used", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures from this address", body = ErrorAnswer),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security((), ("client_basic" = [])),
)]
pub(super) async fn device_authorization(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let form = Form::read(call).await?;
    let params = form.params()?;
    let ctx = form.ctx(call);
    call.limit(Limit::Begun)?;
    let begun = begin(&ctx, authorization(call)?, &params).await?;
    let verification_uri = format!("{}/device", ctx.tenant.issuer);
    Ok(HttpResponse::Ok().json(DeviceAuthorization {
        device_code: begun.device_code.expose(),
        user_code: &begun.user_code,
        verification_uri_complete: format!("{verification_uri}?user_code={}", begun.user_code),
        verification_uri,
        expires_in: begun.expires_in.as_secs(),
        interval: begun.interval.as_secs(),
    }))
}
