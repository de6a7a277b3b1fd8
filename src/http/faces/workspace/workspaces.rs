//! `/api/external/workspaces`: one's own workspaces; `/api/external/workspace`: the one that the call is about.

use actix_web::HttpResponse;

use super::caller::{in_workspace, person};
use super::error::{Answer, ErrorBody};
use super::wire::{ChangeWorkspace, CreateWorkspace, Message, OwnWorkspace, OwnWorkspaces, Workspace};
use crate::domain::memberships::{self, Keeper};
use crate::domain::organizations::NewOrganization;
use crate::domain::{Ctx, connections};
use crate::http::call::Call;
use crate::model::organization::Organization;

/// The workspaces that the caller belongs to, by name.
#[utoipa::path(
    get,
    path = "/api/external/workspaces",
    responses(
        (status = 200, description = "The workspaces", body = OwnWorkspaces),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let person = person(&call).await?;
    let own = memberships::of_user(call.core(), person.ctx.tenant_id(), person.user).await?;
    Ok(HttpResponse::Ok().json(OwnWorkspaces { workspaces: own.into_iter().map(OwnWorkspace::from).collect() }))
}

/// Makes a workspace; its creator is its owner.
#[utoipa::path(
    post,
    path = "/api/external/workspaces",
    request_body = CreateWorkspace,
    responses(
        (status = 201, description = "Made", body = Workspace),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 409, description = "The slug is taken", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is wrong with the input", body = ErrorBody),
        (status = 429, description = "Too many wrong tokens from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn create(call: Call) -> Answer {
    let person = person(&call).await?;
    let wish = CreateWorkspace::read(&mut call.json().await?)?;
    let new = NewOrganization { name: &wish.name, slug: wish.slug.as_deref(), plan: None };
    let made = memberships::found(&person.ctx, person.user, &new).await?;
    Ok(HttpResponse::Created().json(Workspace::new(made.organization, false)))
}

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
