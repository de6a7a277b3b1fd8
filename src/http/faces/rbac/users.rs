//! `/api/v1/users/{user_id}`: the roles that a user holds, and what they may do.

mod wire;

use actix_web::HttpResponse;

use super::caller::{administrator, caller};
use super::error::{Answer, Error, RbacError};
use super::messages::Message;
use super::wire::{RbacDone, done, parse_id};
use crate::domain::{Ctx, Noun, access, roles};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::model::ids::UserId;
use crate::model::permission::code;
use wire::{AssignRoles, PermissionsOfUser, ShownAssignment};

/// `ADMIN` for who administers the installation, else `TENANT`.
pub(super) async fn user_type(ctx: &Ctx<'_>, user: UserId) -> Result<&'static str, Error> {
    let is_administrator = access::is_administrator(ctx.core, &ctx.tenant, user).await?;
    Ok(if is_administrator { "ADMIN" } else { "TENANT" })
}

/// What roles a user was given, run out or not.
async fn assignments(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<ShownAssignment>, Error> {
    let (user_type, now) = (user_type(ctx, user).await?, ctx.now());
    let given = roles::assignments(ctx, user).await?;
    Ok(given.into_iter().map(|pair| ShownAssignment::new(pair, user_type, now)).collect())
}

/// The roles that a user was given, in the order in which that happened.
#[utoipa::path(
    get,
    path = "/api/v1/users/{user_id}/roles",
    params(("user_id" = String, Path, description = "`usr_…`, or a bare UUID")),
    responses(
        (status = 200, description = "All of them", body = Vec<ShownAssignment>),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`用户不存在`, also for one of another tenant", body = RbacError),
    ),
    security(("user_token" = ["user:read"]), ("service_token" = ["user:read"])),
)]
pub(super) async fn roles(call: Call) -> Answer {
    let caller = caller(&call).await?;
    caller.powers.require(code::USER_READ)?;
    let (ctx, user) = caller.about_user(call.path_part("user_id")).await?;
    Ok(HttpResponse::Ok().json(assignments(&ctx, user).await?))
}

/// Gives a user roles: all of them, or nothing. Of one that they hold already only the end changes.
#[utoipa::path(
    post,
    path = "/api/v1/users/{user_id}/roles",
    params(("user_id" = String, Path, description = "`usr_…`, or a bare UUID")),
    request_body = AssignRoles,
    responses(
        (status = 201, description = "What they hold now", body = Vec<ShownAssignment>),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`, also for what the caller lacks; or the last super administrator would get an end", body = RbacError),
        (status = 404, description = "`用户不存在`, `角色不存在`", body = RbacError),
    ),
    security(("user_token" = ["user:write"]), ("service_token" = ["user:write"])),
)]
pub(super) async fn assign(call: Call) -> Answer {
    let caller = administrator(&call, code::USER_WRITE).await?;
    let (ctx, user) = caller.about_user(call.path_part("user_id")).await?;
    let wish = AssignRoles::read(&mut call.json().await?)?;
    let ids = wish.role_ids.iter().map(|text| parse_id(text, Noun::Role)).collect::<Result<_, _>>()?;
    roles::assign(&ctx, &caller.powers, user, ids, wish.expires_at).await?;
    Ok(HttpResponse::Created().json(assignments(&ctx, user).await?))
}

/// Takes a role from a user.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{user_id}/roles/{role_id}",
    params(
        ("user_id" = String, Path, description = "`usr_…`, or a bare UUID"),
        ("role_id" = String, Path, description = "`ROLE_…`"),
    ),
    responses(
        (status = 200, description = "Done", body = RbacDone),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`; or it is the last super administrator's", body = RbacError),
        (status = 404, description = "`用户不存在`, or `角色不存在` for one that they do not hold", body = RbacError),
    ),
    security(("user_token" = ["user:write"]), ("service_token" = ["user:write"])),
)]
pub(super) async fn unassign(call: Call) -> Answer {
    let caller = administrator(&call, code::USER_WRITE).await?;
    let (ctx, user) = caller.about_user(call.path_part("user_id")).await?;
    roles::unassign(&ctx, &caller.powers, user, &parse_id(call.path_part("role_id"), Noun::Role)?).await?;
    done(&call, &Message::RoleTaken)
}

/// What a user may do at this moment.
#[utoipa::path(
    get,
    path = "/api/v1/users/{user_id}/permissions",
    params(("user_id" = String, Path, description = "`usr_…`, or a bare UUID")),
    responses(
        (status = 200, description = "By all roles that count", body = PermissionsOfUser),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`用户不存在`, also for one of another tenant", body = RbacError),
    ),
    security(("user_token" = ["user:read"]), ("service_token" = ["user:read"])),
)]
pub(super) async fn permissions(call: Call) -> Answer {
    let caller = caller(&call).await?;
    caller.powers.require(code::USER_READ)?;
    let (ctx, user) = caller.about_user(call.path_part("user_id")).await?;
    let carried = access::carried_now(ctx.core, ctx.tenant_id(), user).await?;
    Ok(HttpResponse::Ok().json(PermissionsOfUser {
        user_id: user.to_string(),
        user_type: user_type(&ctx, user).await?,
        permissions: carried.permissions,
        roles: carried.roles,
    }))
}
