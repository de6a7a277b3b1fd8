//! `/account/delete`: the end of an account, once its name has been typed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame};
use crate::domain::{DomainError, account};
use crate::http::call::Call;
use crate::http::pages::views::Errors;
use crate::http::pages::views::account::{Delete, Section};
use crate::http::pages::views::done::Done;
use crate::http::pages::{frame, page, serve};

/// Asks.
#[utoipa::path(get, path = "/account/delete", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Delete).await?;
        Ok(page(StatusCode::OK, &Delete::new(account_frame(visit, &[]), owner.name(), "", &Errors::default())))
    })
    .await
}

/// Deletes it.
#[utoipa::path(post, path = "/account/delete", responses((status = 200)))]
pub(in crate::http::pages) async fn delete(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Delete).await?;
        let fields = visit.form().await?;
        let (word, typed) = (owner.name(), fields.text("confirm").trim());
        if typed != word {
            let frame = frame(visit);
            let errors = Errors::one("confirm", (frame.t.delete.wrong)(word));
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &Delete::new(frame, word, typed, &errors)));
        }
        let frame = frame(visit);
        match account::delete(&visit.ctx, owner.user.id).await {
            Ok(()) => visit.leave(),
            Err(DomainError::Conflict(_)) => {
                let why = frame.t.delete.last_owner;
                return Ok(page(StatusCode::CONFLICT, &Delete::new(frame.bad(why), word, typed, &Errors::default())));
            }
            Err(other) => return Err(other.into()),
        }
        let t = &frame.t.delete;
        Ok(page(StatusCode::OK, &Done { title: t.done, lead: t.done_lead, next: None, frame }))
    })
    .await
}
