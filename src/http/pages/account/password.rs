//! `/account/password`: another password in the place of the present one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame, done};
use crate::domain::{DomainError, password_policy, passwords};
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::pages::views::account::{Password, Section};
use crate::http::pages::views::{Errors, Frame};
use crate::http::pages::{page, serve, too_many};

/// Shows the form.
#[utoipa::path(get, path = "/account/password", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Password).await?;
        let frame = account_frame(visit, &[("changed", |frame| frame.t.password.done)]);
        Ok(form(visit, frame, StatusCode::OK, &owner, &Errors::default()))
    })
    .await
}

fn form(visit: &Visit<'_>, frame: Frame, status: StatusCode, owner: &Owner<'_>, errors: &Errors) -> HttpResponse {
    let least = password_policy::min_length(visit.ctx.core, &visit.ctx.tenant);
    let has_password = owner.user.password_hash.is_some();
    page(status, &Password::new(frame, owner.name(), has_password, least, errors))
}

/// Changes it.
#[utoipa::path(post, path = "/account/password", responses((status = 303)))]
pub(in crate::http::pages) async fn change(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Password).await?;
        let fields = visit.form().await?;
        let (current, new, frame) = (fields.text("current"), fields.text("password"), super::super::frame(visit));
        let again = |frame, status, errors| Ok(form(visit, frame, status, &owner, &errors));
        if new.is_empty() {
            let errors = Errors::one("password", frame.t.general.required);
            return again(frame, StatusCode::UNPROCESSABLE_ENTITY, errors);
        }
        if let Err(limited) = visit.call.limit(Limit::Login) {
            let form = |frame, status| form(visit, frame, status, &owner, &Errors::default());
            return Ok(too_many(limited, frame, form));
        }
        let outcome = passwords::change(&visit.ctx, owner.user.id, current, new, Some(owner.session.id)).await;
        match outcome {
            Ok(()) => Ok(done(visit, Section::Password, "changed")),
            Err(DomainError::Invalid(invalid)) => {
                let errors = match (invalid.field, invalid.weakness) {
                    ("current", _) => Errors::one("current", frame.t.password.wrong),
                    (_, Some(weakness)) => Errors::one("password", frame.t.password.of(weakness)),
                    _ => Errors::one("password", frame.t.password.weak),
                };
                again(frame, StatusCode::UNPROCESSABLE_ENTITY, errors)
            }
            Err(other) => Err(other.into()),
        }
    })
    .await
}
