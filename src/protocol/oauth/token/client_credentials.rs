//! `grant_type=client_credentials` (RFC 6749 §4.4): a service acts for itself.

use super::super::client_auth::AuthenticatedClient;
use super::super::error::OAuthError;
use super::super::oxide;
use super::super::params::Params;
use super::{Granted, audience};
use crate::domain::{Ctx, tokens};

/// A token with the permissions that an administrator granted, or those of them that were asked for.
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    let audience = audience(ctx, params, client)?;
    let scope = oxide::client_credentials(params, &client.client.id, &client.client.permissions)?;
    let access = tokens::for_client(ctx, client, scope, audience.as_deref()).await?;
    // RFC 6749 §4.4.3: no refresh token
    Ok(Granted::access(access))
}
