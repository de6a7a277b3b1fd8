//! `/api/admin/v1/clients`: apps and services.

mod settings;
mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::{Answer, Error};
use super::members::{Body as _, OverlapBody, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::administration::clients as verbs;
use crate::domain::clients;
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::http::fields::FieldError;
use crate::model::client::Client;
use crate::model::ids::ClientId;
use crate::model::permission::code;
use wire::{ClientChangeBody, ClientShown, NewClientBody, NewSecret, WithSecret};

/// Clients, by page, by id.
#[utoipa::path(
    get,
    path = "/api/admin/v1/clients",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<ClientShown>)),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let paging = Paging::read(&call, &caller)?;
    let after: Option<ClientId> = paging.after();
    let found = clients::list_after(&caller.ctx, after.as_ref(), paging.take()).await?;
    let page = paging.page(&caller, found, |client: &Client| client.id.to_string(), ClientShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Makes a client, which may do no more than whoever makes it. Its secret is shown once.
#[utoipa::path(
    post,
    path = "/api/admin/v1/clients",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewClientBody,
    responses(
        (status = 201, description = "Made", body = WithSecret),
        (status = 409, description = "The id is taken, or the same request is being done"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::INTERNAL_ADMIN], |caller, fields| {
        Box::pin(async move {
            let new = NewClientBody::whole(fields)?.client()?;
            let made = verbs::create(&caller.ctx, &caller.powers, new).await.map_err(of_scope)?;
            Made::new(&WithSecret::new(made))
        })
    })
    .await
}

/// One client.
#[utoipa::path(
    get,
    path = "/api/admin/v1/clients/{client_id}",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The client", body = ClientShown)),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let client = clients::find(&caller.ctx, &id(&call)?).await?;
    Ok(HttpResponse::Ok().json(ClientShown::from(client)))
}

/// Changes a client; with a new secret where its new way of authentication needs one.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/clients/{client_id}",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = ClientChangeBody,
    responses(
        (status = 200, description = "The client as it is now", body = WithSecret),
        (status = 403, description = "A permission is missing, or the client may do more than the caller"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let id = id(&call)?;
    let wish: ClientChangeBody = read(&call).await?;
    let client = clients::find(&caller.ctx, &id).await?;
    let change = wish.change(client.settings)?;
    let changed = verbs::update(&caller.ctx, &caller.powers, &id, change).await.map_err(of_scope)?;
    Ok(HttpResponse::Ok().json(WithSecret::new(changed)))
}

/// Deletes a client and all that it holds.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/clients/{client_id}",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "A permission is missing, or the client may do more than the caller"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn delete(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    verbs::delete(&caller.ctx, &caller.powers, &id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Replaces a client's secret.
#[utoipa::path(
    post,
    path = "/api/admin/v1/clients/{client_id}/rotate-secret",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = OverlapBody,
    responses(
        (status = 200, description = "The new secret", body = NewSecret),
        (status = 403, description = "A permission is missing, or the client may do more than the caller"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn rotate_secret(call: Call) -> Answer {
    let caller = caller(&call, &[code::INTERNAL_ADMIN]).await?;
    let id = id(&call)?;
    let wish: OverlapBody = read(&call).await?;
    let secret = verbs::rotate_secret(&caller.ctx, &caller.powers, &id, wish.overlap).await?;
    let previous_works_until = (caller.ctx.now() + wish.overlap).rfc3339();
    let client_secret = secret.expose().clone();
    Ok(HttpResponse::Ok().json(NewSecret { id: id.to_string(), client_secret, previous_works_until }))
}

/// Grants a service a permission; doing it twice is doing it once.
#[utoipa::path(
    put,
    path = "/api/admin/v1/clients/{client_id}/permissions/{permission}",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("permission" = String, Path, description = "The code: `user:read`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It has it"),
        (status = 403, description = "A permission is missing, or the caller lacks what is granted"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn grant(call: Call) -> Answer {
    set_permission(&call, true).await
}

/// Takes a permission from a service, also from the tokens that it holds; doing it twice is doing it once.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/clients/{client_id}/permissions/{permission}",
    params(
        ("client_id" = String, Path, description = "Its id"),
        ("permission" = String, Path, description = "The code: `user:read`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It has it no longer"),
        (status = 403, description = "A permission is missing, or the client may do more than the caller"),
    ),
    security(("access_token" = ["internal:admin"])),
)]
pub(super) async fn revoke(call: Call) -> Answer {
    set_permission(&call, false).await
}

async fn set_permission(call: &Call, granted: bool) -> Answer {
    let caller = caller(call, &[code::INTERNAL_ADMIN]).await?;
    let code = call.path_part("permission");
    verbs::set_permission(&caller.ctx, &caller.powers, &id(call)?, code, granted).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn id(call: &Call) -> Result<ClientId, DomainError> {
    call.path_part("client_id").parse().map_err(|_| DomainError::NotFound(Noun::Client))
}

/// A permission that a scope names is part of the input, not of the path.
fn of_scope(error: DomainError) -> Error {
    match error {
        DomainError::NotFound(Noun::Permission) => {
            FieldError::new("scope", "names a permission that there is not").into()
        }
        other => other.into(),
    }
}
