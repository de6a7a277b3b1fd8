//! `grant_type=refresh_token` (RFC 6749 §6): every use rotates (RFC 9700 §4.14.2).

use super::super::client_auth::AuthenticatedClient;
use super::super::error::OAuthError;
use super::super::oxide::{self, Recovered};
use super::super::params::Params;
use super::{Granted, granted, same_audience};
use crate::domain::tokens::{self, Refreshed};
use crate::domain::{Ctx, tokens::Family};

/// The next tokens of an authorization.
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    let family = tokens::recover(ctx, params.require("refresh_token")?).await?;
    if let Some(Family { row, .. }) = family.as_ref().filter(|family| family.row.client == client.client.id) {
        same_audience(ctx, params, client, row.audience.as_deref())?;
    }
    let recover = async |_: &str| Ok(family.as_ref().map(|family| recovered(family, client)));
    let renew = async |scope| {
        let family = family.as_ref().ok_or_else(|| oxide::grant_refused("no family"))?;
        match tokens::rotate(ctx, client, family, scope, ctx.core.config.tokens.refresh_grace).await? {
            Refreshed::Renewed(tokens) => granted(ctx, client, *tokens).await,
            Refreshed::Refused(cause) => Err(oxide::grant_refused(cause)),
        }
    };
    let renewed = oxide::refresh(params, &client.client.id, recover, renew).await?;
    ctx.core.metrics.tokens.issued.count("refresh_token");
    Ok(renewed)
}

/// What was granted, less what the client may no longer ask for.
fn recovered(family: &Family, client: &AuthenticatedClient) -> Recovered {
    Recovered {
        client: family.row.client.clone(),
        subject: family.row.user.to_string(),
        scope: family.row.scope.intersection(&client.client.scope),
    }
}
