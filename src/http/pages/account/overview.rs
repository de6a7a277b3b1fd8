//! `/account`: everything at a glance.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame};
use crate::domain::{consents, factors, identities, sessions};
use crate::http::call::Call;
use crate::http::pages::views::account::{Overview, Section, Standing};
use crate::http::pages::{page, serve};

/// Shows it.
#[utoipa::path(get, path = "/account", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Overview).await?;
        let (ctx, user) = (&visit.ctx, &owner.user);
        let has = factors::of(ctx, user.id).await?;
        let standing = Standing {
            totp: has.totp,
            passkeys: has.passkeys.len(),
            recovery_codes: usize::try_from(has.recovery_codes_left).unwrap_or_default(),
            sign_ins: identities::of_user(ctx, user.id).await?.len(),
            sessions: sessions::of_user(ctx, user.id).await?.len(),
            applications: consents::of_user(ctx, user.id).await?.len(),
            email: owner.name().to_owned(),
        };
        let name = user.name.as_deref().unwrap_or_else(|| owner.name());
        Ok(page(StatusCode::OK, &Overview::new(account_frame(visit, &[]), name, standing)))
    })
    .await
}
