//! `/login/select-account`: go on as this one, or as somebody else?

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::views::login::{AccountView, SelectAccount};
use super::{login, page, serve, sign_in_name};
use crate::domain::users;
use crate::http::call::Call;
use crate::protocol::oauth::authorize;

/// Asks.
#[utoipa::path(get, path = "/login/select-account", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let Some(session) = visit.session() else { return Ok(goal.by_way_of(visit, "/login")) };
        let user = users::find(&visit.ctx, session.user).await?;
        let name = user.name.as_deref().unwrap_or_else(|| sign_in_name(&user));
        let detail = Some(sign_in_name(&user)).filter(|detail| *detail != name);
        let view =
            SelectAccount { frame: goal.frame(visit), client: goal.client(), account: AccountView { name, detail } };
        Ok(page(StatusCode::OK, &view))
    })
    .await
}

/// Goes on.
#[utoipa::path(post, path = "/login/select-account", responses((status = 303)))]
pub(super) async fn choose(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        match (fields.get("action"), visit.session(), &goal.pending) {
            (Some("cancel"), ..) => goal.given_up(visit).await,
            (Some("continue"), Some(session), Some(pending)) => {
                authorize::choose(&visit.ctx, pending, session).await?;
                Ok(goal.reached(visit))
            }
            _ => login::blank(visit, &goal).await,
        }
    })
    .await
}
