//! `/login`: identifier and password. Who is signed in already only confirms that it is them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::upstream::{self, Ways};
use super::views::login::Login;
use super::views::{Errors, Frame};
use super::{Page, page, serve, sign_in_name, too_many};
use crate::domain::sign_in::{self, Arrival};
use crate::domain::{DomainError, registration, users};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::shape;
use crate::model::user::User;

/// What the form is shown with.
#[derive(Default)]
struct Shown<'a> {
    /// The only account that will do.
    account: Option<&'a str>,
    identifier: &'a str,
    remember: bool,
    /// Whether the name was typed, and leads nowhere else.
    named: bool,
    /// Whether nobody shall be sent elsewhere for their address: the way in when all others are down.
    local: bool,
    errors: Errors,
}

/// Asks who it is.
#[utoipa::path(get, path = "/login", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        if visit.session().is_some() && !goal.is_some() {
            return Ok(goal.reached(visit));
        }
        let (known, ways) = (known(visit, &goal).await?, Ways::of(&visit.ctx).await?);
        let local = call.query().text("local").ok().flatten().is_some();
        let hint = goal.pending.as_ref().and_then(|pending| pending.request.login_hint.clone());
        // A page of ours that leads here may know whom it is for.
        let query = visit.call.query();
        let hint = hint.or_else(|| query.text("login_hint").ok().flatten().map(str::to_owned)).unwrap_or_default();
        let shown = Shown { account: known.as_ref().map(sign_in_name), identifier: &hint, local, ..Shown::default() };
        let frame = goal.frame(visit);
        let frame = if local { frame.keeping("local", "1") } else { frame };
        Ok(form(visit, &goal, &ways, frame, StatusCode::OK, &shown))
    })
    .await
}

/// Who is signed in, if only they will do.
async fn known(visit: &Visit<'_>, goal: &Goal) -> Result<Option<User>, DomainError> {
    let wanted = goal.pending.as_ref().and_then(|pending| pending.request.person);
    match visit.session().filter(|session| wanted.is_none_or(|wanted| wanted == session.user)) {
        Some(session) => users::find(&visit.ctx, session.user).await.map(Some),
        None => Ok(None),
    }
}

/// The page, for whoever is not signed in or wants to be somebody else.
pub(super) async fn blank(visit: &Visit<'_>, goal: &Goal) -> Page {
    let ways = Ways::of(&visit.ctx).await?;
    Ok(form(visit, goal, &ways, goal.frame(visit), StatusCode::OK, &Shown::default()))
}

fn form(
    visit: &Visit<'_>,
    goal: &Goal,
    ways: &Ways,
    frame: Frame,
    status: StatusCode,
    shown: &Shown<'_>,
) -> HttpResponse {
    let frame = ways.targets().fold(frame, |frame, target| frame.leading_to(&target));
    let connections: Vec<_> = ways.offered().map(|way| (frame.href(&upstream::path(way)), way.name.clone())).collect();
    let view = Login {
        frame,
        client: goal.client(),
        account: shown.account,
        identifier: shown.identifier,
        remember: shown.remember,
        registration: registration::is_open(&visit.ctx),
        connections: &connections,
        asks_password: shown.named || shown.local || shown.account.is_some() || !ways.routes(),
        local: shown.local,
        errors: &shown.errors,
    };
    page(status, &view)
}

/// Signs in.
#[utoipa::path(post, path = "/login", responses((status = 303)))]
pub(super) async fn sign_in(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        match fields.get("action") {
            Some("cancel") => goal.given_up(visit).await,
            Some("another") => blank(visit, &goal).await,
            _ => try_password(visit, &goal, &fields).await,
        }
    })
    .await
}

async fn try_password(visit: &Visit<'_>, goal: &Goal, fields: &FormFields) -> Page {
    let (identifier, password, remember) =
        (fields.text("identifier").trim(), fields.text("password"), fields.flag("remember"));
    // What was asked before is asked again: only they, or anybody.
    let known = known(visit, goal).await?;
    let account = known.as_ref().map(sign_in_name).filter(|name| *name == identifier);
    let (ways, local) = (Ways::of(&visit.ctx).await?, fields.flag("local"));
    let again = |frame: Frame, status, errors| {
        let shown = Shown { account, identifier, remember, named: true, local, errors };
        form(visit, goal, &ways, frame, status, &shown)
    };
    let frame = goal.frame(visit);
    if password.is_empty() && !local && account.is_none() {
        if let Some(elsewhere) = ways.of_address(identifier) {
            return Ok(visit.send(&frame.href(&upstream::path(elsewhere))));
        }
        if fields.get("step") == Some("name") && !identifier.is_empty() {
            return Ok(again(frame, StatusCode::OK, Errors::default()));
        }
    }
    let mut errors = Errors::default();
    for (field, text) in [("identifier", identifier), ("password", password)] {
        if text.is_empty() {
            errors.push(field, frame.t.general.required);
        }
    }
    if !errors.is_empty() {
        return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, errors));
    }
    if let Err(limited) = visit.call.limit(Limit::Login) {
        return Ok(too_many(limited, frame, |frame, status| again(frame, status, errors)));
    }
    let (browser, prior) = (visit.browser(), visit.any_session());
    match sign_in::with_password(&visit.ctx, identifier, password, remember, &browser, prior).await {
        Ok(Arrival::Entered(entered)) => {
            visit.enter(&entered);
            if entered.session.second_factor_due {
                return Ok(goal.by_way_of(visit, "/login/mfa"));
            }
            Ok(goal.reached(visit))
        }
        Ok(Arrival::VerificationDue(_)) => Ok(goal.by_way_of(visit, "/verify-email")),
        // One text and one status for every cause: nobody learns which names exist.
        Err(DomainError::NotAuthenticated(_)) => {
            let text = frame.t.login.wrong;
            Ok(again(frame.bad(text), StatusCode::UNPROCESSABLE_ENTITY, errors))
        }
        Err(DomainError::Busy { retry_after }) => {
            let text = frame.t.general.busy;
            let mut answer = again(frame.bad(text), StatusCode::SERVICE_UNAVAILABLE, errors);
            shape::retry_after(answer.headers_mut(), retry_after);
            Ok(answer)
        }
        Err(other) => Err(other.into()),
    }
}
