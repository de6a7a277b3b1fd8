//! `grant_type=password` (RFC 6749 §4.3): legacy. OAuth 2.1 has dropped it and RFC 9700 §2.4 forbids
//! it; a client has it only where an operator switched it on, and an account with a second factor
//! never.

use super::super::client_auth::AuthenticatedClient;
use super::super::error::OAuthError;
use super::super::oxide;
use super::super::params::Params;
use super::{Granted, audience, granted};
use crate::domain::{Ctx, authn, tokens};
use crate::model::client::GrantType;

/// A token for a person whose password the client has seen.
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    let (username, password) = (params.require("username")?, params.require("password")?);
    let audience = audience(ctx, params, client)?;
    let scope = oxide::negotiate(params, &client.client.scope)?;
    let proof = authn::password(ctx, username, password, None).await?;
    let refreshable = client.client.may_use(GrantType::RefreshToken);
    let tokens = tokens::begin(ctx, client, proof, scope, audience, refreshable).await?;
    ctx.core.metrics.tokens.issued.count("password");
    granted(ctx, client, tokens).await
}
