//! `/account/passkeys`: which there are; one more, another name, one less.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use super::recovery_codes::shown;
use super::sessions::browser;
use super::{Owner, account_frame, done};
use crate::crypto::digest::{base64url, from_base64url};
use crate::domain::DomainError;
use crate::domain::factors::passkeys;
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::pages::views::Frame;
use crate::http::pages::views::account::{PasskeyView, Passkeys, Section};
use crate::http::pages::{Page, frame, page, passkey_json, serve};
use crate::model::session::Factor;

/// Shows them.
#[utoipa::path(get, path = "/account/passkeys", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Passkeys).await?;
        let frame = account_frame(
            visit,
            &[
                ("added", |frame| frame.t.passkeys.done),
                ("renamed", |frame| frame.t.passkeys.renamed),
                ("removed", |frame| frame.t.passkeys.removed),
            ],
        );
        list(visit, frame, StatusCode::OK, &owner).await
    })
    .await
}

async fn list(visit: &Visit<'_>, frame: Frame, status: StatusCode, owner: &Owner<'_>) -> Page {
    let all = passkeys::list(&visit.ctx, owner.user.id).await?;
    let views: Vec<PasskeyView> = all
        .into_iter()
        .map(|passkey| PasskeyView {
            id: base64url(&passkey.credential_id),
            name: passkey.name,
            added_at: passkey.created_at,
            used_at: passkey.last_used_at,
        })
        .collect();
    Ok(page(status, &Passkeys::new(frame, &views)))
}

/// Asks the browser for a new one: what `navigator.credentials.create` takes.
#[utoipa::path(post, path = "/account/passkeys/options", responses((status = 200)))]
pub(in crate::http::pages) async fn options(call: Call) -> HttpResponse {
    passkey_json::answer(&call, async |visit, _| {
        let owner = Owner::recent(visit, Section::Passkeys).await?;
        Ok(passkeys::begin_registration(&visit.ctx, &owner.user, visit.browser().digest).await?)
    })
    .await
}

/// Adds, renames or removes one.
#[utoipa::path(post, path = "/account/passkeys", responses((status = 303)))]
pub(in crate::http::pages) async fn change(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::Passkeys).await?;
        let fields = visit.form().await?;
        let id = from_base64url(fields.text("id")).unwrap_or_default();
        let (outcome, word) = match fields.get("action") {
            Some("add") => return add(visit, &owner, &fields).await,
            Some("rename") => (passkeys::rename(&visit.ctx, owner.user.id, &id, fields.text("name")).await, "renamed"),
            Some("remove") => (passkeys::remove(&visit.ctx, owner.user.id, &id).await, "removed"),
            _ => return Ok(visit.send(&frame(visit).action(Section::Passkeys.path()))),
        };
        match outcome {
            Ok(()) => Ok(done(visit, Section::Passkeys, word)),
            // One that is gone meanwhile stays so; one that would have no name keeps the one it has.
            Err(DomainError::NotFound(_) | DomainError::Invalid(_)) => {
                Ok(visit.send(&frame(visit).action(Section::Passkeys.path())))
            }
            Err(other) => Err(other.into()),
        }
    })
    .await
}

async fn add(visit: &Visit<'_>, owner: &Owner<'_>, fields: &FormFields) -> Page {
    let frame = frame(visit);
    let agent = visit.call.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let name = fields.get("name").map_or_else(|| browser(&frame.t.sessions, agent), str::to_owned);
    let answer = serde_json::from_str(fields.text("credential")).unwrap_or_default();
    let digest = visit.browser().digest;
    match passkeys::finish_registration(&visit.ctx, owner.user.id, digest, &name, answer).await {
        Ok(enrolled) => {
            owner.enrolled(visit, Factor::VerifiedPasskey).await?;
            Ok(match enrolled.recovery_codes {
                Some(codes) => shown(super::super::frame(visit), |frame| frame.t.passkeys.done, &codes),
                None => done(visit, Section::Passkeys, "added"),
            })
        }
        Err(DomainError::Invalid(_) | DomainError::Taken(_)) => {
            let text = frame.t.passkeys.failed;
            list(visit, frame.bad(text), StatusCode::UNPROCESSABLE_ENTITY, owner).await
        }
        Err(other) => Err(other.into()),
    }
}
