//! Pages for people. They work without script but for passkeys, in English and Chinese, light and
//! dark, on a phone and on a desktop.

mod brand;
mod docs;
pub(super) mod error;
mod landing;
mod passkey_json;
mod qr;
pub(super) mod views;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use self::views::View;
use super::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let of_installation = endpoints![Surface::Pages; landing::landing, docs::docs];
    let of_tenants = endpoints![Surface::Pages; brand::brand, passkey_json::options, passkey_json::sign_in];
    let mut all = of_installation;
    all.extend(of_tenants.into_iter().map(Endpoint::per_tenant));
    all.into_iter().map(Endpoint::undocumented).collect()
}

/// Renders a page.
pub(super) fn page<V: View>(status: StatusCode, view: &V) -> HttpResponse {
    match view.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "accept-language"))
            .insert_header((header::CONTENT_SECURITY_POLICY, view.frame().policy(V::SCRIPTS)))
            .body(html),
        Err(why) => HttpResponse::from_error(actix_web::error::ErrorInternalServerError(why)),
    }
}
