//! `/api/v1/permissions`.

mod wire;

use actix_web::HttpResponse;

use super::caller::administrator;
use super::error::{Answer, RbacError};
use super::messages::Message;
use super::wire::{RbacDone, done, parse_id, rows, window};
use crate::domain::permissions::{self, PermissionFilter};
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::model::ids::PermissionId;
use crate::model::permission::code;
use wire::{CreatePermission, PermissionStatistics, ShownPermission, UpdatePermission};

/// The permission that the path names.
fn named(call: &Call) -> Result<PermissionId, DomainError> {
    parse_id(call.path_part("permission_id"), Noun::Permission)
}

/// Permissions, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/permissions",
    params(
        ("permission_name" = Option<String>, Query, description = "Part of the name"),
        ("resource" = Option<String>, Query, description = "What stands before the colon"),
        ("action" = Option<String>, Query, description = "What stands after it"),
        ("is_system_permission" = Option<bool>, Query, description = "The system's own, or the others"),
        ("limit" = Option<u64>, Query, description = "1 to 1000; 20 unless said otherwise"),
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
    ),
    responses(
        (status = 200, description = "A part of the list", body = Vec<ShownPermission>,
            headers(("X-Total-Count" = u64, description = "How many there are in all"))),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    let query = call.query();
    let filter = PermissionFilter {
        name: query.text("permission_name")?.map(str::to_owned),
        resource: query.text("resource")?.map(str::to_owned),
        action: query.text("action")?.map(str::to_owned),
        is_system: query.flag("is_system_permission")?,
    };
    Ok(rows::<_, ShownPermission>(permissions::list(&caller.ctx, &filter, window(&query)?).await?))
}

/// Makes a permission.
#[utoipa::path(
    post,
    path = "/api/v1/permissions",
    request_body = CreatePermission,
    responses(
        (status = 201, description = "Made", body = ShownPermission),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 409, description = "`权限编码已存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let wish = CreatePermission::read(&mut call.json().await?)?;
    let made = permissions::create(&caller.ctx, &caller.powers, &wish.into()).await?;
    Ok(HttpResponse::Created().json(ShownPermission::from(made)))
}

/// How many permissions there are.
#[utoipa::path(
    get,
    path = "/api/v1/permissions/stats",
    responses(
        (status = 200, description = "By kind", body = PermissionStatistics),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn statistics(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    Ok(HttpResponse::Ok().json(PermissionStatistics::from(permissions::counts(&caller.ctx).await?)))
}

/// One permission.
#[utoipa::path(
    get,
    path = "/api/v1/permissions/{permission_id}",
    params(("permission_id" = String, Path, description = "`PERM_…`")),
    responses(
        (status = 200, description = "The permission", body = ShownPermission),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`权限不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:read"]), ("service_token" = ["role:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_READ).await?;
    let found = permissions::find(&caller.ctx, &named(&call)?).await?;
    Ok(HttpResponse::Ok().json(ShownPermission::from(found)))
}

/// Changes what people read about a permission. What is missing stays.
#[utoipa::path(
    put,
    path = "/api/v1/permissions/{permission_id}",
    params(("permission_id" = String, Path, description = "`PERM_…`")),
    request_body = UpdatePermission,
    responses(
        (status = 200, description = "The permission", body = ShownPermission),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`", body = RbacError),
        (status = 404, description = "`权限不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    let id = named(&call)?;
    let wish = UpdatePermission::read(&mut call.json().await?)?;
    let changed = permissions::update(&caller.ctx, &caller.powers, &id, wish.into()).await?;
    Ok(HttpResponse::Ok().json(ShownPermission::from(changed)))
}

/// Deletes a permission: no role and no service holds it any more.
#[utoipa::path(
    delete,
    path = "/api/v1/permissions/{permission_id}",
    params(("permission_id" = String, Path, description = "`PERM_…`")),
    responses(
        (status = 200, description = "Done", body = RbacDone),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
        (status = 403, description = "`权限不足`, also for the system's own", body = RbacError),
        (status = 404, description = "`权限不存在`", body = RbacError),
    ),
    security(("user_token" = ["role:write"]), ("service_token" = ["role:write"])),
)]
pub(super) async fn delete(call: Call) -> Answer {
    let caller = administrator(&call, code::ROLE_WRITE).await?;
    permissions::delete(&caller.ctx, &caller.powers, &named(&call)?).await?;
    done(&call, &Message::PermissionDeleted)
}
