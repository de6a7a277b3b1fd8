//! `/admin/permissions`: grants, given and taken by a trusted system with a key pair.

use actix_web::HttpResponse;

use super::wire::{GrantPermission, Granted, RevokePermission, Revoked};
use crate::domain::{DomainError, Noun, scoped_grants};
use crate::http::call::Call;
use crate::http::faces::handoff::caller::api_client;
use crate::http::faces::handoff::error::{Answer, BodyRefusals, DetailBody, Error, KeyPairRefusals};
use crate::http::fields::Body as _;

/// Gives somebody a grant; giving it again is giving it once.
#[utoipa::path(
    post,
    path = "/admin/permissions/grant",
    request_body = GrantPermission,
    responses(
        (status = 200, description = "They have it", body = Granted),
        (
            status = 404,
            description = "`user_not_found`: the sub is an id of ours that there is not; `scope_not_found`, \
                `module_not_found`: a strict catalogue does not hold it",
            body = DetailBody
        ),
        (status = 409, description = "`user_conflict`: another account has the address", body = DetailBody),
        KeyPairRefusals,
        BodyRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn grant(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let wish = GrantPermission::read(&mut call.json().await?)?;
    let granted = scoped_grants::grant(&ctx, wish.account(), wish.target()?).await;
    let id = granted.map_err(|error| match error {
        DomainError::NotFound(Noun::User) if !ctx.core.config.provisioning.ensure_users => Error::not_provisioning(),
        other => Error::of_account(other, "authentik_sub"),
    })?;
    Ok(HttpResponse::Ok().json(Granted { permission_id: id.uuid(), result: "granted" }))
}

/// Takes a grant from somebody.
#[utoipa::path(
    post,
    path = "/admin/permissions/revoke",
    request_body = RevokePermission,
    responses(
        (status = 200, description = "They have it no more", body = Revoked),
        (status = 404, description = "`user_not_found`", body = DetailBody),
        KeyPairRefusals,
        BodyRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn revoke(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let wish = RevokePermission::read(&mut call.json().await?)?;
    let deleted = scoped_grants::revoke(&ctx, &wish.authentik_sub, wish.target()?).await?;
    Ok(HttpResponse::Ok().json(Revoked { deleted, result: "revoked" }))
}
