//! `/api/internal/tenants` and `/api/internal/admin/services`.

use actix_web::HttpResponse;

use super::caller::serve;
use super::wire::{EitherError, TenantPage};
use crate::domain::{services as verbs, tenants};
use crate::http::call::Call;
use crate::http::faces::idaas::wire::{ListedTenant, ServiceList};
use crate::model::permission::code;

/// Tenants, by page: all of them for a caller of the default tenant, its own for any other.
#[utoipa::path(
    get,
    path = "/api/internal/tenants",
    params(
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "20 unless said otherwise, 100 at most"),
    ),
    responses(
        (status = 200, description = "A page", body = TenantPage),
        (status = 400, description = "A bad parameter", body = EitherError),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 422, description = "The same, for an administrator", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["tenant:read"]), ("user_token" = [])),
)]
pub(super) async fn list(call: Call) -> HttpResponse {
    serve(&call, code::TENANT_READ, async |caller| {
        let page = call.query().page(20, 100)?;
        let (rows, total) = if caller.reaches_all() {
            let found = tenants::list(call.core(), page).await?;
            (found.rows.iter().map(|(tenant, key)| ListedTenant::new(tenant, key.clone())).collect(), found.total)
        } else {
            let own = tenants::card(call.core(), caller.ctx.tenant_id()).await?;
            let own = ListedTenant::new(&own.tenant, Some(own.public_key));
            (if page.page == 1 { vec![own] } else { Vec::new() }, 1)
        };
        Ok(HttpResponse::Ok().json(TenantPage { tenants: rows, total, page: page.page, per_page: page.per_page }))
    })
    .await
}

/// All services of the caller's own tenant.
#[utoipa::path(
    get,
    path = "/api/internal/admin/services",
    responses(
        (status = 200, description = "The services", body = ServiceList),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["internal:admin"]), ("user_token" = [])),
)]
pub(super) async fn services(call: Call) -> HttpResponse {
    serve(&call, code::INTERNAL_ADMIN, async |caller| {
        Ok(HttpResponse::Ok().json(ServiceList::from(verbs::list(&caller.ctx).await?)))
    })
    .await
}
