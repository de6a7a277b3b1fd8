//! `POST /oauth/introspect` (RFC 7662).

use actix_web::HttpResponse;

use super::error::Problem;
use super::request::{Form, authorization};
use super::wire::{ErrorAnswer, IntrospectionAnswer, TokenReference};
use crate::http::call::Call;
use crate::protocol::oauth::introspect::{Introspected, introspect as look};

/// Says whether a token counts, and what it may be used for. A client learns only about tokens that
/// were issued to it or are meant for it.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    request_body(content = TokenReference, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What there is to know", body = IntrospectionAnswer),
        (status = 400, description = "RFC 6749 §5.2", body = ErrorAnswer),
        (status = 401, description = "invalid_client", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures from this address", body = ErrorAnswer),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security((), ("client_basic" = [])),
)]
pub(super) async fn introspect(call: Call) -> HttpResponse {
    answer(&call).await.unwrap_or_else(|problem| problem.answer(&call))
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let form = Form::read(call).await?;
    let params = form.params()?;
    let found = look(&form.ctx(call), authorization(call)?, &params).await?;
    Ok(HttpResponse::Ok().json(shape(&found)))
}

fn shape(found: &Introspected) -> IntrospectionAnswer<'_> {
    match found {
        Introspected::Inactive => IntrospectionAnswer::default(),
        Introspected::Access(token, now) => IntrospectionAnswer {
            active: true,
            scope: Some(token.scope.to_string()),
            client_id: Some(&token.claims.client_id),
            token_type: Some("Bearer"),
            exp: Some(token.claims.exp),
            iat: Some(token.claims.iat),
            sub: Some(&token.claims.sub),
            aud: Some(&token.claims.aud),
            iss: Some(&token.claims.iss),
            jti: Some(&token.claims.jti),
            tenant_id: Some(&token.claims.tenant_id),
            roles: Some(now.roles.as_slice()).filter(|roles| !roles.is_empty()),
            permissions: Some(now.permissions.as_slice()).filter(|codes| !codes.is_empty()),
            organization_id: now.organization.and(token.claims.organization_id.as_deref()),
            act: token.claims.act.as_ref(),
        },
        Introspected::Refresh { family, subject } => IntrospectionAnswer {
            active: true,
            scope: Some(family.scope.to_string()),
            client_id: Some(family.client.as_str()),
            exp: Some(family.expires_at.seconds()),
            iat: Some(family.rotated_at.seconds()),
            sub: Some(subject),
            ..IntrospectionAnswer::default()
        },
    }
}
