//! `/account/totp`: the authenticator app, set up with a picture and a first code.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::recovery_codes::shown;
use super::{Owner, account_frame, done};
use crate::domain::factors::totp;
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::pages::views::account::{Section, Totp, TotpState};
use crate::http::pages::views::{Errors, Frame};
use crate::http::pages::{Page, frame, page, qr, serve};
use crate::model::session::Factor;

/// Shows how far it is.
#[utoipa::path(get, path = "/account/totp", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Totp).await?;
        let frame = account_frame(visit, &[("on", |frame| frame.t.totp.done), ("off", |frame| frame.t.totp.removed)]);
        state(visit, frame, StatusCode::OK, &owner, &Errors::default()).await
    })
    .await
}

async fn state(visit: &Visit<'_>, frame: Frame, status: StatusCode, owner: &Owner<'_>, errors: &Errors) -> Page {
    let since = totp::since(&visit.ctx, owner.user.id).await?;
    let pending = if since.is_none() { totp::pending(&visit.ctx, &owner.user).await? } else { None };
    let picture = pending.as_ref().and_then(|pending| qr::svg(pending.uri.expose())).unwrap_or_default();
    let state = match &pending {
        Some(pending) => {
            TotpState::Enrolling { qr: &picture, secret: pending.secret.expose(), uri: pending.uri.expose() }
        }
        None if since.is_some() => TotpState::On(since),
        None => TotpState::Off,
    };
    Ok(page(status, &Totp::new(frame, state, errors)))
}

/// Begins, confirms or removes it.
#[utoipa::path(post, path = "/account/totp", responses((status = 303)))]
pub(in crate::http::pages) async fn change(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Totp).await?;
        let fields = visit.form().await?;
        match fields.get("action") {
            Some("begin") => {
                if totp::since(&visit.ctx, owner.user.id).await?.is_none() {
                    totp::begin(&visit.ctx, &owner.user).await?;
                }
                Ok(visit.send(&frame(visit).action(Section::Totp.path())))
            }
            Some("remove") => {
                totp::remove(&visit.ctx, owner.user.id).await?;
                Ok(done(visit, Section::Totp, "off"))
            }
            _ => confirm(visit, &owner, fields.text("code")).await,
        }
    })
    .await
}

async fn confirm(visit: &Visit<'_>, owner: &Owner<'_>, code: &str) -> Page {
    visit.call.limit(Limit::Codes)?;
    match totp::confirm(&visit.ctx, owner.user.id, code).await? {
        Some(enrolled) => {
            owner.enrolled(visit, Factor::Totp).await?;
            Ok(match enrolled.recovery_codes {
                Some(codes) => shown(frame(visit), |frame| frame.t.totp.done, &codes),
                None => done(visit, Section::Totp, "on"),
            })
        }
        None => {
            let frame = frame(visit);
            let text = if code.trim().is_empty() { frame.t.general.required } else { frame.t.totp.wrong };
            state(visit, frame, StatusCode::UNPROCESSABLE_ENTITY, owner, &Errors::one("code", text)).await
        }
    }
}
