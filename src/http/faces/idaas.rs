//! `/v1/*`: multi-tenant identity and services. Contract: `idaas.md`.
//!
//! Order of checks: who calls, then what they want. So a call without a key says `tenant not found`
//! whatever its body is.

mod administration;
mod caller;
pub(super) mod error;
mod services;
mod tenants;
mod users;
pub(super) mod wire;

pub(super) use caller::{Service, service_of};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::http::call::Call;
use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves. Fixed paths stand before patterns that would match them too.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Idaas;
        users::register,
        users::login,
        users::me,
        users::list,
        users::show,
        tenants::create,
        tenants::show,
        services::authenticate,
        services::validate_token,
        services::check_permission,
        services::register,
        administration::grant_scope,
        administration::revoke_scope,
        administration::cleanup_tokens,
        administration::list,
        administration::logs,
        administration::statistics,
    ]
}

/// A refusal that no handler of this face wrote. A service's request is in the access log also
/// where it led nowhere.
pub(in crate::http) async fn refuse(call: &Call, status: StatusCode, text: &'static str) -> HttpResponse {
    match caller::service_if_any(call).await {
        Ok(_) => HttpResponse::from_error(error::Error::new(status, text)),
        Err(error) => HttpResponse::from_error(error),
    }
}
