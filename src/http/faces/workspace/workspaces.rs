//! `/api/external/workspaces`: one's own workspaces.

use actix_web::HttpResponse;

use super::caller::person;
use super::error::{Answer, ErrorBody};
use super::wire::{CreateWorkspace, OwnWorkspace, OwnWorkspaces, Workspace};
use crate::domain::memberships;
use crate::domain::organizations::NewOrganization;
use crate::http::call::Call;

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
