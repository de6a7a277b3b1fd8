//! Token introspection (RFC 7662).

use super::client_auth::{self, AuthenticatedClient};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::access::{self, Carried};
use crate::domain::tokens::{self, Principal, Verified};
use crate::domain::{Ctx, DomainError, subjects};
use crate::model::permission::code;
use crate::model::token::TokenFamily;

/// What a client is told about a token.
pub enum Introspected {
    /// Nothing: it does not count, or not for this client (RFC 7662 §2.2).
    Inactive,
    /// An access token, and what its person holds by now.
    Access(Box<Verified>, Carried),
    /// The refresh token that counts at this moment.
    Refresh {
        /// What it belongs to.
        family: Box<TokenFamily>,
        /// Whom it speaks for.
        subject: String,
    },
}

/// Answers an introspection request.
///
/// # Errors
/// `invalid_client`, also for a public client; `invalid_request`; `temporarily_unavailable`.
pub async fn introspect(
    ctx: &Ctx<'_>,
    authorization: Option<&str>,
    params: &Params<'_>,
) -> Result<Introspected, OAuthError> {
    let client = authenticate(ctx, authorization, params).await.map_err(unauthorized)?;
    let token = params.require("token")?;
    if let Some(family) = tokens::recover(ctx, token).await? {
        let counts = family.row.client == client.client.id
            && family.row.revoked.is_none()
            && family.row.generation == family.generation
            && family.row.expires_at > ctx.now();
        if !counts {
            return Ok(Introspected::Inactive);
        }
        let subject = subjects::of(ctx.core, &client.client, family.row.user)?;
        return Ok(Introspected::Refresh { family: Box::new(family.row), subject });
    }
    match tokens::verify_under(ctx.core, &ctx.tenant, token).await {
        Ok(verified) if is_visible(ctx, &client, &verified) => {
            let mut held = match verified.principal {
                Principal::User(user) => access::carried_now(ctx.core, verified.tenant.tenant.id, user).await?,
                Principal::Service(_) => Carried::default(),
            };
            held.organization = access::organization_now(ctx.core, &verified).await?;
            Ok(Introspected::Access(Box::new(verified), held))
        }
        Ok(_) | Err(DomainError::NotAuthenticated(_)) => Ok(Introspected::Inactive),
        Err(other) => Err(other.into()),
    }
}

async fn authenticate(
    ctx: &Ctx<'_>,
    authorization: Option<&str>,
    params: &Params<'_>,
) -> Result<AuthenticatedClient, OAuthError> {
    let client = client_auth::authenticate(ctx, authorization, params).await?;
    // RFC 7662 §2.1: the endpoint must require authorization, which a public client can't give
    if client.client.is_public() {
        return Err(OAuthError::new(ErrorCode::InvalidClient, "A public client can't introspect tokens"));
    }
    Ok(client)
}

/// RFC 7662 §2.3: here bad credentials are 401 whichever way they came, and 401 names a scheme.
fn unauthorized(error: OAuthError) -> OAuthError {
    OAuthError { challenge: error.challenge || error.code == ErrorCode::InvalidClient, ..error }
}

/// A client may see what was issued to it, what is meant for it, and, with `internal:admin`, every
/// token of its tenant.
fn is_visible(ctx: &Ctx<'_>, client: &AuthenticatedClient, token: &Verified) -> bool {
    let row = &client.client;
    let meant_for_it = || {
        let own = [Some(row.id.as_str()), row.default_audience.as_deref()];
        let named = row.audiences.iter().map(String::as_str);
        own.into_iter()
            .flatten()
            .chain(named)
            .any(|audience| audience != ctx.tenant.issuer && token.claims.aud.contains(audience))
    };
    token.tenant.tenant.id == ctx.tenant_id()
        && (token.claims.client_id == row.id.as_str()
            || meant_for_it()
            || row.permissions.contains(code::INTERNAL_ADMIN))
}
