//! Pages for people. They work without script, in English and Chinese, light and dark, on a phone
//! and on a desktop.

mod docs;
pub(super) mod error;
mod landing;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use askama::Template;

use super::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    endpoints![Surface::Pages; landing::landing, docs::docs].into_iter().map(Endpoint::undocumented).collect()
}

/// Renders a page.
fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "accept-language"))
            .body(html),
        Err(why) => HttpResponse::from_error(actix_web::error::ErrorInternalServerError(why)),
    }
}
