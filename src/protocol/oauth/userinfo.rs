//! The userinfo endpoint (OpenID Connect Core §5.3).

use serde_json::{Map, Value};

use super::claims::{self, OPENID};
use super::error::{ErrorCode, OAuthError};
use crate::domain::tokens::{self, Principal};
use crate::domain::{Ctx, DomainError, clients, users};
use crate::model::ids::ClientId;
use crate::model::signing_key::SigningAlg;

/// What is said about a person.
pub enum UserInfo {
    /// As JSON.
    Plain(Map<String, Value>),
    /// As a signed token (§5.3.2), for a client that registered for it.
    Signed(String),
}

fn invalid_token(cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, "The access token is not valid").because(cause)
}

/// Answers with what the access token may be used to learn.
///
/// # Errors
/// `invalid_token`; `insufficient_scope` for a token without `openid`; `temporarily_unavailable`.
pub async fn userinfo(ctx: &Ctx<'_>, token: &str) -> Result<UserInfo, OAuthError> {
    let verified = tokens::verify_under(ctx.core, &ctx.tenant, token).await.map_err(|error| match error {
        DomainError::NotAuthenticated(cause) => invalid_token(cause),
        other => other.into(),
    })?;
    if verified.tenant.tenant.id != ctx.tenant_id() {
        return Err(invalid_token("another tenant's"));
    }
    let Principal::User(id) = verified.principal else { return Err(invalid_token("not a person's")) };
    if !verified.scope.contains(OPENID) {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "The access token was not granted openid"));
    }
    let user = users::find(ctx, id).await.map_err(|error| match error {
        DomainError::NotFound(_) => invalid_token("person is gone"),
        other => other.into(),
    })?;
    let mut said = claims::of_scope(&user, &verified.scope);
    if let Some(family) = verified.claims.family.as_deref().and_then(|family| family.parse().ok()) {
        let wished = tokens::wishes(ctx, family).await?;
        said.extend(claims::wished(&user, &wished.userinfo));
    }
    said.insert("sub".to_owned(), Value::from(verified.claims.sub.clone()));
    let Some(alg) = registered(ctx, &verified.claims.client_id).await? else { return Ok(UserInfo::Plain(said)) };
    said.insert("iss".to_owned(), Value::from(ctx.tenant.issuer.as_str()));
    said.insert("aud".to_owned(), Value::from(verified.claims.client_id.as_str()));
    said.insert("iat".to_owned(), Value::from(ctx.now().seconds()));
    Ok(UserInfo::Signed(tokens::sign_for_client(ctx, alg, &said).await?))
}

/// How a client registered to have the answer signed. The sign-in of a face is no client, and a service that
/// acts for somebody of another tenant is none of theirs.
async fn registered(ctx: &Ctx<'_>, client: &str) -> Result<Option<SigningAlg>, DomainError> {
    let Ok(id) = client.parse::<ClientId>() else { return Ok(None) };
    match clients::live(ctx.core, ctx.tenant_id(), &id).await {
        Ok(client) => Ok(client.client.settings.userinfo_signed_response_alg),
        Err(DomainError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
