//! `/api/v1/auth`: what a token is worth, whose it is, and the next one.

mod wire;

use actix_web::HttpResponse;

use super::error::{Answer, Error, RbacError};
use super::users::user_type;
use crate::domain::access::Powers;
use crate::domain::tokens::{self, Granted, Principal, Standing};
use crate::domain::{Ctx, DomainError, api_sign_in, tenants};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::fields::Body as _;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::time::Timestamp;
use wire::{AskedToken, CallingUser, NextTokens, TokenStanding, UseRefreshToken, WhoCalls};

/// A person or service as this face shows them: id and type.
async fn shown(ctx: &Ctx<'_>, principal: &Principal) -> Result<(String, &'static str), Error> {
    Ok(match principal {
        Principal::User(user) => (user.to_string(), user_type(ctx, *user).await?),
        Principal::Service(client) => (client.client.id.to_string(), "TENANT"),
    })
}

/// Says what a token is worth.
///
/// Of one that is not ours, was ended, or speaks for nobody any more, nothing else is said.
#[utoipa::path(
    post,
    path = "/api/v1/auth/validate-token",
    request_body = AskedToken,
    responses(
        (status = 200, description = "Whether it counts, or would if it were younger", body = TokenStanding),
    ),
)]
pub(super) async fn validate_token(call: Call) -> Answer {
    let wish = AskedToken::read(&mut call.json().await?)?;
    let standing = match tokens::standing(call.core(), &wish.token).await {
        Ok(standing) => told(&call, standing).await?,
        Err(DomainError::NotAuthenticated(_)) => TokenStanding::default(),
        Err(other) => return Err(other.into()),
    };
    Ok(HttpResponse::Ok().json(standing))
}

async fn told(call: &Call, standing: Standing) -> Result<TokenStanding, Error> {
    let Standing { tenant, claims, principal, is_expired } = standing;
    let ctx = call.ctx(tenant, Actor::Anonymous);
    let (user_id, user_type) = shown(&ctx, &principal).await?;
    Ok(TokenStanding {
        valid: !is_expired,
        expired: is_expired,
        expires_at: Some(Timestamp::from_seconds(claims.exp).rfc3339()),
        issued_at: Some(Timestamp::from_seconds(claims.iat).rfc3339()),
        user_id: Some(user_id),
        user_type: Some(user_type),
        time_until_expiry: Some((claims.exp - ctx.now().seconds()).max(0)),
    })
}

/// Says who calls; nobody, without a token that counts.
#[utoipa::path(
    get,
    path = "/api/v1/auth/user-info",
    responses((status = 200, description = "Whose the token is", body = WhoCalls)),
    security((), ("user_token" = []), ("service_token" = [])),
)]
pub(super) async fn user_info(call: Call) -> Answer {
    let Outcome::Verified(token) = verified::<Error>(&call).await? else {
        return Ok(HttpResponse::Ok().json(WhoCalls { authenticated: false, user: None }));
    };
    let powers = Powers::of(call.core(), &token).await?;
    let ctx = call.ctx(token.tenant, Actor::Anonymous);
    let (user_id, user_type) = shown(&ctx, &token.principal).await?;
    let user = CallingUser {
        user_id,
        user_type,
        subject: token.claims.sub,
        permissions: powers.permissions().map(str::to_owned).collect(),
        roles: powers.roles().to_vec(),
        expires_at: Timestamp::from_seconds(token.claims.exp).rfc3339(),
    };
    Ok(HttpResponse::Ok().json(WhoCalls { authenticated: true, user: Some(user) }))
}

/// Uses a refresh token of a client that keeps no secret (RFC 6749 §6).
///
/// It is used once: the next one goes with the answer, and the old one, should it come again, ends all of
/// them (RFC 9700 §4.14.2). One that was issued to a client with a secret is used at `/oauth/token`.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh-token",
    request_body = UseRefreshToken,
    responses(
        (status = 200, description = "New tokens", body = NextTokens),
        (status = 401, description = "`无效的访问令牌`", body = RbacError),
    ),
)]
pub(super) async fn refresh_token(call: Call) -> Answer {
    let wish = UseRefreshToken::read(&mut call.json().await?)?;
    let ctx = call.ctx(tenants::default(call.core()).await?, Actor::Anonymous);
    let Granted { access, refresh, .. } = match api_sign_in::refresh(&ctx, &wish.refresh_token).await {
        Err(DomainError::NotAuthenticated(_)) => {
            call.limit(Limit::TokenFailures)?;
            return Err(Error::unauthorized(Challenge::InvalidToken));
        }
        other => other?,
    };
    let refresh = refresh.ok_or_else(|| DomainError::Defect("renewed tokens without a refresh token".to_owned()))?;
    Ok(HttpResponse::Ok().json(NextTokens {
        access_token: &access.token,
        token_type: "bearer",
        expires_in: access.expires_in.as_secs(),
        refresh_token: refresh.expose(),
    }))
}
