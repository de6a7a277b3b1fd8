//! `/api/admin/v1/tenants`: for who administers the installation; others see their own.

mod wire;

use actix_web::HttpResponse;

use super::caller::{Caller, caller};
use super::error::Answer;
use super::members::{Body as _, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::{Ctx, DomainError, Noun, tenants};
use crate::http::call::Call;
use crate::model::permission::code;
use crate::model::tenant::Tenant;
use wire::{
    CreatedTenant, NewTenantBody, RotateKeyBody, SettingsChangeBody, SettingsShown, TenantChangeBody, TenantKeyShown,
    TenantShown,
};

/// The tenants that the caller reaches, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/tenants",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<TenantShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = if caller.powers.reaches_all_tenants() {
        tenants::list_after(caller.ctx.core, paging.after(), paging.take()).await?
    } else {
        vec![caller.ctx.tenant.tenant.clone()]
    };
    let page = paging.page(&caller, found, |tenant: &Tenant| tenant.id.to_string(), TenantShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Makes a tenant with keys, seeded roles and permissions.
#[utoipa::path(
    post,
    path = "/api/admin/v1/tenants",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
    ),
    request_body = NewTenantBody,
    responses((status = 201, description = "Made", body = CreatedTenant)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            caller.require_all_tenants()?;
            let wish = NewTenantBody::whole(fields)?;
            let Ctx { core, actor, origin, .. } = caller.ctx.clone();
            let made = tenants::create(core, actor, origin, &wish.name).await?;
            Made::new(&CreatedTenant {
                tenant: made.tenant.into(),
                public_key: made.public_key,
                secret_key: made.secret_key.expose().clone(),
            })
        })
    })
    .await
}

/// One tenant.
#[utoipa::path(
    get,
    path = "/api/admin/v1/tenants/{id}",
    params(("id" = String, Path, description = "`tnt_…`")),
    responses((status = 200, description = "The tenant", body = TenantShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let ctx = about(&call, &caller).await?;
    Ok(HttpResponse::Ok().json(TenantShown::from(ctx.tenant.tenant.clone())))
}

/// Changes a tenant's name, or whether it answers at all.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/tenants/{id}",
    params(("id" = String, Path, description = "`tnt_…`")),
    request_body = TenantChangeBody,
    responses((status = 200, description = "The tenant as it is now", body = TenantShown)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let ctx = about(&call, &caller).await?;
    caller.require_all_tenants()?;
    let wish: TenantChangeBody = read(&call).await?;
    let tenant = tenants::update(&ctx, wish.mend()).await?;
    Ok(HttpResponse::Ok().json(TenantShown::from(tenant)))
}

/// Replaces a key of a tenant.
#[utoipa::path(
    post,
    path = "/api/admin/v1/tenants/{id}/rotate-key",
    params(("id" = String, Path, description = "`tnt_…`")),
    request_body = RotateKeyBody,
    responses((status = 200, description = "The new key", body = TenantKeyShown)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn rotate_key(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let ctx = about(&call, &caller).await?;
    caller.require_all_tenants()?;
    let wish: RotateKeyBody = read(&call).await?;
    let key = tenants::rotate_key(&ctx, wish.kind, wish.overlap).await?;
    Ok(HttpResponse::Ok().json(TenantKeyShown { kind: wish.kind.as_str(), key: key.expose().clone() }))
}

/// What a tenant sets for itself.
#[utoipa::path(
    get,
    path = "/api/admin/v1/settings/tenant",
    params(("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise")),
    responses((status = 200, description = "The settings", body = SettingsShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn settings(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let tenant = tenants::administered(caller.ctx.core, caller.ctx.tenant_id()).await?;
    Ok(HttpResponse::Ok().json(SettingsShown::from(tenant.tenant.settings.clone())))
}

/// Changes what a tenant sets for itself.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/settings/tenant",
    params(("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise")),
    request_body = SettingsChangeBody,
    responses((status = 200, description = "The settings as they are now", body = SettingsShown)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn update_settings(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let wish: SettingsChangeBody = read(&call).await?;
    let tenant = tenants::update(&caller.ctx, wish.mend()?).await?;
    Ok(HttpResponse::Ok().json(SettingsShown::from(tenant.settings)))
}

/// The same call, about the tenant that the path names.
async fn about<'a>(call: &Call, caller: &Caller<'a>) -> Result<Ctx<'a>, DomainError> {
    let id = call.path_part("id").parse().map_err(|_| DomainError::NotFound(Noun::Tenant))?;
    caller.powers.require_reach(id)?;
    let mut ctx = caller.ctx.clone();
    ctx.tenant = tenants::administered(ctx.core, id).await?;
    Ok(ctx)
}
