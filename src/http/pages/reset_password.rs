//! `/reset-password`: the link in a mail sets a new password. Opening it changes nothing.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::verify_email::spent;
use super::views::done::Done;
use super::views::reset_password::ResetPassword;
use super::views::{Errors, Frame};
use super::{Page, frame, page, serve, sign_in_name, too_many};
use crate::domain::{DomainError, mail_links, password_policy, recovery};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::mail::LinkPurpose;
use crate::model::user::User;

/// Shows the form; afterwards, says that it is done.
#[utoipa::path(get, path = "/reset-password", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let (frame, query) = (frame(visit), visit.call.query());
        let text = |name| query.text(name).ok().flatten();
        if text("done").is_some() {
            let t = frame.t;
            let next = Some((frame.href("/login"), t.register.login));
            let view = Done { frame, title: t.password.reset_done, lead: t.verify.done_lead, next };
            return Ok(page(StatusCode::OK, &view));
        }
        let token = text("token").unwrap_or_default();
        let user = whose(visit, token).await?;
        Ok(form(visit, frame, StatusCode::OK, &user, token, &Errors::default()))
    })
    .await
}

async fn whose(visit: &Visit<'_>, token: &str) -> Result<User, super::error::Problem> {
    mail_links::peek(&visit.ctx, LinkPurpose::ResetPassword, token).await.map_err(spent)
}

fn form(
    visit: &Visit<'_>,
    frame: Frame,
    status: StatusCode,
    user: &User,
    token: &str,
    errors: &Errors,
) -> HttpResponse {
    let least = password_policy::min_length(visit.ctx.core, &visit.ctx.tenant);
    page(status, &ResetPassword { frame, account: sign_in_name(user), token, least, errors })
}

/// Sets the password.
#[utoipa::path(post, path = "/reset-password", responses((status = 303)))]
pub(super) async fn reset(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        set(visit, &fields).await
    })
    .await
}

async fn set(visit: &Visit<'_>, fields: &FormFields) -> Page {
    let (token, password, frame) = (fields.text("token"), fields.text("password"), frame(visit));
    let user = whose(visit, token).await?;
    let again = |frame, status, errors: &Errors| form(visit, frame, status, &user, token, errors);
    if password.is_empty() {
        let errors = Errors::one("password", frame.t.general.required);
        return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
    }
    if let Err(limited) = visit.call.limit(Limit::Login) {
        return Ok(too_many(limited, frame, |frame, status| again(frame, status, &Errors::default())));
    }
    match recovery::reset(&visit.ctx, token, password).await {
        Ok(_) => Ok(visit.send(&frame.href_with("/reset-password", "done", "changed"))),
        Err(DomainError::Invalid(invalid)) => {
            let weakness = invalid.weakness.map(|weakness| frame.t.password.of(weakness));
            let errors = Errors::one("password", weakness.unwrap_or_else(|| frame.t.password.weak.into()));
            Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors))
        }
        Err(other) => Err(spent(other)),
    }
}
