//! `POST /oauth/revoke` (RFC 7009).

use actix_web::HttpResponse;

use super::error::Problem;
use super::request::{Form, authorization};
use super::wire::{ErrorAnswer, TokenReference};
use crate::http::call::Call;
use crate::protocol::oauth::revoke::revoke as end;

/// Ends a token: an access token alone, a refresh token with everything that its authorization
/// issued. A token that does not count is no error.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    request_body(content = TokenReference, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token does not count any more"),
        (status = 400, description = "RFC 6749 §5.2", body = ErrorAnswer),
        (status = 401, description = "invalid_client, where HTTP Basic was used", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures from this address", body = ErrorAnswer),
        (status = 503, description = "The token still counts: try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security((), ("client_basic" = [])),
)]
pub(super) async fn revoke(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let form = Form::read(call).await?;
    let params = form.params()?;
    end(&form.ctx(call), authorization(call)?, &params).await?;
    Ok(HttpResponse::Ok().finish())
}
