//! `/api/admin/v1/api-clients`: trusted systems that come with a key pair. They make users and switch them
//! off, so whoever lets one in must be able to do that too.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::members::{Body as _, OverlapBody, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::api_clients;
use crate::http::call::Call;
use crate::model::api_client::ApiClient;
use crate::model::permission::code;
use wire::{ApiClientChangeBody, ApiClientShown, ApiClientWithSecret, NewApiClientBody};

const PERMISSIONS: &[&str] = &[code::INTERNAL_ADMIN, code::USER_WRITE];

/// API clients, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/api-clients",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<ApiClientShown>)),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = api_clients::list(&caller.ctx, paging.after(), paging.take()).await?;
    let page = paging.page(&caller, found, |client: &ApiClient| client.id.to_string(), ApiClientShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Makes an API client. Its secret is shown once.
#[utoipa::path(
    post,
    path = "/api/admin/v1/api-clients",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewApiClientBody,
    responses((status = 201, description = "Made", body = ApiClientWithSecret)),
    security(("access_token" = ["internal:admin", "user:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, PERMISSIONS, |caller, fields| {
        Box::pin(async move {
            let new = NewApiClientBody::whole(fields)?.client();
            Made::new(&ApiClientWithSecret::from(api_clients::create(&caller.ctx, new).await?))
        })
    })
    .await
}

/// One API client.
#[utoipa::path(
    get,
    path = "/api/admin/v1/api-clients/{client_key}",
    params(
        ("client_key" = String, Path, description = "What `X-Client-Key` holds"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The API client", body = ApiClientShown)),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let client = api_clients::find(&caller.ctx, call.path_part("client_key")).await?;
    Ok(HttpResponse::Ok().json(ApiClientShown::from(client)))
}

/// Changes an API client: its name, its lists, or whether it counts.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/api-clients/{client_key}",
    params(
        ("client_key" = String, Path, description = "What `X-Client-Key` holds"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = ApiClientChangeBody,
    responses((status = 200, description = "The API client as it is now", body = ApiClientShown)),
    security(("access_token" = ["internal:admin", "user:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, PERMISSIONS).await?;
    let key = call.path_part("client_key");
    api_clients::find(&caller.ctx, key).await?;
    let wish: ApiClientChangeBody = read(&call).await?;
    let client = api_clients::update(&caller.ctx, key, wish.change()).await?;
    Ok(HttpResponse::Ok().json(ApiClientShown::from(client)))
}

/// Replaces an API client's secret; the one before counts for as long as is wished.
#[utoipa::path(
    post,
    path = "/api/admin/v1/api-clients/{client_key}/rotate",
    params(
        ("client_key" = String, Path, description = "What `X-Client-Key` holds"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = OverlapBody,
    responses((status = 200, description = "The API client with its new secret", body = ApiClientWithSecret)),
    security(("access_token" = ["internal:admin", "user:write"])),
)]
pub(super) async fn rotate(call: Call) -> Answer {
    let caller = caller(&call, PERMISSIONS).await?;
    let key = call.path_part("client_key");
    api_clients::find(&caller.ctx, key).await?;
    let wish: OverlapBody = read(&call).await?;
    let rotated = api_clients::rotate(&caller.ctx, key, wish.overlap).await?;
    Ok(HttpResponse::Ok().json(ApiClientWithSecret::from(rotated)))
}
