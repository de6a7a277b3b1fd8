//! The token endpoint (RFC 6749 §3.2): phases that every grant goes through, and one file a grant.

mod authorization_code;
mod client_credentials;
mod device_code;
mod password;
mod refresh_token;
mod token_exchange;

use super::claims;
use super::client_auth::{self, AuthenticatedClient};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::Ctx;
use crate::domain::clients::LiveClient;
use crate::domain::tokens::{self, IdToken, Issued};
use crate::model::audit::Actor;
use crate::model::authorization::SignIn;
use crate::model::client::GrantType;
use crate::model::secret::Secret;

/// What a grant came to.
pub struct Granted {
    /// The access token.
    pub access: Issued,
    /// The refresh token, if one goes with it.
    pub refresh: Option<Secret<String>>,
    /// The ID token, if a person signed in with `openid` (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<String>,
    /// What kind of token it is, where that was asked for (RFC 8693 §2.2.1).
    pub issued_token_type: Option<&'static str>,
}

impl Granted {
    /// An access token alone.
    const fn access(access: Issued) -> Self {
        Self { access, refresh: None, id_token: None, issued_token_type: None }
    }
}

/// The tokens of an authorization, with an ID token if it is one of OpenID Connect.
async fn granted(ctx: &Ctx<'_>, client: &AuthenticatedClient, tokens: tokens::Granted) -> Result<Granted, OAuthError> {
    let tokens::Granted { access, refresh, user, family, nonce } = tokens;
    let id_token = if family.scope.contains(claims::OPENID) {
        let sign_in = SignIn { session: family.session, auth_time: family.auth_time, amr: family.amr, acr: family.acr };
        let wanted = IdToken {
            user: user.id,
            sign_in: &sign_in,
            nonce: nonce.as_deref(),
            access_token: Some(&access.token),
            code: None,
            claims: claims::wished(&user, &family.claims.id_token),
        };
        Some(tokens::id_token(ctx, client, wanted).await?)
    } else {
        None
    };
    Ok(Granted { access, refresh, id_token, issued_token_type: None })
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
        GrantType::AuthorizationCode => authorization_code::grant(&ctx, &client, params).await,
        GrantType::DeviceCode => device_code::grant(&ctx, &client, params).await,
        GrantType::TokenExchange => token_exchange::grant(&ctx, &client, params).await,
        // Of the authorization endpoint alone.
        GrantType::Implicit => Err(unsupported()),
    }
}

/// The grant types that this endpoint answers, for the metadata.
pub const SUPPORTED: &[GrantType] = &[
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::Password,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
];

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

/// A grant can't move to another audience than it was given for (RFC 8707 §2.2).
fn same_audience(
    ctx: &Ctx<'_>,
    params: &Params<'_>,
    client: &LiveClient,
    granted: Option<&str>,
) -> Result<(), OAuthError> {
    let granted = granted.or(client.client.default_audience.as_deref()).unwrap_or(&ctx.tenant.issuer);
    if params.all("resource").all(|wanted| wanted == granted) {
        Ok(())
    } else {
        Err(OAuthError::new(ErrorCode::InvalidTarget, "The authorization is for another resource"))
    }
}

/// The audience that was asked for (RFC 8707 §2), if the client may name it.
pub(super) fn audience(ctx: &Ctx<'_>, params: &Params<'_>, client: &LiveClient) -> Result<Option<String>, OAuthError> {
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
