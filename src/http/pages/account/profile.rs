//! `/account/profile`: the standard claims.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame, done};
use crate::domain::account::{self, Said};
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::http::pages::views::account::{Profile, Section};
use crate::http::pages::views::{Errors, Frame};
use crate::http::pages::{page, serve};
use crate::model::profile;
use crate::model::text::{DisplayName, Username};
use crate::model::user::User;

/// The form's fields and their values.
type Values = Vec<(&'static str, String)>;

/// Shows it.
#[utoipa::path(get, path = "/account/profile", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let Owner { user, .. } = Owner::of(visit, Section::Profile).await?;
        let mut values: Values =
            profile::names().map(|name| (name, profile::get(&user.profile, name).to_owned())).collect();
        values.push(("name", user.name.clone().unwrap_or_default()));
        values.push(("username", user.username.clone().unwrap_or_default()));
        let frame = account_frame(visit, &[("saved", |frame| frame.t.account.saved)]);
        Ok(form(frame, StatusCode::OK, &user, &values, &Errors::default()))
    })
    .await
}

fn form(frame: Frame, status: StatusCode, user: &User, values: &Values, errors: &Errors) -> HttpResponse {
    let email = user.email.as_deref().map(|email| (email, user.email_verified));
    page(status, &Profile::new(frame, email, values, errors))
}

/// Writes it down.
#[utoipa::path(post, path = "/account/profile", responses((status = 303)))]
pub(in crate::http::pages) async fn save(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Profile).await?;
        let fields = visit.form().await?;
        let claims: Values = profile::names().map(|name| (name, fields.text(name).trim().to_owned())).collect();
        let (name, username) = (fields.text("name").trim(), fields.text("username").trim());
        let frame = super::super::frame(visit);
        let mut errors = Errors::default();
        if !name.is_empty() && name.parse::<DisplayName>().is_err() {
            errors.push("name", frame.t.profile.long);
        }
        for (claim, _) in claims.iter().filter(|(claim, value)| !profile::fits(claim, value)) {
            errors.push(claim, frame.t.profile.text_for_invalid(claim));
        }
        if username.is_empty() && owner.user.email.is_none() {
            errors.push("username", frame.t.general.required);
        } else if !username.is_empty() && username.parse::<Username>().is_err() {
            errors.push("username", frame.t.profile.bad_username);
        }
        if errors.is_empty() {
            let said = Said { name, username, claims: claims.clone() };
            match account::describe(&visit.ctx, owner.user.id, said).await {
                Ok(()) => return Ok(done(visit, Section::Profile, "saved")),
                Err(DomainError::Taken(Noun::Identifier)) => errors.push("username", frame.t.profile.taken),
                Err(other) => return Err(other.into()),
            }
        }
        let mut values = claims;
        values.extend([("name", name.to_owned()), ("username", username.to_owned())]);
        Ok(form(frame, StatusCode::UNPROCESSABLE_ENTITY, &owner.user, &values, &errors))
    })
    .await
}
