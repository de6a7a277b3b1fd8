//! `/account/recovery-codes`: how many are left, and new ones, shown once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame};
use crate::domain::factors::recovery_codes;
use crate::http::call::Call;
use crate::http::pages::views::Frame;
use crate::http::pages::views::account::{RecoveryCodes, RecoveryState, Section};
use crate::http::pages::{frame, page, serve};
use crate::model::secret::Secret;

/// Shows how many are left.
#[utoipa::path(get, path = "/account/recovery-codes", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Recovery).await?;
        let left = recovery_codes::left(&visit.ctx, owner.user.id).await?;
        let state = if owner.user.has_second_factor {
            RecoveryState::Left(usize::try_from(left).unwrap_or(usize::MAX))
        } else {
            RecoveryState::NoFactor
        };
        Ok(page(StatusCode::OK, &RecoveryCodes::new(account_frame(visit, &[]), state)))
    })
    .await
}

/// Makes new ones in the place of the old.
#[utoipa::path(post, path = "/account/recovery-codes", responses((status = 200)))]
pub(in crate::http::pages) async fn renew(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Recovery).await?;
        visit.form().await?;
        if !owner.user.has_second_factor {
            return Ok(visit.send(&frame(visit).action(Section::Recovery.path())));
        }
        let codes = recovery_codes::replace(&visit.ctx, owner.user.id).await?;
        Ok(page(StatusCode::OK, &RecoveryCodes::new(frame(visit), RecoveryState::Shown(&texts(&codes)))))
    })
    .await
}

/// The codes that came with a first factor, and a word about that.
pub(super) fn shown(frame: Frame, text: fn(&Frame) -> &'static str, codes: &[Secret<String>]) -> HttpResponse {
    let text = text(&frame);
    page(StatusCode::OK, &RecoveryCodes::new(frame.good(text), RecoveryState::Shown(&texts(codes))))
}

fn texts(codes: &[Secret<String>]) -> Vec<String> {
    codes.iter().map(|code| code.expose().clone()).collect()
}
