//! `/api/external/workspace`: the workspace that the call is about.

use actix_web::HttpResponse;

use super::caller::in_workspace;
use super::error::{Answer, ErrorBody};
use super::wire::{ChangeWorkspace, Message, Workspace};
use crate::domain::memberships::{self, Keeper};
use crate::domain::{Ctx, connections};
use crate::http::call::Call;
use crate::model::organization::Organization;

/// The workspace.
#[utoipa::path(
    get,
    path = "/api/external/workspace",
    params(("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug")),
    responses(
        (status = 200, description = "The workspace", body = Workspace),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    shown(&person.ctx, standing.organization).await
}

async fn shown(ctx: &Ctx<'_>, organization: Organization) -> Answer {
    let sso_enabled = connections::lead_to(ctx, organization.id).await?;
    Ok(HttpResponse::Ok().json(Workspace::new(organization, sso_enabled)))
}

/// Gives the workspace another name; for an owner or admin of it.
#[utoipa::path(
    method(put, patch),
    path = "/api/external/workspace",
    params(("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug")),
    request_body = ChangeWorkspace,
    responses(
        (status = 200, description = "Changed", body = Workspace),
        (status = 400, description = "`WORKSPACE_REQUIRED`, or not JSON", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin", body = ErrorBody),
        (status = 404, description = "Gone meanwhile", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is wrong with the input", body = ErrorBody),
        (status = 429, description = "Too many wrong tokens from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn change(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let wish = ChangeWorkspace::read(&mut call.json().await?)?;
    let by = Keeper::Member(person.user);
    let changed = memberships::rename(&person.ctx, by, standing.organization.id, &wish.name).await?;
    shown(&person.ctx, changed).await
}

/// Leaves the workspace. Its last owner can't.
#[utoipa::path(
    post,
    path = "/api/external/workspace/leave",
    params(("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug")),
    responses(
        (status = 200, description = "Left", body = Message),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 404, description = "Gone meanwhile", body = ErrorBody),
        (status = 409, description = "The last owner", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn leave(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let (by, own) = (Keeper::Member(person.user), standing.membership.id.uuid());
    memberships::remove(&person.ctx, by, standing.organization.id, own).await?;
    Ok(HttpResponse::Ok().json(Message { message: "You have left the workspace" }))
}
