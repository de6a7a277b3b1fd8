//! `/api/v1/roles`.

mod wire;

use actix_web::HttpResponse;

use super::caller::administrator;
use super::error::{Answer, Error, RbacError};
use super::messages::Message;
use super::wire::{RbacDone, done, parse_id, rows, window};
use crate::domain::roles::{self, NewRole, RoleChange, RoleFilter};
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::model::ids::RoleId;
use crate::model::permission::code;
use wire::{
    CreateRole, PermissionIds, PermissionOfRole, RoleStatistics, RoleWithPermissions, ShownRole, UpdateRole, scope,
};

/// The role that the path names.
fn named(call: &Call) -> Result<RoleId, DomainError> {
    parse_id(call.path_part("role_id"), Noun::Role)
}

/// Roles, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    params(
        ("role_name" = Option<String>, Query, description = "Part of the name"),
        ("role_code" = Option<String>, Query, description = "The code"),
        ("scope" = Option<String>, Query, description = "`GLOBAL`, `TENANT` or `SYSTEM`"),
        ("is_system_role" = Option<bool>, Query, description = "The system's own, or the others"),
        ("is_active" = Option<bool>, Query, description = "Those that count, or don't"),
        ("limit" = Option<u64>, Query, description = "1 to 1000; 20 unless said otherwise"),
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
    ),
    responses(
        (status = 200, description = "A part of the list", body = Vec<ShownRole>,
            headers(("X-Total-Count" = u64, description = "How many there are in all"))),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    let query = call.query();
    let filter = RoleFilter {
        name: query.text("role_name")?.map(str::to_owned),
        code: query.text("role_code")?.map(str::to_owned),
        scope: query.text("scope")?.map(scope).transpose()?,
        is_system: query.flag("is_system_role")?,
        is_active: query.flag("is_active")?,
    };
    Ok(rows::<_, ShownRole>(roles::list(&caller.ctx, &filter, window(&query)?).await?))
}

/// Makes a role that permits nothing yet.
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    request_body = CreateRole,
    responses(
        (status = 201, description = "Made", body = ShownRole),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 409, description = "`角色编码已存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let wish = CreateRole::read(&mut call.json().await?)?;
    let new = NewRole {
        name: wish.role_name,
        code: wish.role_code.parse().map_err(Error::role_code)?,
        description: wish.description,
        scope: wish.scope,
        is_system: wish.is_system_role,
    };
    let made = roles::create(&caller.ctx, &caller.powers, new).await?;
    Ok(HttpResponse::Created().json(ShownRole::from(made)))
}

/// How many roles there are.
#[utoipa::path(
    get,
    path = "/api/v1/roles/stats",
    responses(
        (status = 200, description = "By kind", body = RoleStatistics),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn statistics(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    Ok(HttpResponse::Ok().json(RoleStatistics::new(&roles::counts(&caller.ctx).await?)))
}

/// One role.
#[utoipa::path(
    get,
    path = "/api/v1/roles/{role_id}",
    params(("role_id" = String, Path, description = "`ROLE_…`")),
    responses(
        (status = 200, description = "The role with what it permits", body = RoleWithPermissions),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`角色不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    let (role, permissions) = roles::permissions(&caller.ctx, &named(&call)?).await?;
    Ok(HttpResponse::Ok().json(RoleWithPermissions::new(role, permissions)))
}

/// Changes a role. What is missing stays.
#[utoipa::path(
    put,
    path = "/api/v1/roles/{role_id}",
    params(("role_id" = String, Path, description = "`ROLE_…`")),
    request_body = UpdateRole,
    responses(
        (status = 200, description = "The role", body = ShownRole),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`, also for what stays of the system's own roles", body = RbacError),
        (status = 404, description = "`角色不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let id = named(&call)?;
    let wish = UpdateRole::read(&mut call.json().await?)?;
    let change = RoleChange {
        name: wish.role_name,
        description: wish.description,
        is_active: wish.is_active,
        code: wish.role_code,
        scope: wish.scope,
    };
    let role = roles::update(&caller.ctx, &caller.powers, &id, change).await?;
    Ok(HttpResponse::Ok().json(ShownRole::from(role)))
}

/// Deletes a role; who held it holds it no longer.
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{role_id}",
    params(("role_id" = String, Path, description = "`ROLE_…`")),
    responses(
        (status = 200, description = "`角色删除成功`", body = RbacDone),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`, also for the system's own", body = RbacError),
        (status = 404, description = "`角色不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn delete(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    roles::delete(&caller.ctx, &caller.powers, &named(&call)?).await?;
    done(&call, &Message::RoleDeleted)
}

/// What a role permits.
#[utoipa::path(
    get,
    path = "/api/v1/roles/{role_id}/permissions",
    params(("role_id" = String, Path, description = "`ROLE_…`")),
    responses(
        (status = 200, description = "All of it", body = Vec<PermissionOfRole>),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`角色不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn permissions(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    let (_, permissions) = roles::permissions(&caller.ctx, &named(&call)?).await?;
    Ok(HttpResponse::Ok().json(permissions.into_iter().map(PermissionOfRole::from).collect::<Vec<_>>()))
}

/// Has a role permit more: all of it, or nothing.
#[utoipa::path(
    post,
    path = "/api/v1/roles/{role_id}/permissions",
    params(("role_id" = String, Path, description = "`ROLE_…`")),
    request_body = PermissionIds,
    responses(
        (status = 200, description = "What it permits now", body = Vec<PermissionOfRole>),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`, also for what the caller lacks", body = RbacError),
        (status = 404, description = "`角色不存在`, `权限不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn add_permissions(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let id = named(&call)?;
    let wish = PermissionIds::read(&mut call.json().await?)?;
    let ids = wish.permission_ids.iter().map(|text| parse_id(text, Noun::Permission)).collect::<Result<_, _>>()?;
    let permissions = roles::add_permissions(&caller.ctx, &caller.powers, &id, ids).await?;
    Ok(HttpResponse::Ok().json(permissions.into_iter().map(PermissionOfRole::from).collect::<Vec<_>>()))
}

/// Has a role permit something no longer.
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{role_id}/permissions/{permission_id}",
    params(
        ("role_id" = String, Path, description = "`ROLE_…`"),
        ("permission_id" = String, Path, description = "`PERM_…`"),
    ),
    responses(
        (status = 200, description = "Done", body = RbacDone),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`角色不存在`, or `权限不存在` for one that it does not hold", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn remove_permission(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let (role, permission) = (named(&call)?, parse_id(call.path_part("permission_id"), Noun::Permission)?);
    roles::remove_permission(&caller.ctx, &caller.powers, &role, &permission).await?;
    done(&call, &Message::PermissionRemoved)
}
