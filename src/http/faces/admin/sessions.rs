//! Browser sessions: of a user, and by their ids.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::paging::{Page, Paging};
use crate::domain::administration::users as verbs;
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::model::permission::code;
use wire::SessionShown;

/// The open sessions of a user, the one used last first.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users/{user_id}/sessions",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<SessionShown>)),
    security(("access_token" = ["user:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_READ]).await?;
    let user = call.path_part("user_id").parse().map_err(|_| DomainError::NotFound(Noun::User))?;
    let paging = Paging::read(&call, &caller)?;
    let found = verbs::sessions(&caller.ctx, user).await?;
    let page = paging.of_whole(&caller, found, |session| session.id.to_string(), SessionShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

/// Ends a session, its tokens with it.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/sessions/{session_id}",
    params(
        ("session_id" = String, Path, description = "`ses_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It has ended"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn end(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    let id = call.path_part("session_id").parse().map_err(|_| DomainError::NotFound(Noun::Session))?;
    verbs::end_session(&caller.ctx, &caller.powers, id).await?;
    Ok(HttpResponse::NoContent().finish())
}
