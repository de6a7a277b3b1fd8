//! `/api/internal/tenants` and `/api/internal/admin/services`.

use actix_web::HttpResponse;

use super::caller::service;
use super::error::Answer;
use super::wire::{OtherError, TenantPage};
use crate::domain::{services as verbs, tenants};
use crate::http::call::Call;
use crate::http::faces::idaas::error::ErrorBody;
use crate::http::faces::idaas::wire::{ListedTenant, ServiceList};
use crate::model::permission::code;

/// Tenants, by page: all of them for a service of the default tenant, its own for any other.
#[utoipa::path(
    get,
    path = "/api/internal/tenants",
    params(
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "20 unless said otherwise, 100 at most"),
    ),
    responses(
        (status = 200, description = "A page", body = TenantPage),
        (status = 400, description = "A bad parameter", body = ErrorBody),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
    ),
    security(("service_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let service = service(&call, Some(code::TENANT_READ)).await?;
    let page = call.query().page(20, 100)?;
    let (rows, total) = if service.is_of_control_plane() {
        let found = tenants::list(call.core(), page).await?;
        (found.rows.iter().map(|(tenant, key)| ListedTenant::new(tenant, key.clone())).collect(), found.total)
    } else {
        let own = tenants::card(call.core(), service.ctx.tenant_id()).await?;
        let own = ListedTenant::new(&own.tenant, Some(own.public_key));
        (if page.page == 1 { vec![own] } else { Vec::new() }, 1)
    };
    Ok(HttpResponse::Ok().json(TenantPage { tenants: rows, total, page: page.page, per_page: page.per_page }))
}

/// All services of the service's own tenant.
#[utoipa::path(
    get,
    path = "/api/internal/admin/services",
    responses(
        (status = 200, description = "The services", body = ServiceList),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
    ),
    security(("service_token" = ["internal:admin"])),
)]
pub(super) async fn services(call: Call) -> Answer {
    let service = service(&call, Some(code::INTERNAL_ADMIN)).await?;
    Ok(HttpResponse::Ok().json(ServiceList::from(verbs::list(&service.ctx).await?)))
}
