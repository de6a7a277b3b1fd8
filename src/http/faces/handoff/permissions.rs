//! `/internal/permissions`: what somebody may do where.

use actix_web::HttpResponse;

use super::caller::api_client;
use super::error::{Answer, DetailBody, KeyPairRefusals};
use super::wire::{PermissionSnapshot, merged};
use crate::domain::scoped_grants;
use crate::http::call::Call;

/// What a person may do where at this moment.
#[utoipa::path(
    get,
    path = "/internal/permissions/{user_sub}/snapshot",
    params(("user_sub" = String, Path, description = "What other systems know them by, or `usr_…`")),
    responses(
        (status = 200, description = "One row for each scope, system and module", body = PermissionSnapshot),
        (status = 404, description = "`user_not_found`", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn snapshot(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let (user, granted) = scoped_grants::snapshot(&ctx, call.path_part("user_sub")).await?;
    Ok(HttpResponse::Ok().json(PermissionSnapshot { user_sub: user.sub(), permissions: merged(granted) }))
}
