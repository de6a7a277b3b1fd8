//! `/api/admin/v1/organizations` and who belongs to them.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::members::{Body as _, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::memberships::{self, Keeper};
use crate::domain::organizations::{self, NewOrganization, OrganizationChange};
use crate::domain::{DomainError, Noun, users};
use crate::http::call::Call;
use crate::model::ids::{OrganizationId, UserId};
use crate::model::organization::Organization;
use crate::model::permission::code;
use wire::{MemberShown, NewMemberBody, NewOrganizationBody, OrganizationChangeBody, OrganizationShown, RoleBody};

/// Organizations, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/organizations",
    params(
        ("search" = Option<String>, Query, description = "Part of the name or key"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<OrganizationShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let paging = Paging::read(&call, &caller)?;
    let query = call.query();
    let found = organizations::list(&caller.ctx, query.text("search")?, paging.after(), paging.take()).await?;
    let key = |organization: &Organization| organization.id.to_string();
    Ok(HttpResponse::Ok().json(paging.page(&caller, found, key, OrganizationShown::from)?))
}

/// Makes an organization that nobody belongs to yet.
#[utoipa::path(
    post,
    path = "/api/admin/v1/organizations",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewOrganizationBody,
    responses(
        (status = 201, description = "Made", body = OrganizationShown),
        (status = 409, description = "The slug is taken, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let wish = NewOrganizationBody::whole(fields)?;
            let new = NewOrganization { name: &wish.name, slug: wish.slug.as_deref(), plan: wish.plan.as_deref() };
            Made::new(&OrganizationShown::from(organizations::create(&caller.ctx, &new).await?))
        })
    })
    .await
}

/// One organization.
#[utoipa::path(
    get,
    path = "/api/admin/v1/organizations/{organization_id}",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The organization", body = OrganizationShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let found = organizations::find(&caller.ctx, id(&call)?).await?;
    Ok(HttpResponse::Ok().json(OrganizationShown::from(found)))
}

/// Changes an organization's name, slug or plan, or whether it counts.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/organizations/{organization_id}",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = OrganizationChangeBody,
    responses(
        (status = 200, description = "The organization as it is now", body = OrganizationShown),
        (status = 409, description = "The slug is taken"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let id = id(&call)?;
    organizations::find(&caller.ctx, id).await?;
    let OrganizationChangeBody { name, slug, plan, enabled } = read(&call).await?;
    let changed = organizations::update(&caller.ctx, id, &OrganizationChange { name, slug, plan, enabled }).await?;
    Ok(HttpResponse::Ok().json(OrganizationShown::from(changed)))
}

/// Who belongs to an organization, by page.
#[utoipa::path(
    get,
    path = "/api/admin/v1/organizations/{organization_id}/members",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<MemberShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn members(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let id = id(&call)?;
    organizations::find(&caller.ctx, id).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = memberships::list(&caller.ctx, id, paging.after(), paging.take()).await?;
    let page = paging.page(&caller, found, |(membership, _)| membership.id.to_string(), MemberShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Makes a user a member.
#[utoipa::path(
    post,
    path = "/api/admin/v1/organizations/{organization_id}/members",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewMemberBody,
    responses(
        (status = 201, description = "A member from now on", body = MemberShown),
        (status = 409, description = "A member already, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn add_member(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let (ctx, id) = (&caller.ctx, id(caller.call)?);
            organizations::find(ctx, id).await?;
            let wish = NewMemberBody::whole(fields)?;
            let user = users::find(ctx, wish.user_id).await?;
            let made = memberships::add(ctx, Keeper::Administrator, id, wish.user_id, wish.role).await?;
            Made::new(&MemberShown::from((made, user)))
        })
    })
    .await
}

/// Makes a member something else.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/organizations/{organization_id}/members/{user_id}",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = RoleBody,
    responses(
        (status = 200, description = "The member as they are now", body = MemberShown),
        (status = 409, description = "The last owner stays one"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn update_member(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let (id, user) = (id(&call)?, member(&call)?);
    let wish: RoleBody = read(&call).await?;
    let changed = memberships::set_role(&caller.ctx, Keeper::Administrator, id, user.uuid(), wish.role).await?;
    Ok(HttpResponse::Ok().json(MemberShown::from(changed)))
}

/// Ends a membership.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/organizations/{organization_id}/members/{user_id}",
    params(
        ("organization_id" = String, Path, description = "`org_…`"),
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "No member any more"),
        (status = 409, description = "The last owner stays one"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn remove_member(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    memberships::remove(&caller.ctx, Keeper::Administrator, id(&call)?, member(&call)?.uuid()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) fn id(call: &Call) -> Result<OrganizationId, DomainError> {
    call.path_part("organization_id").parse().map_err(|_| DomainError::NotFound(Noun::Organization))
}

fn member(call: &Call) -> Result<UserId, DomainError> {
    call.path_part("user_id").parse().map_err(|_| DomainError::NotFound(Noun::Membership))
}
