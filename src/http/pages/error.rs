//! A page that says what went wrong, and nothing that the caller sent.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::page;
use crate::http::locale::{Locale, Texts};
use crate::http::statics::STYLE_ADDRESS;

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    t: &'static Texts,
    style: &'a str,
    status: u16,
    title: &'a str,
    hint: &'a str,
}

/// The page for a status.
pub(in crate::http) fn answer(locale: Locale, status: StatusCode) -> HttpResponse {
    let t = locale.texts();
    let (title, hint) = match status.as_u16() {
        404 => (t.not_found, t.not_found_hint),
        400..=499 => (t.bad_request, t.bad_request_hint),
        _ => (t.failed, t.failed_hint),
    };
    page(status, &ErrorPage { t, style: &STYLE_ADDRESS, status: status.as_u16(), title, hint })
}
