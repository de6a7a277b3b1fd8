//! `/login/mfa`: the second factor.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::Goal;
use super::views::mfa::{Choice, SecondFactor};
use super::views::{Errors, Frame};
use super::{Page, page, serve, sign_in_name, too_many};
use crate::domain::sign_in::{self, Code};
use crate::domain::{DomainError, factors, logout, users};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::session::Session;
use crate::model::user::User;

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
        Ok(Asked::of(visit, session).await?.form(frame, StatusCode::OK, chosen, &Errors::default()))
    })
    .await
}

/// Whose second factor it is, and what they have.
struct Asked {
    user: User,
    factors: Choice,
}

impl Asked {
    async fn of(visit: &Visit<'_>, session: &Session) -> Result<Self, DomainError> {
        let has = factors::of(&visit.ctx, session.user).await?;
        let factors =
            Choice { totp: has.totp, passkey: !has.passkeys.is_empty(), recovery: has.recovery_codes_left > 0 };
        Ok(Self { user: users::find(&visit.ctx, session.user).await?, factors })
    }

    fn form(&self, frame: Frame, status: StatusCode, chosen: Option<&str>, errors: &Errors) -> HttpResponse {
        let (account, factors) = (sign_in_name(&self.user), self.factors);
        page(status, &SecondFactor { frame, account, method: factors.method(chosen), factors, errors })
    }
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
    let asked = Asked::of(visit, session).await?;
    let again = |frame, status, errors: &Errors| asked.form(frame, status, Some(method), errors);
    if typed.is_empty() {
        let errors = Errors::one("code", frame.t.general.required);
        return Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors));
    }
    if let Err(limited) = visit.call.limit(Limit::Codes) {
        return Ok(too_many(limited, frame, |frame, status| again(frame, status, &Errors::default())));
    }
    let code = if method == "recovery" { Code::Recovery(typed) } else { Code::Totp(typed) };
    match sign_in::with_code(&visit.ctx, session, code, fields.flag("trust"), &visit.browser()).await? {
        Some(entered) => {
            visit.enter(&entered);
            Ok(goal.reached(visit))
        }
        None => {
            let errors = Errors::one("code", frame.t.mfa.wrong);
            Ok(again(frame, StatusCode::UNPROCESSABLE_ENTITY, &errors))
        }
    }
}
