//! The token endpoint (RFC 6749 §3.2): phases that every grant goes through, and one file a grant.

mod client_credentials;
mod password;
mod refresh_token;

use super::client_auth::{self, AuthenticatedClient};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::Ctx;
use crate::domain::tokens::Issued;
use crate::model::audit::Actor;
use crate::model::client::GrantType;
use crate::model::secret::Secret;

/// What a grant came to.
pub struct Granted {
    /// The access token.
    pub access: Issued,
    /// The refresh token, if one goes with it.
    pub refresh: Option<Secret<String>>,
}

/// Answers a token request: first the client, then whether it may use the grant, then the grant.
///
/// # Errors
/// RFC 6749 §5.2.
pub async fn issue(ctx: &Ctx<'_>, authorization: Option<&str>, params: &Params<'_>) -> Result<Granted, OAuthError> {
    // RFC 6749 §3.2.1: the client, before anything about the grant is said
    let client = client_auth::authenticate(ctx, authorization, params).await?;
    // RFC 6749 §5.2: a grant type that is missing, unknown, or not this client's
    let grant = grant_type(params, &client)?;
    let ctx = ctx.clone().by(Actor::Client(client.client.id.clone()));
    match grant {
        GrantType::ClientCredentials => client_credentials::grant(&ctx, &client, params).await,
        GrantType::RefreshToken => refresh_token::grant(&ctx, &client, params).await,
        GrantType::Password => password::grant(&ctx, &client, params).await,
        _ => Err(unsupported()),
    }
}

/// The grant types that this endpoint answers, for the metadata.
pub const SUPPORTED: &[GrantType] = &[GrantType::ClientCredentials, GrantType::RefreshToken, GrantType::Password];

fn unsupported() -> OAuthError {
    OAuthError::new(ErrorCode::UnsupportedGrantType, "This grant_type is not supported")
}

fn grant_type(params: &Params<'_>, client: &AuthenticatedClient) -> Result<GrantType, OAuthError> {
    let grant: GrantType = params.require("grant_type")?.parse().map_err(|_| unsupported())?;
    if !SUPPORTED.contains(&grant) {
        return Err(unsupported());
    }
    if !client.client.may_use(grant) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            format!("This client is not registered for grant_type {grant}"),
        ));
    }
    Ok(grant)
}

/// The audience that was asked for (RFC 8707 §2), if the client may name it.
fn audience(ctx: &Ctx<'_>, params: &Params<'_>, client: &AuthenticatedClient) -> Result<Option<String>, OAuthError> {
    let mut wanted = params.all("resource");
    let Some(resource) = wanted.next() else { return Ok(None) };
    if wanted.next().is_some() {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "One resource at a time"));
    }
    let known = resource == ctx.tenant.issuer
        || client.client.default_audience.as_deref() == Some(resource)
        || client.client.audiences.iter().any(|audience| audience == resource);
    if known {
        Ok(Some(resource.to_owned()))
    } else {
        Err(OAuthError::new(ErrorCode::InvalidTarget, "This client may not name this resource"))
    }
}
