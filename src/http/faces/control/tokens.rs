//! `/api/internal/auth/token`: a short token for a user, asked for by a service that acts for them.

use std::time::Duration;

use actix_web::HttpResponse;

use super::caller::{serve, user_id};
use super::wire::{EitherError, IssuedOnBehalf, TokenOnBehalf};
use crate::domain::tokens;
use crate::http::call::Call;
use crate::http::fields::{Body as _, FieldError};
use crate::model::permission::code;
use crate::model::scope::OAuthScope;

/// How long it lives where nobody says.
const LIFETIME: Duration = Duration::from_secs(300);

/// A short token for a user, with an `act` claim that names the service (RFC 8693 §4.1), and an audit
/// row.
///
/// Of the permission codes that are asked for it carries those that the service itself holds; `scope`
/// in the answer says which.
#[utoipa::path(
    post,
    path = "/api/internal/auth/token",
    request_body = TokenOnBehalf,
    responses(
        (status = 200, description = "The token", body = IssuedOnBehalf),
        (status = 400, description = "What is wrong with the input", body = EitherError),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 404, description = "`user not found`", body = EitherError),
        (status = 413, description = "Too large", body = EitherError),
        (status = 415, description = "Not JSON", body = EitherError),
        (status = 422, description = "The same, for an administrator", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["auth:token"])),
)]
pub(super) async fn on_behalf(call: Call) -> HttpResponse {
    serve(&call, code::AUTH_TOKEN, async |caller| {
        // Whoever acts is named in the token: a person would act as themselves.
        let service = caller.service()?;
        let wish = TokenOnBehalf::read(&mut call.json().await?)?;
        let asked: OAuthScope = wish.scope.as_deref().unwrap_or_default().parse().map_err(|_| malformed_scope())?;
        let most = call.core().config.tokens.on_behalf;
        let life = wish.expires_in.map_or(LIFETIME, Duration::from_secs).min(most);
        let user = user_id(&wish.user_id)?;
        let ctx = caller.of_user(user).await?;
        let issued = tokens::on_behalf(&ctx, &service.client.client, &service.token.scope, user, &asked, life).await?;
        Ok(HttpResponse::Ok().json(IssuedOnBehalf {
            access_token: &issued.token,
            token_type: "Bearer",
            expires_in: issued.expires_in.as_secs(),
            scope: issued.scope.to_string(),
        }))
    })
    .await
}

fn malformed_scope() -> FieldError {
    FieldError::new("scope", "must be scope names separated by spaces")
}
