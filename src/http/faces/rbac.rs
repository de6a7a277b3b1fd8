//! `/api/v1/*`: roles, permissions, who holds them, and what a token is worth. Contract: `rbac.md`.
//!
//! **Who**: administrators and services of the default tenant, and, to read the roles of a user of their
//! own tenant, whoever may. **Whose**: roles and permissions are the default tenant's; a user is one of
//! any tenant, and their roles are those of their tenant.
//!
//! **Language**: Chinese, or what `Accept-Language` prefers of those in `messages/`.

mod caller;
mod error;
mod messages;
mod permissions;
mod roles;
mod tokens;
mod users;
mod wire;

use std::future::Future;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::http::call::Call;
use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves. Fixed paths stand before patterns that would match them too.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Rbac, in_language;
        roles::list,
        roles::create,
        roles::statistics,
        roles::show,
        roles::update,
        roles::delete,
        roles::permissions,
        roles::add_permissions,
        roles::remove_permission,
        permissions::list,
        permissions::create,
        permissions::statistics,
        permissions::show,
        permissions::update,
        permissions::delete,
        users::roles,
        users::assign,
        users::unassign,
        users::permissions,
        tokens::validate_token,
        tokens::user_info,
        tokens::refresh_token,
    ]
}

/// Runs a handler; says what it refuses in the caller's language.
async fn in_language<F: Future<Output = error::Answer>>(call: Call, handler: impl FnOnce(Call) -> F) -> HttpResponse {
    let language = messages::language(&call);
    handler(call).await.unwrap_or_else(|error| HttpResponse::from_error(error.said_in(language)))
}

/// A refusal that no handler of this face wrote: an unknown path, a method that a path does not have.
pub(in crate::http) fn refuse(call: &Call, status: StatusCode) -> HttpResponse {
    HttpResponse::from_error(error::Error::of_status(status).said_in(messages::language(call)))
}
