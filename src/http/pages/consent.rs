//! `/consent`: what a client asks for, in words, and whether it may.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::error::Problem;
use super::transaction::Goal;
use super::views::consent::{Consent, Want, claim};
use super::{page, serve, sign_in_name};
use crate::domain::users;
use crate::http::call::Call;
use crate::protocol::oauth::authorize;

/// Asks.
#[utoipa::path(get, path = "/consent", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let pending = goal.pending.as_ref().ok_or(Problem::Stale)?;
        let Some(session) = visit.session() else { return Ok(goal.reached(visit)) };
        let missing = authorize::missing(&visit.ctx, pending, session).await?;
        let user = users::find(&visit.ctx, session.user).await?;
        let (frame, request) = (goal.frame(visit), &pending.request);
        let wants = request.scope.iter().map(|scope| Want::of(frame.t, scope, !missing.scope.contains(scope)));
        let mut claims: Vec<&str> = missing.claims.iter().map(|name| claim(frame.t, name)).collect();
        claims.dedup();
        let uri = url::Url::parse(&request.target.redirect_uri).ok();
        let host = uri.as_ref().and_then(url::Url::host_str);
        let view = Consent {
            wants: wants.collect(),
            claims: claims.join(frame.t.general.comma),
            client: super::transaction::client_view(&request.client),
            account: sign_in_name(&user),
            // An app of the device's own has no host, and goes by its name.
            destination: host.unwrap_or(&request.client.client.name),
            frame,
        };
        Ok(page(StatusCode::OK, &view))
    })
    .await
}

/// Takes the answer.
#[utoipa::path(post, path = "/consent", responses((status = 303)))]
pub(super) async fn decide(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        let pending = goal.pending.as_ref().ok_or(Problem::Stale)?;
        match (fields.get("action"), visit.session()) {
            (Some("allow"), Some(session)) => {
                authorize::allow(&visit.ctx, pending, session).await?;
                Ok(goal.reached(visit))
            }
            (Some("deny"), _) => goal.given_up(visit).await,
            // Signed out meanwhile, or no answer: what has to happen next is found out anew.
            _ => Ok(goal.reached(visit)),
        }
    })
    .await
}
