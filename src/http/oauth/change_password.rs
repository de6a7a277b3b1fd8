//! `GET /.well-known/change-password`: where password managers send people (W3C, A Well-Known URL for
//! Changing Passwords).

use actix_web::HttpResponse;

use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::pages::error::Problem;

/// Leads to the page on which a person changes their password.
#[utoipa::path(
    get,
    path = "/.well-known/change-password",
    responses((status = 303, description = "To the page"), (status = 404, description = "No such tenant"),
              (status = 503, description = "Try again after Retry-After seconds"))
)]
pub(super) async fn change_password(call: Call) -> HttpResponse {
    match Visit::of(&call).await {
        Ok(visit) => visit.go("/account/password"),
        Err(error) => Problem::from(error).answer(&call).await,
    }
}
