//! `/logout`: asks, and acts on the answer; also for a client that asked at the end-session endpoint.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::views::done::Done;
use super::views::logout::{Logout, SignedOut};
use super::{frame, page, serve, sign_in_name};
use crate::domain::users;
use crate::http::call::Call;
use crate::http::oauth::logout::{CARRIED, end};
use crate::protocol::oauth::Params;
use crate::protocol::oauth::logout::check;

/// Asks.
#[utoipa::path(get, path = "/logout", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let frame = frame(visit);
        let Some(session) = visit.any_session() else {
            return Ok(page(StatusCode::OK, &SignedOut { frame, next: None, frames: Vec::new() }));
        };
        let user = users::find(&visit.ctx, session.user).await?;
        let view = Logout { frame, client: None, account: sign_in_name(&user), carried: Vec::new() };
        Ok(page(StatusCode::OK, &view))
    })
    .await
}

/// Signs out, or stays.
#[utoipa::path(post, path = "/logout", responses((status = 200), (status = 303)))]
pub(super) async fn sign_out(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        if fields.get("action") != Some("sign-out") {
            let frame = frame(visit);
            let (t, next) = (&frame.t.logout, Some((frame.action("/account"), frame.t.account.title)));
            return Ok(page(StatusCode::OK, &Done { title: t.stayed, lead: "", next, frame }));
        }
        let carried = CARRIED.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(name)?.to_owned())));
        let request = check(&visit.ctx, &Params::of_pairs(carried.collect::<Vec<_>>())).await?;
        end(visit, &request).await
    })
    .await
}
