//! `/api/internal/*`: the internal control plane, shared by two contracts on one set of paths:
//! `idaas.md` for services with a scope, `workspace.md` for administrators.
//!
//! **Shape of errors**: a caller that proved to be a service gets `{"error"}`; everybody else, also
//! one without any token or with one that does not count, gets `{"detail","error_code","status_code"}`.
//!
//! **Ids**: answers to services name users `usr_…`, as everywhere else a service sees them (the `sub`
//! of tokens, `/v1/users`), answers to administrators by the bare UUID of `workspace.md`; a path or body
//! may give either.
//!
//! **Reach**: the default tenant is the control plane of the installation, so its services and
//! administrators see all tenants and narrow by `tenant_id`. Those of any other tenant see their own
//! alone; what belongs to another does not exist for them.

mod caller;
mod error;
mod system;
mod tenants;
mod tokens;
mod users;
mod wire;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::idaas::error::Error as ServiceError;
use crate::http::call::Call;
use crate::http::mount::{Endpoint, endpoints};
use crate::http::shape;
use crate::telemetry::Surface;

/// What it serves.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Control;
        users::list,
        users::create,
        users::show,
        tenants::list,
        tenants::services,
        tokens::on_behalf,
        system::health,
    ]
}

/// A refusal that no handler of this face wrote, in the shape that the caller can read.
pub(in crate::http) async fn refuse(call: &Call, status: StatusCode, text: &'static str) -> HttpResponse {
    if caller::is_service(call).await {
        return HttpResponse::from_error(ServiceError::new(status, text));
    }
    shape::workspace(status, shape::workspace_code(status), text)
}
