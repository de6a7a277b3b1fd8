//! `/internal/users/upsert-by-sub` and `/internal/idp/users/ensure`: accounts that a trusted system keeps.

use actix_web::HttpResponse;

use super::caller::api_client;
use super::error::{Answer, BodyRefusals, DetailBody, Error, KeyPairRefusals};
use super::wire::{EnsureAction, EnsuredUser, UpsertUser, UpsertedUser};
use crate::domain::{Ctx, provisioning};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::model::user::User;

/// Makes an account, or brings it up to date; doing it again changes nothing.
#[utoipa::path(
    post,
    path = "/internal/users/upsert-by-sub",
    request_body = UpsertUser,
    responses(
        (status = 200, description = "The account as it is now", body = UpsertedUser),
        (status = 404, description = "`user_not_found`: the sub is an id of ours that there is not", body = DetailBody),
        (status = 409, description = "`user_conflict`: another account has the username or address", body = DetailBody),
        KeyPairRefusals,
        BodyRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn upsert_by_sub(call: Call) -> Answer {
    let (user, _) = upsert(&call, &api_client(&call).await?).await?;
    Ok(HttpResponse::Ok().json(UpsertedUser::from(user)))
}

/// Makes sure that there is an account, and that it is up to date.
#[utoipa::path(
    post,
    path = "/internal/idp/users/ensure",
    request_body = UpsertUser,
    responses(
        (status = 200, description = "Which account it is", body = EnsuredUser),
        (status = 404, description = "`user_not_found`: the sub is an id of ours that there is not", body = DetailBody),
        (status = 409, description = "`user_conflict`: another account has the username or address", body = DetailBody),
        KeyPairRefusals,
        BodyRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn ensure(call: Call) -> Answer {
    ensured(&call).await
}

/// The same under its older name.
#[utoipa::path(
    post,
    path = "/internal/authentik/users/ensure",
    request_body = UpsertUser,
    responses(
        (status = 200, description = "Which account it is", body = EnsuredUser),
        (status = 404, description = "`user_not_found`: the sub is an id of ours that there is not", body = DetailBody),
        (status = 409, description = "`user_conflict`: another account has the username or address", body = DetailBody),
        KeyPairRefusals,
        BodyRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn ensure_by_its_older_name(call: Call) -> Answer {
    ensured(&call).await
}

async fn ensured(call: &Call) -> Answer {
    let ctx = api_client(call).await?;
    if !ctx.core.config.provisioning.ensure_users {
        return Err(Error::not_provisioning());
    }
    let (user, is_new) = upsert(call, &ctx).await?;
    let action = if is_new { EnsureAction::Created } else { EnsureAction::Updated };
    Ok(HttpResponse::Ok().json(EnsuredUser { idp_user_id: user.id.uuid(), action }))
}

async fn upsert(call: &Call, ctx: &Ctx<'_>) -> Result<(User, bool), Error> {
    let wish = UpsertUser::read(&mut call.json().await?)?;
    provisioning::upsert(ctx, wish.account()).await.map_err(|error| Error::of_account(error, "user_sub"))
}
