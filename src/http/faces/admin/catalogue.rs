//! `/api/admin/v1/systems`, `modules`, `sites`: the catalogue. Its entries are never deleted: their keys are
//! stable for life, and an inactive one contributes nothing to any decision.

mod wire;

use actix_web::HttpResponse;
use serde::Serialize;

use super::caller::caller;
use super::error::Answer;
use super::members::{Body as _, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::DomainError;
use crate::domain::catalogue::{self, Entry, NewEntry};
use crate::http::call::Call;
use crate::model::catalogue::{Module, Site, System};
use crate::model::permission::code;
use wire::{EntryChangeBody, ModuleShown, NewModuleBody, NewSiteBody, NewSystemBody, SiteShown, SystemShown};

async fn list<E: Entry<Id: std::str::FromStr>, S: Serialize + From<E>>(call: &Call) -> Answer {
    let caller = caller(call, &[code::TENANT_READ]).await?;
    let paging = Paging::read(call, &caller)?;
    let found = catalogue::list::<E>(&caller.ctx, paging.after(), paging.take()).await?;
    Ok(HttpResponse::Ok().json(paging.page(&caller, found, |entry| entry.id().to_string(), S::from)?))
}

fn id<E: Entry<Id: std::str::FromStr>>(call: &Call, name: &str) -> Result<E::Id, DomainError> {
    call.path_part(name).parse().map_err(|_| DomainError::NotFound(E::NOUN))
}

async fn show<E: Entry<Id: std::str::FromStr>, S: Serialize + From<E>>(call: &Call, name: &str) -> Answer {
    let caller = caller(call, &[code::TENANT_READ]).await?;
    let found = catalogue::find::<E>(&caller.ctx, id::<E>(call, name)?).await?;
    Ok(HttpResponse::Ok().json(S::from(found)))
}

async fn change<E: Entry<Id: std::str::FromStr>, S: Serialize + From<E>>(call: &Call, name: &str) -> Answer {
    let caller = caller(call, &[code::TENANT_WRITE]).await?;
    let id = id::<E>(call, name)?;
    catalogue::find::<E>(&caller.ctx, id).await?;
    let wish: EntryChangeBody = read(call).await?;
    let changed = catalogue::change::<E>(&caller.ctx, id, &wish.change()).await?;
    Ok(HttpResponse::Ok().json(S::from(changed)))
}

/// Systems, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/systems",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<SystemShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn systems(call: Call) -> Answer {
    list::<System, SystemShown>(&call).await
}

/// Adds a system.
#[utoipa::path(
    post,
    path = "/api/admin/v1/systems",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewSystemBody,
    responses(
        (status = 201, description = "Added", body = SystemShown),
        (status = 409, description = "The code is taken, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn add_system(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let wish = NewSystemBody::whole(fields)?;
            let new = NewEntry { name: &wish.name, code: wish.code.as_deref() };
            Made::new(&SystemShown::from(catalogue::add_system(&caller.ctx, new).await?))
        })
    })
    .await
}

/// One system.
#[utoipa::path(
    get,
    path = "/api/admin/v1/systems/{system_id}",
    params(
        ("system_id" = String, Path, description = "`sys_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The system", body = SystemShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn system(call: Call) -> Answer {
    show::<System, SystemShown>(&call, "system_id").await
}

/// Changes a system's name, its code, or whether it counts.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/systems/{system_id}",
    params(
        ("system_id" = String, Path, description = "`sys_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = EntryChangeBody,
    responses(
        (status = 200, description = "The system as it is now", body = SystemShown),
        (status = 409, description = "The code is taken"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn change_system(call: Call) -> Answer {
    change::<System, SystemShown>(&call, "system_id").await
}

/// Modules, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/modules",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<ModuleShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn modules(call: Call) -> Answer {
    list::<Module, ModuleShown>(&call).await
}

/// Adds a module to a system.
#[utoipa::path(
    post,
    path = "/api/admin/v1/modules",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewModuleBody,
    responses(
        (status = 201, description = "Added", body = ModuleShown),
        (status = 409, description = "The code is taken, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn add_module(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let wish = NewModuleBody::whole(fields)?;
            let new = NewEntry { name: &wish.name, code: wish.code.as_deref() };
            Made::new(&ModuleShown::from(catalogue::add_module(&caller.ctx, wish.system_id, new).await?))
        })
    })
    .await
}

/// One module.
#[utoipa::path(
    get,
    path = "/api/admin/v1/modules/{module_id}",
    params(
        ("module_id" = String, Path, description = "`mod_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The module", body = ModuleShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn module(call: Call) -> Answer {
    show::<Module, ModuleShown>(&call, "module_id").await
}

/// Changes a module's name, its code, or whether it counts.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/modules/{module_id}",
    params(
        ("module_id" = String, Path, description = "`mod_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = EntryChangeBody,
    responses(
        (status = 200, description = "The module as it is now", body = ModuleShown),
        (status = 409, description = "The code is taken"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn change_module(call: Call) -> Answer {
    change::<Module, ModuleShown>(&call, "module_id").await
}

/// Sites, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/sites",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<SiteShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn sites(call: Call) -> Answer {
    list::<Site, SiteShown>(&call).await
}

/// Adds a site to an organization.
#[utoipa::path(
    post,
    path = "/api/admin/v1/sites",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewSiteBody,
    responses(
        (status = 201, description = "Added", body = SiteShown),
        (status = 409, description = "The code is taken, or the same request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn add_site(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let wish = NewSiteBody::whole(fields)?;
            let new = NewEntry { name: &wish.name, code: wish.code.as_deref() };
            Made::new(&SiteShown::from(catalogue::add_site(&caller.ctx, wish.organization_id, new).await?))
        })
    })
    .await
}

/// One site.
#[utoipa::path(
    get,
    path = "/api/admin/v1/sites/{site_id}",
    params(
        ("site_id" = String, Path, description = "`sit_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The site", body = SiteShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn site(call: Call) -> Answer {
    show::<Site, SiteShown>(&call, "site_id").await
}

/// Changes a site's name, its code, or whether it counts.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/sites/{site_id}",
    params(
        ("site_id" = String, Path, description = "`sit_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = EntryChangeBody,
    responses(
        (status = 200, description = "The site as it is now", body = SiteShown),
        (status = 409, description = "The code is taken"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn change_site(call: Call) -> Answer {
    change::<Site, SiteShown>(&call, "site_id").await
}
