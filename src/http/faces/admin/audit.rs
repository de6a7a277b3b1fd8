//! `/api/admin/v1/audit`: who did what.

mod wire;

use actix_web::HttpResponse;

use super::caller::caller;
use super::error::Answer;
use super::paging::{Page, Paging};
use crate::domain::audit::{self, AuditFilter};
use crate::http::call::Call;
use crate::http::fields::FieldError;
use crate::http::query::Query;
use crate::model::permission::code;
use crate::model::time::Timestamp;
use wire::AuditShown;

/// What was done in a tenant, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/v1/audit",
    params(
        ("actor" = Option<String>, Query, description = "Who did it: `user:usr_…`, `client:svc_…`, `operator`"),
        ("action" = Option<String>, Query, description = "What: `user.sign_in`, `client.update`"),
        ("target" = Option<String>, Query, description = "To whom: `user:usr_…`"),
        ("request_id" = Option<String>, Query, description = "By which request: `X-Request-Id`, the support code of an error page"),
        ("outcome" = Option<String>, Query, description = "`success` or `failure`"),
        ("since" = Option<String>, Query, description = "Not before this RFC 3339 time"),
        ("until" = Option<String>, Query, description = "Before this RFC 3339 time"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<AuditShown>)),
    security(("access_token" = ["tenant:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::TENANT_READ]).await?;
    let query = call.query();
    let text = |name| query.text(name).map(|text| text.map(str::to_owned));
    let outcome = query.text("outcome")?.map(str::parse).transpose();
    let filter = AuditFilter {
        actor: text("actor")?,
        action: text("action")?,
        target: text("target")?,
        request_id: text("request_id")?,
        outcome: outcome.map_err(|_| FieldError::new("outcome", "must be success or failure"))?,
        since: moment(&query, "since")?,
        until: moment(&query, "until")?,
    };
    let paging = Paging::read(&call, &caller)?;
    let found = audit::list(&caller.ctx, &filter, paging.after(), paging.take()).await?;
    let page = paging.page(&caller, found, |(number, _)| number.to_string(), AuditShown::from)?;
    Ok(HttpResponse::Ok().json(page))
}

fn moment(query: &Query<'_>, name: &'static str) -> Result<Option<Timestamp>, FieldError> {
    // A plus sign that nobody escaped has become a space.
    let parse = |text: &str| Timestamp::parse_rfc3339(&text.replace(' ', "+"));
    let text = query.text(name)?;
    text.map(|text| parse(text).ok_or(FieldError::new(name, "must be an RFC 3339 time"))).transpose()
}
