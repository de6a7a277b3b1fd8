//! `/api/external/workspace/invitations`: who was asked in and has not come yet; for owners and admins.

use actix_web::HttpResponse;

use super::caller::{id_in_path, in_workspace};
use super::error::{Answer, ErrorBody};
use super::wire::{InvitationList, Message, ShownInvitation};
use crate::domain::memberships::Keeper;
use crate::domain::{Noun, invitations};
use crate::http::call::Call;
use crate::model::ids::InvitationId;

/// The invitations that can still be followed, the oldest first.
#[utoipa::path(
    get,
    path = "/api/external/workspace/invitations",
    params(("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug")),
    responses(
        (status = 200, description = "The invitations", body = InvitationList),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let found = invitations::list(&person.ctx, &standing).await?;
    let invitations = found.into_iter().map(ShownInvitation::from).collect();
    Ok(HttpResponse::Ok().json(InvitationList { invitations }))
}

/// Takes an invitation back: its link leads nowhere from now on.
#[utoipa::path(
    delete,
    path = "/api/external/workspace/invitations/{id}",
    params(
        ("id" = String, Path, description = "The invitation's id"),
        ("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug"),
    ),
    responses(
        (status = 200, description = "Taken back", body = Message),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin, or a role above their own", body = ErrorBody),
        (status = 404, description = "None that can still be followed", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn withdraw(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let id = InvitationId::from_uuid(id_in_path(&call, Noun::Invitation)?);
    invitations::withdraw(&person.ctx, Keeper::Member(person.user), standing.organization.id, id).await?;
    Ok(HttpResponse::Ok().json(Message { message: "Invitation withdrawn" }))
}
