//! `/internal/*`: for trusted systems with an API key pair (`handoff.md`). It serves the default tenant.
//!
//! **Order of checks**: the key pair comes before anything else that a request holds, also where its path
//! leads nowhere; see `domain/api_clients/proof.rs`.
//!
//! **Ids** are bare UUIDs; a person is known by `user_sub`, the name that another system gave them, or by
//! their `usr_…`.

pub(super) mod caller;
mod catalogue;
pub(super) mod error;
mod members;
mod permissions;
mod users;
mod wire;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::http::call::Call;
use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Handoff;
        catalogue::systems,
        catalogue::modules,
        catalogue::companies,
        catalogue::sites,
        members::list,
        users::upsert_by_sub,
        users::ensure,
        users::ensure_by_its_older_name,
        permissions::snapshot,
    ]
}

/// A refusal that no handler of this face wrote: who has no key pair is told no more than that.
pub(in crate::http) async fn refuse(call: &Call, status: StatusCode) -> HttpResponse {
    match caller::api_client(call).await {
        Ok(_) => HttpResponse::from_error(error::Error::of_status(status)),
        Err(error) => HttpResponse::from_error(error),
    }
}
