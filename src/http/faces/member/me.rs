//! `/me`: whoever has the token, and what they may do where.

use actix_web::HttpResponse;

use super::caller::member;
use super::wire::{Me, MemberPermission, MemberPermissions};
use crate::domain::{DomainError, scoped_grants, users};
use crate::http::call::Call;
use crate::http::faces::handoff::error::{Answer, DetailBody, Error};

/// An account that is gone leaves a token that does not count.
fn gone(error: DomainError) -> Error {
    match error {
        DomainError::NotFound(_) => Error::invalid_bearer_token(),
        other => other.into(),
    }
}

/// The person whose token it is.
#[utoipa::path(
    get,
    path = "/me",
    responses(
        (status = 200, description = "The account", body = Me),
        (status = 401, description = "`missing_bearer_token`, or `invalid_bearer_token`", body = DetailBody),
        (status = 403, description = "`insufficient_scope`: an app's token lacks profile or email", body = DetailBody),
        (status = 429, description = "Too many wrong tokens from this address", body = DetailBody),
        (status = 503, description = "Try again after Retry-After seconds", body = DetailBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let (ctx, user) = member(&call).await?;
    Ok(HttpResponse::Ok().json(Me::from(users::find(&ctx, user).await.map_err(gone)?)))
}

/// What the person whose token it is may do where at this moment.
#[utoipa::path(
    get,
    path = "/me/permissions/snapshot",
    responses(
        (status = 200, description = "One row an action", body = MemberPermissions),
        (status = 401, description = "`missing_bearer_token`, or `invalid_bearer_token`", body = DetailBody),
        (status = 403, description = "`insufficient_scope`: an app's token lacks profile or email", body = DetailBody),
        (status = 429, description = "Too many wrong tokens from this address", body = DetailBody),
        (status = 503, description = "Try again after Retry-After seconds", body = DetailBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn snapshot(call: Call) -> Answer {
    let (ctx, user) = member(&call).await?;
    let (user, granted) = scoped_grants::snapshot(&ctx, &user.to_string()).await.map_err(gone)?;
    let permissions = granted.into_iter().map(MemberPermission::from).collect();
    Ok(HttpResponse::Ok().json(MemberPermissions { authentik_sub: user.sub(), permissions }))
}
