//! `/api/internal/auth/token`: a short token for a user, asked for by a service that acts for them.

use std::time::Duration;

use actix_web::HttpResponse;

use super::caller::{of_user, service, user_id};
use super::error::Answer;
use super::wire::{IssuedOnBehalf, OtherError, TokenOnBehalf};
use crate::domain::tokens;
use crate::http::call::Call;
use crate::http::faces::idaas::error::ErrorBody;
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
        (status = 400, description = "What is wrong with the input", body = ErrorBody),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`user not found`", body = ErrorBody),
    ),
    security(("service_token" = ["auth:token"])),
)]
pub(super) async fn on_behalf(call: Call) -> Answer {
    let service = service(&call, Some(code::AUTH_TOKEN)).await?;
    let wish = TokenOnBehalf::read(&mut call.json().await?)?;
    let asked: OAuthScope = wish.scope.as_deref().unwrap_or_default().parse().map_err(|_| malformed_scope())?;
    let most = call.core().config.tokens.on_behalf;
    let lifetime = wish.expires_in.map_or(LIFETIME, Duration::from_secs).min(most);
    let user = user_id(&wish.user_id)?;
    let ctx = of_user(&service, user).await?;
    let issued = tokens::on_behalf(&ctx, &service.client.client, &service.token.scope, user, &asked, lifetime).await?;
    Ok(HttpResponse::Ok().json(IssuedOnBehalf {
        access_token: &issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in.as_secs(),
        scope: issued.scope.to_string(),
    }))
}

fn malformed_scope() -> FieldError {
    FieldError::new("scope", "must be scope names separated by spaces")
}
