//! `/auth/login`, `/me`, `/admin/permissions`: a member portal's front end (`member.md`). It serves the default
//! tenant; its shape of errors, and the key pairs that grants take, are those of `handoff.md`.

mod caller;
mod grants;
mod me;
mod sign_in;
mod wire;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::handoff::caller::api_client;
use super::handoff::error::Error;
use crate::http::call::Call;
use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Member;
        sign_in::login,
        me::show,
        me::snapshot,
        grants::grant,
        grants::revoke,
    ]
}

/// A refusal that no handler of this face wrote. Where a key pair is asked for, it comes first.
pub(in crate::http) async fn refuse(call: &Call, status: StatusCode) -> HttpResponse {
    if call.request().path().starts_with("/admin/")
        && let Err(error) = api_client(call).await
    {
        return HttpResponse::from_error(error);
    }
    HttpResponse::from_error(Error::of_status(status))
}
