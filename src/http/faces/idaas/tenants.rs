//! `/v1/tenants`.

use actix_web::HttpResponse;

use super::caller::service;
use super::error::{Answer, Error, ErrorBody};
use super::wire::{CreateTenant, CreatedTenant, ShownTenant};
use crate::domain::{DomainError, Noun, tenants};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::permission::code;

/// Makes a tenant with its keys.
///
/// Open to everybody unless the configuration closes it; then it takes a service token of the
/// default tenant with `tenant:write`.
#[utoipa::path(
    post,
    path = "/v1/tenants",
    request_body = CreateTenant,
    responses(
        (status = 201, description = "Made; the secret key is not shown again", body = CreatedTenant),
        (status = 400, description = "`\"name\" is required`", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
    ),
    security((), ("service_token" = [])),
)]
pub(super) async fn create(call: Call) -> Answer {
    let actor = founder(&call).await?;
    let wish = CreateTenant::read(&mut call.json().await?)?;
    let made = tenants::create(call.core(), actor, call.origin(), &wish.name).await?;
    Ok(HttpResponse::Created().json(CreatedTenant {
        id: made.tenant.id.to_string(),
        name: &made.tenant.name,
        public_key: &made.public_key,
        secret_key: made.secret_key.expose(),
        created_at: made.tenant.created_at.rfc3339(),
    }))
}

/// Who may make a tenant.
async fn founder(call: &Call) -> Result<Actor, Error> {
    if call.core().config.registration.open_tenants {
        call.limit(Limit::Registration)?;
        return Ok(Actor::Anonymous);
    }
    let service = service(call, Some(code::TENANT_WRITE)).await?;
    // A tenant reaches no further than itself, whatever it grants its own services.
    if service.is_of_control_plane() { Ok(service.ctx.actor) } else { Err(Error::forbidden(code::TENANT_WRITE)) }
}

/// Shows a tenant to whoever knows its id.
#[utoipa::path(
    get,
    path = "/v1/tenants/{id}",
    params(("id" = String, Path, description = "`tnt_…`")),
    responses(
        (status = 200, description = "The tenant", body = ShownTenant),
        (status = 404, description = "`tenant not found`", body = ErrorBody),
    ),
)]
pub(super) async fn show(call: Call) -> Answer {
    let id = call.path_part("id").parse().map_err(|_| DomainError::NotFound(Noun::Tenant))?;
    let card = tenants::card(call.core(), id).await?;
    Ok(HttpResponse::Ok().json(ShownTenant {
        id: card.tenant.id.to_string(),
        name: &card.tenant.name,
        api_secret_key_hash: &card.secret_key_fingerprint,
        api_public_key: &card.public_key,
        created_at: card.tenant.created_at.rfc3339(),
    }))
}
