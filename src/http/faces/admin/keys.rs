//! `/api/admin/v1/keys`: what a tenant signs with.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::members::read;
use super::paging::{Page, Paging};
use crate::domain::keys::{self, Rotation};
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::model::permission::code;
use crate::model::signing_key::{KeyState, SigningAlg, SigningKey};
use wire::{KeyShown, RotateBody, Rotated, RotatedKey};

/// A tenant's signing keys, oldest first, the removed ones too.
#[utoipa::path(
    get,
    path = "/api/admin/v1/keys",
    params(
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<KeyShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let paging = Paging::read(&call, &caller)?;
    let found = keys::list(&caller.ctx).await?;
    let page = paging.of_whole(&caller, found, |key: &SigningKey| key.kid.to_string(), KeyShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Has the next key sign, as soon as every client can have seen it; or at once.
#[utoipa::path(
    post,
    path = "/api/admin/v1/keys/rotate",
    params(("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise")),
    request_body = RotateBody,
    responses((status = 200, description = "Which keys sign, and since or from when", body = Rotated)),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn rotate(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let wish: RotateBody = read(&call).await?;
    let algs = wish.alg.map_or_else(|| SigningAlg::ALL.to_vec(), |alg| vec![alg]);
    let mut items = Vec::new();
    for alg in algs {
        let (kid, state, from) = match keys::rotate(&caller.ctx, alg, wish.now.unwrap_or(false)).await? {
            Rotation::Activated(kid) => (kid, KeyState::Active, caller.ctx.now()),
            Rotation::Scheduled(kid, from) => (kid, KeyState::Next, from),
        };
        let (alg, state) = (alg.as_str(), state.as_str());
        items.push(RotatedKey { kid: kid.to_string(), alg, state, signs_from: from.rfc3339() });
    }
    Ok(HttpResponse::Ok().json(Rotated { items }))
}

/// Removes a key that no longer signs; what it signed fails from then on.
#[utoipa::path(
    post,
    path = "/api/admin/v1/keys/{kid}/retire",
    params(
        ("kid" = String, Path, description = "The `kid` of a retiring key"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "There is no such retiring key, or no such tenant"),
    ),
    security(("access_token" = ["tenant:write"])),
)]
pub(super) async fn retire(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_WRITE]).await?;
    let kid = call.path_part("kid").parse().map_err(|_| DomainError::NotFound(Noun::Key))?;
    keys::retire(&caller.ctx, &kid).await?;
    Ok(HttpResponse::NoContent().finish())
}
