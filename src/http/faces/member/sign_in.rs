//! `/auth/login`.

use actix_web::HttpResponse;

use super::wire::{MemberLogin, MemberToken};
use crate::domain::{authn, tenants, tokens};
use crate::http::call::Call;
use crate::http::faces::handoff::error::{Answer, BodyRefusals, DetailBody, Error};
use crate::http::fields::Body as _;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::scope::OAuthScope;

/// What the token of a sign-in may be used for.
const SCOPE: [&str; 3] = ["openid", "profile", "email"];

/// Signs a member in.
#[utoipa::path(
    post,
    path = "/auth/login",
    request_body = MemberLogin,
    responses(
        (status = 200, description = "Signed in", body = MemberToken),
        (status = 401, description = "`invalid_username_or_password`, whatever was wrong", body = DetailBody),
        (status = 403, description = "`mfa_required`", body = DetailBody),
        (status = 429, description = "`rate_limited`", body = DetailBody),
        (status = 503, description = "Try again after Retry-After seconds", body = DetailBody),
        BodyRefusals,
    ),
)]
pub(super) async fn login(call: Call) -> Answer {
    let ctx = call.ctx(tenants::default(call.core()).await?, Actor::Anonymous);
    let wish = MemberLogin::read(&mut call.json().await?)?;
    call.limit(Limit::Login)?;
    let proof = authn::password(&ctx, &wish.username, &wish.password, None).await.map_err(Error::sign_in)?;
    let (scope, lifetime) = (OAuthScope::from_tokens(SCOPE), call.core().config.tokens.access);
    let (_, issued) = tokens::for_sign_in(&ctx, proof, scope, lifetime).await.map_err(Error::sign_in)?;
    Ok(HttpResponse::Ok().json(MemberToken {
        access_token: &issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in.as_secs(),
        scope: issued.scope.to_string(),
    }))
}
