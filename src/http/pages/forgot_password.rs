//! `/forgot-password`: asks for a link by mail. The answer is the same for every address.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::views::Errors;
use super::views::mail::{CheckMail, ForgotPassword};
use super::{page, serve, too_many};
use crate::domain::recovery;
use crate::http::call::Call;
use crate::http::limit::Limit;

/// Shows the form; afterwards, says where the link is.
#[utoipa::path(get, path = "/forgot-password", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let (frame, errors) = (goal.frame(visit), Errors::default());
        if visit.call.query().text("done").ok().flatten() == Some("sent") {
            return Ok(page(StatusCode::OK, &CheckMail::to_recover(frame, &errors)));
        }
        Ok(page(StatusCode::OK, &ForgotPassword { frame, email: "", errors: &errors }))
    })
    .await
}

/// Asks for the link.
#[utoipa::path(post, path = "/forgot-password", responses((status = 303)))]
pub(super) async fn ask(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        let (email, frame) = (fields.text("email").trim(), goal.frame(visit));
        let again = |frame, status, errors: &Errors| page(status, &ForgotPassword { frame, email, errors });
        if email.is_empty() {
            let errors = Errors::one("email", frame.t.general.required);
            return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
        }
        if let Err(limited) = visit.call.limit(Limit::Mail) {
            return Ok(too_many(limited, frame, |frame, status| again(frame, status, &Errors::default())));
        }
        recovery::request(&visit.ctx, email).await?;
        Ok(visit.send(&frame.href_with("/forgot-password", "done", "sent")))
    })
    .await
}
