//! `/account/sign-ins`: accounts of elsewhere that one signs in with.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame, done};
use crate::crypto::digest::{from_hex, hex};
use crate::domain::upstream_logins::Errand;
use crate::domain::{DomainError, Noun, connections, identities};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::pages::error::Problem;
use crate::http::pages::upstream::{Ways, target};
use crate::http::pages::views::Frame;
use crate::http::pages::views::account::{OfferView, Section, SignInView, SignIns};
use crate::http::pages::{Page, page, serve};
use crate::protocol::upstream::{self, Refused};

/// Shows them.
#[utoipa::path(get, path = "/account/sign-ins", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::SignIns).await?;
        let said = [
            ("linked", (|frame| frame.t.sign_ins.linked) as fn(&Frame) -> &'static str),
            ("unlinked", |frame| frame.t.sign_ins.unlinked),
        ];
        let mut frame = account_frame(visit, &said);
        if call.query().text("done").ok().flatten() == Some("taken") {
            let text = frame.t.sign_ins.taken;
            frame = frame.bad(text);
        }
        list(visit, &owner, frame, StatusCode::OK).await
    })
    .await
}

async fn list(visit: &Visit<'_>, owner: &Owner<'_>, mut frame: Frame, status: StatusCode) -> Page {
    let (all, ways) = (connections::list(&visit.ctx).await?, Ways::of(&visit.ctx).await?);
    let name = |id| all.iter().find(|connection| connection.id == id).map(|connection| connection.name.clone());
    let linked = identities::of_user(&visit.ctx, owner.user.id).await?;
    let offers = identities::offers(&visit.ctx, &visit.browser().digest).await?;
    let others: Vec<_> = ways.offered().filter(|way| linked.iter().all(|one| one.connection != way.id)).collect();
    for target in others.iter().filter_map(|way| target(way)) {
        frame = frame.leading_to(&target);
    }
    let others: Vec<_> = others.iter().map(|way| (way.id.to_string(), way.name.clone())).collect();
    let linked: Vec<_> = linked
        .into_iter()
        .map(|one| SignInView {
            connection: one.connection.to_string(),
            name: name(one.connection).unwrap_or_default(),
            subject: one.subject,
            since: one.created_at,
            used: one.used_at,
        })
        .collect();
    let offers: Vec<_> = offers
        .into_iter()
        .filter_map(|offer| {
            let label = offer.label.unwrap_or(offer.subject);
            Some(OfferView { id: hex(&offer.digest), name: name(offer.connection)?, label })
        })
        .collect();
    Ok(page(status, &SignIns::new(frame, &linked, &offers, &others)))
}

/// Links or unlinks one.
#[utoipa::path(post, path = "/account/sign-ins", responses((status = 303)))]
pub(in crate::http::pages) async fn change(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::recent(visit, Section::SignIns).await?;
        let fields = visit.form().await?;
        match fields.get("action") {
            Some("accept") => accept(visit, &owner, &fields).await,
            Some("link") => set_out(visit, &owner, &fields).await,
            Some("unlink") => unlink(visit, &owner, &fields).await,
            _ => Ok(visit.go(Section::SignIns.path())),
        }
    })
    .await
}

/// Links what was offered in this browser.
async fn accept(visit: &Visit<'_>, owner: &Owner<'_>, fields: &FormFields) -> Page {
    let offer = from_hex(fields.text("offer")).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let offer = offer.ok_or(DomainError::NotFound(Noun::Connection))?;
    match identities::accept(&visit.ctx, owner.user.id, &offer, &visit.browser().digest).await {
        Err(DomainError::Taken(_)) => Ok(done(visit, Section::SignIns, "taken")),
        other => other.map_err(Problem::from).map(|()| done(visit, Section::SignIns, "linked")),
    }
}

/// Sends the owner to a provider, to come back with what is to be linked.
async fn set_out(visit: &Visit<'_>, owner: &Owner<'_>, fields: &FormFields) -> Page {
    let connection = Ways::of(&visit.ctx).await?.named(fields.text("connection"))?;
    let errand = Errand { linking: Some(owner.user.id), ..Errand::default() };
    match upstream::begin(&visit.ctx, &connection, &visit.browser(), errand, false).await {
        Ok(address) => Ok(visit.send(&address)),
        Err(Refused::Domain(why)) => Err(why.into()),
        Err(_) => {
            let frame = account_frame(visit, &[]);
            let text = (frame.t.upstream.unreachable_lead)(&connection.name);
            list(visit, owner, frame.bad(text), StatusCode::SERVICE_UNAVAILABLE).await
        }
    }
}

async fn unlink(visit: &Visit<'_>, owner: &Owner<'_>, fields: &FormFields) -> Page {
    let connection = fields.text("connection").parse().map_err(|_| DomainError::NotFound(Noun::Connection))?;
    match identities::unlink(&visit.ctx, owner.user.id, connection, fields.text("subject")).await {
        Ok(()) => Ok(done(visit, Section::SignIns, "unlinked")),
        Err(DomainError::Conflict(_)) => {
            let frame = account_frame(visit, &[]);
            let text = frame.t.sign_ins.last;
            list(visit, owner, frame.bad(text), StatusCode::CONFLICT).await
        }
        Err(other) => Err(other.into()),
    }
}
