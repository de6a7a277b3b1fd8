//! `/account/applications`: what one has allowed, and an end to it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame, done};
use crate::domain::{DomainError, clients, consents};
use crate::http::call::Call;
use crate::http::pages::views::account::{ApplicationView, Applications, Section};
use crate::http::pages::views::consent::{claim, words};
use crate::http::pages::{page, serve};

/// Shows them.
#[utoipa::path(get, path = "/account/applications", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Applications).await?;
        let frame = account_frame(visit, &[("removed", |frame| frame.t.applications.removed)]);
        let mut views = Vec::new();
        for consent in consents::of_user(&visit.ctx, owner.user.id).await? {
            let name = match clients::live(visit.ctx.core, visit.ctx.tenant_id(), &consent.client).await {
                Ok(client) => client.client.name.clone(),
                // One that is switched off is still there to be removed.
                Err(DomainError::NotFound(_)) => consent.client.to_string(),
                Err(other) => return Err(other.into()),
            };
            let scopes = consent.scope.iter().map(|scope| words(frame.t, scope));
            let claims = consent.claims.iter().map(|name| claim(frame.t, name).to_owned());
            views.push(ApplicationView {
                id: consent.client.to_string(),
                name,
                may: scopes.chain(claims).collect::<Vec<_>>().join(" · "),
                since: consent.first_at,
                used: consent.last_at,
            });
        }
        Ok(page(StatusCode::OK, &Applications::new(frame, &views)))
    })
    .await
}

/// Takes back what one was allowed.
#[utoipa::path(post, path = "/account/applications", responses((status = 303)))]
pub(in crate::http::pages) async fn remove(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Applications).await?;
        let fields = visit.form().await?;
        // What is no client's id was allowed nothing.
        if let Ok(client) = fields.text("client_id").parse() {
            consents::withdraw(&visit.ctx, owner.user.id, &client).await?;
        }
        Ok(done(visit, Section::Applications, "removed"))
    })
    .await
}
