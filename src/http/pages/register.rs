//! `/register`: a new account. Whatever becomes of it, the next page says to look for mail.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::views::register::Register;
use super::views::{Errors, Frame};
use super::{Page, page, serve, too_many};
use crate::domain::{DomainError, Invalid, password_policy, registration};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;

/// Shows the form.
#[utoipa::path(get, path = "/register", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        if !registration::is_open(&visit.ctx) {
            return Err(DomainError::Forbidden("self-registration").into());
        }
        let goal = Goal::of_query(visit).await?;
        Ok(form(visit, &goal, goal.frame(visit), StatusCode::OK, ("", ""), &Errors::default()))
    })
    .await
}

/// The page with the name and address that were typed.
fn form(
    visit: &Visit<'_>,
    goal: &Goal,
    frame: Frame,
    status: StatusCode,
    (name, email): (&str, &str),
    errors: &Errors,
) -> HttpResponse {
    let least = password_policy::min_length(visit.ctx.core, &visit.ctx.tenant);
    page(status, &Register { frame, client: goal.client(), name, email, least, errors })
}

/// Makes the account.
#[utoipa::path(post, path = "/register", responses((status = 303)))]
pub(super) async fn register(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        make(visit, &goal, &fields).await
    })
    .await
}

async fn make(visit: &Visit<'_>, goal: &Goal, fields: &FormFields) -> Page {
    let (name, email) = (fields.text("name").trim(), fields.text("email").trim());
    let again = |frame, status, errors: &Errors| form(visit, goal, frame, status, (name, email), errors);
    let frame = goal.frame(visit);
    let mut errors = Errors::default();
    for field in ["name", "email", "password"] {
        if fields.text(field).trim().is_empty() {
            errors.push(field, frame.t.general.required);
        }
    }
    if !errors.is_empty() {
        return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
    }
    if let Err(limited) = visit.call.limit(Limit::SignUp) {
        return Ok(too_many(limited, frame, |frame, status| again(frame, status, &errors)));
    }
    match registration::register(&visit.ctx, email, Some(name), fields.text("password")).await {
        Ok(_) => Ok(goal.by_way_of(visit, "/verify-email")),
        Err(DomainError::Invalid(invalid)) => {
            let errors = said(&frame, &invalid);
            Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors))
        }
        Err(other) => Err(other.into()),
    }
}

/// What is wrong, in the reader's language.
pub(super) fn said(frame: &Frame, invalid: &Invalid) -> Errors {
    match (invalid.field, invalid.weakness) {
        ("password", Some(weakness)) => Errors::one("password", frame.t.password.of(weakness)),
        ("email", _) => Errors::one("email", frame.t.register.bad_email),
        _ => Errors::one("name", frame.t.profile.long),
    }
}
