//! `/internal/members`.

use actix_web::HttpResponse;

use super::caller::api_client;
use super::error::{Answer, DetailBody, KeyPairRefusals};
use super::wire::{ListedMember, Page, window};
use crate::domain::users;
use crate::http::call::Call;

/// The people, in the order in which their accounts were made.
#[utoipa::path(
    get,
    path = "/internal/members",
    params(
        ("keyword" = Option<String>, Query, description = "Part of the username, address or name", max_length = 500),
        ("limit" = Option<u64>, Query, description = "How many; 500 unless said otherwise", minimum = 1, maximum = 1000),
        ("offset" = Option<u64>, Query, description = "How many to leave out", maximum = 1_000_000_000),
    ),
    responses(
        (status = 200, description = "Some people", body = Page<ListedMember>),
        (status = 422, description = "`validation_error`: which parameter is wrong", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let query = call.query();
    let window = window(&query, 500)?;
    let found = users::search(&ctx, query.text("keyword")?, window).await?;
    Ok(HttpResponse::Ok().json(Page::<ListedMember>::new(found, window)))
}
