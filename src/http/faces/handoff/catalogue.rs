//! `/internal/systems`, `/internal/modules`, `/internal/companies`, `/internal/sites`.

use actix_web::HttpResponse;

use super::caller::api_client;
use super::error::{Answer, DetailBody, KeyPairRefusals};
use super::wire::{ListedCompany, ListedModule, ListedSite, ListedSystem, Page, window};
use crate::domain::{catalogue, organizations};
use crate::http::call::Call;

/// The systems, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/internal/systems",
    params(
        ("limit" = Option<u64>, Query, description = "How many; 200 unless said otherwise", minimum = 1, maximum = 1000),
        ("offset" = Option<u64>, Query, description = "How many to leave out", maximum = 1_000_000_000),
    ),
    responses(
        (status = 200, description = "Some systems", body = Page<ListedSystem>),
        (status = 422, description = "`validation_error`: which parameter is wrong", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn systems(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let window = window(&call.query(), 200)?;
    let found = catalogue::systems(&ctx, window).await?;
    Ok(HttpResponse::Ok().json(Page::<ListedSystem>::new(found, window)))
}

/// The modules of a system, or of all, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/internal/modules",
    params(
        ("system_key" = Option<String>, Query, description = "Only those of this system", max_length = 500),
        ("limit" = Option<u64>, Query, description = "How many; 500 unless said otherwise", minimum = 1, maximum = 1000),
        ("offset" = Option<u64>, Query, description = "How many to leave out", maximum = 1_000_000_000),
    ),
    responses(
        (status = 200, description = "Some modules", body = Page<ListedModule>),
        (status = 422, description = "`validation_error`: which parameter is wrong", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn modules(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let query = call.query();
    let window = window(&query, 500)?;
    let found = catalogue::modules(&ctx, query.text("system_key")?, window).await?;
    Ok(HttpResponse::Ok().json(Page::<ListedModule>::new(found, window)))
}

/// The companies, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/internal/companies",
    params(
        ("keyword" = Option<String>, Query, description = "Part of the name or key", max_length = 500),
        ("limit" = Option<u64>, Query, description = "How many; 500 unless said otherwise", minimum = 1, maximum = 1000),
        ("offset" = Option<u64>, Query, description = "How many to leave out", maximum = 1_000_000_000),
    ),
    responses(
        (status = 200, description = "Some companies", body = Page<ListedCompany>),
        (status = 422, description = "`validation_error`: which parameter is wrong", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn companies(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let query = call.query();
    let window = window(&query, 500)?;
    let found = organizations::search(&ctx, query.text("keyword")?, window).await?;
    Ok(HttpResponse::Ok().json(Page::<ListedCompany>::new(found, window)))
}

/// The sites of a company, or of all, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/internal/sites",
    params(
        ("company_key" = Option<String>, Query, description = "Only those of this company", max_length = 500),
        ("limit" = Option<u64>, Query, description = "How many; 500 unless said otherwise", minimum = 1, maximum = 1000),
        ("offset" = Option<u64>, Query, description = "How many to leave out", maximum = 1_000_000_000),
    ),
    responses(
        (status = 200, description = "Some sites", body = Page<ListedSite>),
        (status = 422, description = "`validation_error`: which parameter is wrong", body = DetailBody),
        KeyPairRefusals,
    ),
    security(("client_key" = [], "api_key" = [])),
)]
pub(super) async fn sites(call: Call) -> Answer {
    let ctx = api_client(&call).await?;
    let query = call.query();
    let window = window(&query, 500)?;
    let found = catalogue::sites(&ctx, query.text("company_key")?, window).await?;
    Ok(HttpResponse::Ok().json(Page::<ListedSite>::new(found, window)))
}
