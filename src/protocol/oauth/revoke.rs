//! Token revocation (RFC 7009).

use std::sync::Arc;

use super::client_auth;
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::tokens;
use crate::domain::{Ctx, DomainError};
use crate::model::audit::Actor;

/// Ends a token: a refresh token with its whole authorization, an access token alone. A token that
/// does not count is no error (RFC 7009 §2.2); `token_type_hint` is not needed, since every token
/// says what it is.
///
/// # Errors
/// `invalid_client`; `invalid_grant` for another client's token (RFC 7009 §2.1);
/// `temporarily_unavailable`: then the token still counts (RFC 7009 §2.2.1).
pub async fn revoke(ctx: &Ctx<'_>, authorization: Option<&str>, params: &Params<'_>) -> Result<(), OAuthError> {
    let client = client_auth::authenticate(ctx, authorization, params).await?;
    let token = params.require("token")?;
    let ctx = ctx.clone().by(Actor::Client(client.client.id.clone()));
    let foreign = || OAuthError::new(ErrorCode::InvalidGrant, "The token was issued to another client");
    if let Some(family) = tokens::recover(&ctx, token).await? {
        if family.row.client != client.client.id {
            return Err(foreign());
        }
        return Ok(tokens::revoke_family(&ctx, family.row.id).await?);
    }
    let verified = match tokens::verify_under(ctx.core, &ctx.tenant, token).await {
        Ok(verified) => verified,
        Err(DomainError::NotAuthenticated(_)) => return Ok(()),
        Err(other) => return Err(other.into()),
    };
    let own_tenant = verified.tenant.tenant.id == ctx.tenant_id();
    // A service of the control plane that acts for a user of another tenant: ids are made up, but an
    // operator may choose one, so the claim that it acts decides, not the id alone.
    let acts = verified.claims.act.as_ref().is_some_and(|act| act.sub == client.client.id.as_str());
    let issued_to_it = verified.claims.client_id == client.client.id.as_str();
    match (own_tenant, issued_to_it) {
        (true, true) => Ok(tokens::revoke_access_token(&ctx, &verified.claims).await?),
        (false, true) if acts && ctx.tenant.tenant.is_default => {
            let ctx = Ctx { tenant: Arc::clone(&verified.tenant), ..ctx };
            Ok(tokens::revoke_access_token(&ctx, &verified.claims).await?)
        }
        (true, false) => Err(foreign()),
        // What another tenant issued does not exist here.
        (false, _) => Ok(()),
    }
}
