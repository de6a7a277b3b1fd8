//! `/api/external/workspace/members`.

use actix_web::HttpResponse;

use super::caller::{id_in_path, in_workspace};
use super::error::{Answer, ErrorBody};
use super::paging::Paging;
use super::wire::{ChangeMember, Invite, Invited, Member, MemberList, Message};
use crate::domain::memberships::{self, Keeper};
use crate::domain::{Noun, invitations};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::ids::MembershipId;

/// The members of the workspace, who came first first.
#[utoipa::path(
    get,
    path = "/api/external/workspace/members",
    params(
        ("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug"),
        ("limit" = Option<u64>, Query, description = "How many; 1000 unless said otherwise, which is the most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before"),
    ),
    responses(
        (status = 200, description = "The members", body = MemberList),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 422, description = "A bad limit or cursor", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let paging = Paging::read(&call)?;
    let after = paging.after.map(MembershipId::from_uuid);
    let mut found = memberships::list(&person.ctx, standing.organization.id, after, paging.take()).await?;
    let next_cursor = paging.cut(&mut found, |(membership, _)| membership.id.uuid());
    let members = found.into_iter().map(Member::from).collect();
    Ok(HttpResponse::Ok().json(MemberList { members, next_cursor }))
}

/// Asks somebody in, by mail; for an owner or admin of the workspace, up to what they are themselves.
///
/// An invitation of the same address that is still open is replaced.
#[utoipa::path(
    post,
    path = "/api/external/workspace/members",
    params(("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug")),
    request_body = Invite,
    responses(
        (status = 201, description = "The mail goes out", body = Invited),
        (status = 400, description = "`WORKSPACE_REQUIRED`, or not JSON", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin, or a role above their own", body = ErrorBody),
        (status = 404, description = "Gone meanwhile", body = ErrorBody),
        (status = 409, description = "A member already, or too many are asked", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is wrong with the input", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn invite(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let wish = Invite::read(&mut call.json().await?)?;
    call.limit(Limit::Mail)?;
    let by = Keeper::Member(person.user);
    let id = invitations::invite(&person.ctx, by, standing.organization.id, &wish.email, wish.role).await?;
    Ok(HttpResponse::Created().json(Invited { message: "Invitation sent", invite_id: id.uuid().to_string() }))
}

/// Makes a member something else; for an owner or admin of the workspace, up to what they are themselves.
#[utoipa::path(
    method(put, patch),
    path = "/api/external/workspace/members/{id}",
    params(
        ("id" = String, Path, description = "The membership's id, or the user's"),
        ("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug"),
    ),
    request_body = ChangeMember,
    responses(
        (status = 200, description = "Changed", body = Member),
        (status = 400, description = "`WORKSPACE_REQUIRED`, or not JSON", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin, or a role above their own", body = ErrorBody),
        (status = 404, description = "No such member", body = ErrorBody),
        (status = 409, description = "The last owner", body = ErrorBody),
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
    let wish = ChangeMember::read(&mut call.json().await?)?;
    let (by, id) = (Keeper::Member(person.user), id_in_path(&call, Noun::Membership)?);
    let changed = memberships::set_role(&person.ctx, by, standing.organization.id, id, wish.role).await?;
    Ok(HttpResponse::Ok().json(Member::from(changed)))
}

/// Takes a member out; for an owner or admin of the workspace, up to what they are themselves.
#[utoipa::path(
    delete,
    path = "/api/external/workspace/members/{id}",
    params(
        ("id" = String, Path, description = "The membership's id, or the user's"),
        ("X-Workspace-Id" = Option<String>, Header, description = "Which workspace: its id or slug"),
    ),
    responses(
        (status = 200, description = "Out", body = Message),
        (status = 400, description = "`WORKSPACE_REQUIRED`", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "Not an owner or admin, or a role above their own", body = ErrorBody),
        (status = 404, description = "No such member", body = ErrorBody),
        (status = 409, description = "The last owner", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn remove(call: Call) -> Answer {
    let (person, standing) = in_workspace(&call).await?;
    let (by, id) = (Keeper::Member(person.user), id_in_path(&call, Noun::Membership)?);
    memberships::remove(&person.ctx, by, standing.organization.id, id).await?;
    Ok(HttpResponse::Ok().json(Message { message: "Member removed" }))
}
