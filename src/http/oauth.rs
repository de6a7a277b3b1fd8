//! `/oauth/*` and `/.well-known/*` (`oauth.md`): one file an endpoint, the rules in `protocol/oauth`.
//! Everything exists under `/t/{tenant_id}` too.

pub(in crate::http) mod authorize;
mod change_password;
mod device;
mod error;
mod introspect;
mod jwks;
pub(in crate::http) mod logout;
pub(in crate::http) mod metadata;
mod par;
mod register;
mod request;
mod revoke;
mod token;
mod userinfo;
mod wire;

use actix_web::HttpRequest;
use actix_web::web;
use futures_util::future::LocalBoxFuture;

use super::AppState;
use super::mount::{Cors, Endpoint, endpoints};
use crate::domain::{clients, tenants};
use crate::telemetry::Surface;

/// Everything that is served here.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let public = endpoints![Surface::OAuth;
        metadata::openid_configuration,
        metadata::oauth_authorization_server,
        jwks::jwks,
    ];
    let inserted = endpoints![Surface::OAuth;
        metadata::openid_configuration_inserted,
        metadata::oauth_authorization_server_inserted,
    ];
    let by_clients = endpoints![Surface::OAuth; token::token, revoke::revoke, userinfo::userinfo, par::par, device::device_authorization];
    let by_browsers =
        endpoints![Surface::OAuth; authorize::authorize, logout::end_session, change_password::change_password];
    let by_servers = endpoints![Surface::OAuth; introspect::introspect];
    let of_registration = endpoints![Surface::OAuth;
        register::register,
        register::read,
        register::replace,
        register::delete,
    ];
    let mut all: Vec<Endpoint> = Vec::new();
    all.extend(public.into_iter().map(|endpoint| endpoint.cors(Cors::Anybody).per_tenant()));
    all.extend(inserted.into_iter().map(|endpoint| endpoint.cors(Cors::Anybody)));
    all.extend(by_clients.into_iter().map(|endpoint| endpoint.cors(Cors::Registered(is_registered)).per_tenant()));
    all.extend(by_browsers.into_iter().map(Endpoint::per_tenant));
    all.extend(by_servers.into_iter().map(Endpoint::per_tenant));
    all.extend(of_registration.into_iter().map(Endpoint::per_tenant));
    all
}

/// Whether some client of the tenant has a redirect URI of this origin.
fn is_registered(request: HttpRequest, origin: String) -> LocalBoxFuture<'static, bool> {
    Box::pin(async move {
        let Some(state) = request.app_data::<web::Data<AppState>>() else { return false };
        let tenant = match request.match_info().get("tenant_id").map(str::parse) {
            None => tenants::default(&state.core).await,
            Some(Ok(id)) => tenants::live(&state.core, id).await,
            Some(Err(_)) => return false,
        };
        let Ok(tenant) = tenant else { return false };
        clients::apps(&state.core, tenant.tenant.id).await.is_ok_and(|apps| apps.origins.contains(&origin))
    })
}
