//! `/api/admin/v1/users/{user_id}/factors`: what a user proves a sign-in with beside the password.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::users::id;
use crate::domain::administration::users as verbs;
use crate::http::call::Call;
use crate::model::permission::code;
use wire::FactorsShown;

/// The second factors of a user.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users/{user_id}/factors",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "What there is", body = FactorsShown)),
    security(("access_token" = ["user:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_READ]).await?;
    let factors = verbs::factors(&caller.ctx, id(&call)?).await?;
    Ok(HttpResponse::Ok().json(FactorsShown::from(factors)))
}

/// Takes every second factor from a user who has lost theirs; they are told by mail.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/users/{user_id}/factors",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "There are none"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn remove(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    verbs::remove_factors(&caller.ctx, &caller.powers, id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
