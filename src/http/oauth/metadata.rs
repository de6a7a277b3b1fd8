//! What a client finds out by itself: OpenID Connect Discovery §4, RFC 8414 §3, and for a tenant's
//! issuer also the form with the well-known part inserted (RFC 8414 §3.1).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use super::error::Problem;
use super::jwks::json;
use crate::domain::tenants::{self, LiveTenant};
use crate::domain::{DomainError, Noun, clients};
use crate::http::call::Call;
use crate::model::tenant::RegistrationPolicy;
use crate::protocol::oauth::metadata::{Offers, metadata};

/// The metadata of an issuer, as OpenID Connect Discovery wants it.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    responses((status = 200, description = "The metadata", content_type = "application/json"),
              (status = 404, description = "No such tenant"))
)]
pub(super) async fn openid_configuration(call: Call) -> HttpResponse {
    document(&call).await
}

/// The metadata of an issuer, as RFC 8414 wants it.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    responses((status = 200, description = "The metadata", content_type = "application/json"),
              (status = 404, description = "No such tenant"))
)]
pub(super) async fn oauth_authorization_server(call: Call) -> HttpResponse {
    document(&call).await
}

/// The metadata of a tenant's issuer, with the well-known part inserted before its path.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration/t/{tenant_id}",
    params(("tenant_id" = String, Path, description = "tnt_…")),
    responses((status = 200, description = "The metadata", content_type = "application/json"),
              (status = 404, description = "No such tenant"))
)]
pub(super) async fn openid_configuration_inserted(call: Call) -> HttpResponse {
    document(&call).await
}

/// The metadata of a tenant's issuer, with the well-known part inserted before its path
/// (RFC 8414 §3.1).
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server/t/{tenant_id}",
    params(("tenant_id" = String, Path, description = "tnt_…")),
    responses((status = 200, description = "The metadata", content_type = "application/json"),
              (status = 404, description = "No such tenant"))
)]
pub(super) async fn oauth_authorization_server_inserted(call: Call) -> HttpResponse {
    document(&call).await
}

/// The tenant of the path, as it was last known while the database is gone: what is published
/// anyway decides nothing.
///
/// # Errors
/// As [`Call::tenant`].
pub(in crate::http) async fn tenant(call: &Call) -> Result<Arc<LiveTenant>, DomainError> {
    let Some(id) = call.request().match_info().get("tenant_id") else {
        return tenants::default_or_last(call.core()).await;
    };
    let id = id.parse().map_err(|_| DomainError::NotFound(Noun::Tenant))?;
    let tenant = tenants::live_or_last(call.core(), id).await?;
    if tenant.tenant.is_default { Err(DomainError::NotFound(Noun::Tenant)) } else { Ok(tenant) }
}

async fn document(call: &Call) -> HttpResponse {
    let tenant = match tenant(call).await {
        Ok(tenant) => tenant,
        Err(error) => return Problem::from(error).answer(call),
    };
    // Where nothing is known of the clients, what every client may use is advertised.
    let apps = clients::apps_or_last(call.core(), tenant.tenant.id).await;
    let settings = &tenant.tenant.settings;
    let legacy = settings.registration_legacy || apps.is_ok_and(|apps| apps.legacy);
    let offers = Offers { registration: settings.registration != RegistrationPolicy::Off, legacy };
    let [plain, with_legacy] = &tenant.metadata;
    let place = if legacy { with_legacy } else { plain };
    let text = place.get_or_init(|| serde_json::to_vec(&metadata(&tenant.issuer, &offers)).unwrap_or_default().into());
    let mut answer = json(text.clone());
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    answer
}
