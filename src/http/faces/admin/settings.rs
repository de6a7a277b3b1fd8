//! `/api/admin/v1/settings`: the installation's, which its configuration decides.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use crate::http::call::Call;
use crate::model::permission::code;
use wire::{InstallationSettings, Setting};

/// What the configuration says, secrets masked.
#[utoipa::path(
    get,
    path = "/api/admin/v1/settings",
    responses((status = 200, description = "Every effective value", body = InstallationSettings)),
    security(("access_token" = ["system:admin"])),
)]
pub(super) async fn installation(call: Call) -> Answer {
    let caller = caller(&call, &[code::SYSTEM_ADMIN]).await?;
    caller.require_all_tenants()?;
    let shown = caller.ctx.core.config.shown();
    let items = shown.into_iter().map(|(key, value)| Setting { key, value }).collect();
    Ok(HttpResponse::Ok().json(InstallationSettings { items }))
}
