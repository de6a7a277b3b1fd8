//! `/api/internal/*`: the internal control plane, shared by two contracts on one set of paths:
//! `idaas.md` for services with a scope, `workspace.md` for administrators.
//!
//! **Shape of errors**: a caller that proved to be a service gets `{"error"}`; everybody else, also
//! one without any token or with one that does not count, gets `{"detail","error_code","status_code"}`.
//!
//! **Ids**: answers to services name users `usr_…`, as everywhere else a service sees them (the `sub`
//! of tokens, `/v1/users`); a path or body may also give the bare UUID that `workspace.md` shows.
//!
//! **Reach**: the default tenant is the control plane of the installation, so its services see all
//! tenants and narrow by `tenant_id`. A service of any other tenant sees its own tenant alone; what
//! belongs to another does not exist for it.

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
    match caller::service(call, None).await {
        Ok(_) => HttpResponse::from_error(ServiceError::new(status, text)),
        Err(_) => shape::workspace(status, shape::workspace_code(status), text),
    }
}
