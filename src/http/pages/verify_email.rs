//! `/verify-email`: the link in a mail proves an address. Opening it changes nothing, since machines
//! open links too; and who has lost the mail gets another one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::error::Problem;
use super::transaction::Goal;
use super::views::Errors;
use super::views::done::Done;
use super::views::mail::{CheckMail, VerifyEmail};
use super::{Page, page, serve, too_many};
use crate::domain::{DomainError, mail_links, verification};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::mail::LinkPurpose;

/// Asks whether the address is right; without a link, says where it is.
#[utoipa::path(get, path = "/verify-email", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let (frame, query) = (goal.frame(visit), visit.call.query());
        let text = |name| query.text(name).ok().flatten();
        if let Some(token) = text("token") {
            let user = mail_links::peek(&visit.ctx, LinkPurpose::VerifyEmail, token).await.map_err(spent)?;
            let address = user.email.as_deref().unwrap_or_default();
            return Ok(page(StatusCode::OK, &VerifyEmail { frame, address, token }));
        }
        match text("done") {
            Some("confirmed") => {
                let t = frame.t;
                let next = Some((frame.href("/login"), t.register.login));
                Ok(page(StatusCode::OK, &Done { frame, title: t.verify.done, lead: t.verify.done_lead, next }))
            }
            Some("sent") => {
                let text = frame.t.verify.resent;
                Ok(page(StatusCode::OK, &CheckMail::to_verify(frame.good(text), "", &Errors::default())))
            }
            _ => Ok(page(StatusCode::OK, &CheckMail::to_verify(frame, "", &Errors::default()))),
        }
    })
    .await
}

/// A link that does not count, as the page says it.
pub(super) fn spent(error: DomainError) -> Problem {
    match error {
        DomainError::NotFound(_) => Problem::Link,
        other => other.into(),
    }
}

/// Proves the address, or sends the mail again.
#[utoipa::path(post, path = "/verify-email", responses((status = 303)))]
pub(super) async fn verify(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        if fields.get("action") == Some("resend") {
            return resend(visit, &goal, &fields).await;
        }
        verification::verify_email(&visit.ctx, fields.text("token")).await.map_err(spent)?;
        Ok(visit.send(&goal.frame(visit).href_with("/verify-email", "done", "confirmed")))
    })
    .await
}

async fn resend(visit: &Visit<'_>, goal: &Goal, fields: &FormFields) -> Page {
    let (email, frame) = (fields.text("email").trim(), goal.frame(visit));
    let again = |frame, status, errors: &Errors| page(status, &CheckMail::to_verify(frame, email, errors));
    if email.is_empty() {
        let errors = Errors::one("email", frame.t.general.required);
        return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
    }
    if let Err(limited) = visit.call.limit(Limit::Mail) {
        return Ok(too_many(limited, frame, |frame, status| again(frame, status, &Errors::default())));
    }
    verification::resend(&visit.ctx, email).await?;
    Ok(visit.send(&frame.href_with("/verify-email", "done", "sent")))
}
