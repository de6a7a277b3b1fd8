//! `/login/mfa`: the second factor.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::views::mfa::{Choice, SecondFactor};
use super::views::{Errors, Frame};
use super::{Page, page, serve, sign_in_name};
use crate::domain::sign_in::{self, Code};
use crate::domain::{factors, logout, users};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::shape;
use crate::model::session::Session;

/// Asks for it.
#[utoipa::path(get, path = "/login/mfa", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let Some(session) = visit.any_session() else { return Ok(goal.by_way_of(visit, "/login")) };
        if !session.second_factor_due && goal.pending.is_none() {
            return Ok(goal.reached(visit));
        }
        let query = call.query();
        let chosen = query.text("method").ok().flatten();
        let frame = goal.frame(visit);
        let frame = match chosen {
            Some("totp" | "recovery" | "passkey") => frame.keeping("method", chosen.unwrap_or_default()),
            _ => frame,
        };
        form(visit, frame, session, StatusCode::OK, chosen, &Errors::default()).await
    })
    .await
}

async fn form(
    visit: &Visit<'_>,
    frame: Frame,
    session: &Session,
    status: StatusCode,
    chosen: Option<&str>,
    errors: &Errors,
) -> Page {
    let user = users::find(&visit.ctx, session.user).await?;
    let has = factors::of(&visit.ctx, user.id).await?;
    let choice = Choice { totp: has.totp, passkey: !has.passkeys.is_empty(), recovery: has.recovery_codes_left > 0 };
    let method = choice.method(chosen);
    Ok(page(status, &SecondFactor { frame, account: sign_in_name(&user), method, factors: choice, errors }))
}

/// Takes it.
#[utoipa::path(post, path = "/login/mfa", responses((status = 303)))]
pub(super) async fn prove(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let goal = Goal::of_form(visit, &fields).await?;
        let Some(session) = visit.any_session() else { return Ok(goal.by_way_of(visit, "/login")) };
        if fields.get("action") == Some("another") {
            logout::sign_out(&visit.ctx, session).await?;
            visit.leave();
            return Ok(goal.by_way_of(visit, "/login"));
        }
        try_code(visit, &goal, session, &fields).await
    })
    .await
}

async fn try_code(visit: &Visit<'_>, goal: &Goal, session: &Session, fields: &FormFields) -> Page {
    let (method, typed, frame) = (fields.text("method"), fields.text("code").trim(), goal.frame(visit));
    if typed.is_empty() {
        let errors = Errors::one("code", frame.t.general.required);
        return form(visit, frame, session, StatusCode::UNPROCESSABLE_ENTITY, Some(method), &errors).await;
    }
    if let Err(limited) = visit.call.limit(Limit::Codes) {
        let text = frame.t.general.too_many;
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut answer = form(visit, frame.bad(text), session, status, Some(method), &Errors::default()).await?;
        shape::retry_after(answer.headers_mut(), limited.retry_after);
        return Ok(answer);
    }
    let code = if method == "recovery" { Code::Recovery(typed) } else { Code::Totp(typed) };
    match sign_in::with_code(&visit.ctx, session, code, fields.flag("trust"), &visit.browser()).await? {
        Some(entered) => {
            visit.enter(&entered);
            Ok(goal.reached(visit))
        }
        None => {
            let errors = Errors::one("code", frame.t.mfa.wrong);
            form(visit, frame, session, StatusCode::UNPROCESSABLE_ENTITY, Some(method), &errors).await
        }
    }
}
