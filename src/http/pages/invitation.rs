//! `/invitation`: the link in a mail leads into an organization. Opening it changes nothing; it takes an
//! account with the address that was asked, which can be made here.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::register::said;
use super::verify_email::spent;
use super::views::done::Done;
use super::views::invitation::{Guest, Invitation};
use super::views::{Errors, Frame};
use super::{Page, frame, page, serve, sign_in_name, too_many};
use crate::domain::invitations::{self, Invited};
use crate::domain::sign_in::{self, Arrival};
use crate::domain::{DomainError, logout, password_policy, registration, users};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;

/// Shows what it is; afterwards, says that it is done.
#[utoipa::path(get, path = "/invitation", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let query = visit.call.query();
        let text = |name| query.text(name).ok().flatten();
        if text("done").is_some() {
            let frame = frame(visit);
            let (t, next) = (&frame.t.invitation, Some((frame.href("/account"), frame.t.account.title)));
            return Ok(page(StatusCode::OK, &Done { title: t.done, lead: t.done_lead, next, frame }));
        }
        let token = text("token").unwrap_or_default();
        let invited = invitations::look(&visit.ctx, token).await.map_err(spent)?;
        open(visit, &invited, token).await
    })
    .await
}

/// The page for whoever looks at it.
async fn open(visit: &Visit<'_>, invited: &Invited, token: &str) -> Page {
    let frame = frame(visit).keeping("token", token);
    let Some(session) = visit.session() else {
        if invited.account.is_none() {
            return Ok(form(visit, invited, token, frame, StatusCode::OK, "", &Errors::default()));
        }
        let frame = frame.on_the_way_to(Some(&here(token)));
        let login = frame.href_with("/login", "login_hint", &invited.invitation.email);
        return Ok(shown(invited, token, frame, StatusCode::OK, Guest::SignedOut(login)));
    };
    let user = users::find(&visit.ctx, session.user).await?;
    let name = sign_in_name(&user);
    let guest = if invited.is_for(&user) { Guest::Welcome(name) } else { Guest::Other(name) };
    Ok(shown(invited, token, frame, StatusCode::OK, guest))
}

/// Its own address.
fn here(token: &str) -> String {
    format!("/invitation?token={token}")
}

fn shown(invited: &Invited, token: &str, frame: Frame, status: StatusCode, guest: Guest<'_>) -> HttpResponse {
    let (organization, address) = (&invited.organization.name, &invited.invitation.email);
    page(status, &Invitation { frame, organization, address, token, guest })
}

/// The page with a form for a new account.
fn form(
    visit: &Visit<'_>,
    invited: &Invited,
    token: &str,
    frame: Frame,
    status: StatusCode,
    name: &str,
    errors: &Errors,
) -> HttpResponse {
    let least = password_policy::min_length(visit.ctx.core, &visit.ctx.tenant);
    shown(invited, token, frame, status, Guest::New { name, least, errors })
}

/// Joins, makes an account, or signs out to be somebody else.
#[utoipa::path(post, path = "/invitation", responses((status = 303)))]
pub(super) async fn follow(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let token = fields.text("token");
        let again = |visit: &Visit<'_>| visit.send(&frame(visit).action(&here(token)));
        match (fields.get("action"), visit.session()) {
            (Some("accept"), Some(session)) => {
                invitations::accept(&visit.ctx, session.user, token).await.map_err(spent)?;
                Ok(visit.send(&frame(visit).href_with("/invitation", "done", "joined")))
            }
            (Some("switch"), Some(session)) => {
                logout::sign_out(&visit.ctx, session).await?;
                visit.leave();
                Ok(again(visit))
            }
            (Some("register"), None) => register(visit, token, &fields).await,
            // Who they are has changed since the page was shown.
            _ => Ok(again(visit)),
        }
    })
    .await
}

async fn register(visit: &Visit<'_>, token: &str, fields: &FormFields) -> Page {
    let invited = invitations::look(&visit.ctx, token).await.map_err(spent)?;
    let (name, password) = (fields.text("name").trim(), fields.text("password"));
    let frame = frame(visit).keeping("token", token);
    let again = |frame, status, errors: &Errors| form(visit, &invited, token, frame, status, name, errors);
    let mut errors = Errors::default();
    for field in ["name", "password"] {
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
    let back = visit.send(&frame.action(&here(token)));
    match registration::register_invited(&visit.ctx, token, name, password).await {
        Ok(()) => {}
        Err(DomainError::Invalid(invalid)) => {
            let errors = said(&frame, &invalid);
            return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
        }
        // Somebody made the account meanwhile: the page says to sign in.
        Err(DomainError::Taken(_)) => return Ok(back),
        Err(other) => return Err(spent(other)),
    }
    let email = &invited.invitation.email;
    let arrival = sign_in::with_password(&visit.ctx, email, password, false, &visit.browser(), None).await;
    if let Ok(Arrival::Entered(entered)) = arrival {
        visit.enter(&entered);
    }
    Ok(back)
}
