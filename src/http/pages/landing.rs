//! `/`: says that it runs, and where to go from here.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::page;
use crate::http::call::Call;
use crate::http::locale::{Locale, Texts};
use crate::http::statics::STYLE_ADDRESS;

#[derive(Template)]
#[template(path = "pages/landing.html")]
struct Landing<'a> {
    t: &'static Texts,
    style: &'a str,
    issuer: &'a str,
}

/// The start page.
#[utoipa::path(get, path = "/", responses((status = 200)))]
pub(super) async fn landing(call: Call) -> HttpResponse {
    let issuer = call.core().config.http.issuer.as_str();
    page(StatusCode::OK, &Landing { t: Locale::of(call.headers()).texts(), style: &STYLE_ADDRESS, issuer })
}
