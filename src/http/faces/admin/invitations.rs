//! `/api/admin/v1/organizations/{organization_id}/invitations`: who was asked to join.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::members::Body as _;
use super::once::{Made, once};
use super::organizations::id;
use super::paging::{Page, Paging};
use crate::domain::memberships::Keeper;
use crate::domain::{DomainError, Noun, invitations, organizations};
use crate::http::call::Call;
use crate::model::organization::Invitation;
use crate::model::permission::code;
use wire::{InvitationShown, NewInvitationBody};

/// The invitations into an organization that can still be followed, the oldest first.
#[utoipa::path(
    get,
    path = "/api/admin/v1/organizations/{organization_id}/invitations",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<InvitationShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let id = id(&call)?;
    organizations::find(&caller.ctx, id).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = invitations::of_organization(&caller.ctx, id).await?;
    let key = |invitation: &Invitation| invitation.id.to_string();
    Ok(HttpResponse::Ok().json(paging.of_whole(&caller, found, key, InvitationShown::from)?))
}

/// Asks whoever has an address to join, by mail; again with a new link if that was done before.
#[utoipa::path(
    post,
    path = "/api/admin/v1/organizations/{organization_id}/invitations",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewInvitationBody,
    responses(
        (status = 201, description = "Asked", body = InvitationShown),
        (status = 409, description = "A member already, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let (ctx, at) = (&caller.ctx, id(caller.call)?);
            let wish = NewInvitationBody::whole(fields)?;
            let id = invitations::invite(ctx, Keeper::Administrator, at, &wish.email, wish.role).await?;
            let open = invitations::of_organization(ctx, at).await?;
            let made = open.into_iter().find(|invitation| invitation.id == id);
            Made::new(&InvitationShown::from(made.ok_or(DomainError::NotFound(Noun::Invitation))?))
        })
    })
    .await
}

/// Takes an invitation back.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/organizations/{organization_id}/invitations/{invitation_id}",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("invitation_id" = String, Path, description = "`inv_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 204, description = "Its link leads nowhere any more")),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn withdraw(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let invitation = call.path_part("invitation_id").parse().map_err(|_| DomainError::NotFound(Noun::Invitation))?;
    invitations::withdraw(&caller.ctx, Keeper::Administrator, id(&call)?, invitation).await?;
    Ok(HttpResponse::NoContent().finish())
}
