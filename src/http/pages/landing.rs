//! `/`: says that it runs, and where to go from here.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page;
use super::views::Frame;
use super::views::landing::Landing;
use crate::http::call::Call;

/// The start page.
#[utoipa::path(get, path = "/", responses((status = 200)))]
pub(super) async fn landing(call: Call) -> HttpResponse {
    let issuer = call.core().config.http.issuer.as_str();
    page(StatusCode::OK, &Landing { frame: Frame::of_nobody(&call), issuer })
}
