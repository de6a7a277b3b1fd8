//! `/api/admin/v1/connections`: providers elsewhere by whom people sign in.

mod wire;

use actix_web::HttpResponse;

use super::caller::{Caller, caller};
use super::error::Answer;
use super::members::{Body as _, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::connections;
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::model::connection::Connection;
use crate::model::ids::ConnectionId;
use crate::model::permission::code;
use crate::protocol::upstream;
use wire::{ConnectionChangeBody, ConnectionShown, NewConnectionBody, TrialShown};

/// Connections, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/connections",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<ConnectionShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = connections::list(&caller.ctx).await?;
    let key = |connection: &Connection| connection.id.to_string();
    Ok(HttpResponse::Ok().json(paging.of_whole(&caller, found, key, |one| shown(&caller, one))?))
}

/// Makes a connection. Its `redirect_uri` is where the provider must send people back to.
#[utoipa::path(
    post,
    path = "/api/admin/v1/connections",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewConnectionBody,
    responses(
        (status = 201, description = "Made", body = ConnectionShown),
        (status = 404, description = "No such organization or role"),
        (status = 409, description = "The organization has a SAML connection, a domain leads elsewhere, or the same \
            request is being done"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::TENANT_WRITE], |caller, fields| {
        Box::pin(async move {
            let new = NewConnectionBody::whole(fields)?.wish()?;
            let made = connections::create(&caller.ctx, &caller.powers, new).await?;
            Made::new(&shown(caller, made))
        })
    })
    .await
}

/// One connection.
#[utoipa::path(
    get,
    path = "/api/admin/v1/connections/{connection_id}",
    params(
        ("connection_id" = String, Path, description = "`con_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The connection", body = ConnectionShown)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let found = connections::find(&caller.ctx, id(&call)?).await?;
    Ok(HttpResponse::Ok().json(shown(&caller, found)))
}

/// Changes a connection. Who changes whom it believes must be above everybody who comes in by it.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/connections/{connection_id}",
    params(
        ("connection_id" = String, Path, description = "`con_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = ConnectionChangeBody,
    responses(
        (status = 200, description = "The connection as it is now", body = ConnectionShown),
        (status = 409, description = "A domain leads elsewhere"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let id = id(&call)?;
    connections::find(&caller.ctx, id).await?;
    let change = read::<ConnectionChangeBody>(&call).await?.wish()?;
    let changed = connections::update(&caller.ctx, &caller.powers, id, change).await?;
    Ok(HttpResponse::Ok().json(shown(&caller, changed)))
}

/// Removes a connection; who was linked by it is no longer.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/connections/{connection_id}",
    params(
        ("connection_id" = String, Path, description = "`con_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 204, description = "Removed")),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn delete(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    connections::remove(&caller.ctx, id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Finds out what stands in the way of signing in by a connection, in plain words.
#[utoipa::path(
    post,
    path = "/api/admin/v1/connections/{connection_id}/test",
    params(
        ("connection_id" = String, Path, description = "`con_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "What was looked at, and what was found", body = TrialShown)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn test(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let connection = connections::find(&caller.ctx, id(&call)?).await?;
    let findings = upstream::trial(&caller.ctx, &connection).await?;
    Ok(HttpResponse::Ok().json(TrialShown::from(findings)))
}

fn shown(caller: &Caller<'_>, connection: Connection) -> ConnectionShown {
    let redirect_uri = upstream::callback(&caller.ctx, connection.id);
    ConnectionShown::new(connection, redirect_uri)
}

fn id(call: &Call) -> Result<ConnectionId, DomainError> {
    call.path_part("connection_id").parse().map_err(|_| DomainError::NotFound(Noun::Connection))
}
