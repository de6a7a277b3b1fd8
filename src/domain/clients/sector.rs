//! Sector documents: which redirect URIs share their people's pairwise subjects.

use crate::domain::{Ctx, DomainError, Invalid};
use crate::model::client::Client;

/// Makes sure that the sector document, if there is one, lists every redirect URI of the client
/// (OpenID Connect Registration §5). It is an outbound request: never inside a transaction.
pub(super) async fn confirm(ctx: &Ctx<'_>, client: &Client) -> Result<(), DomainError> {
    let Some(uri) = &client.settings.sector_identifier_uri else { return Ok(()) };
    let refuse = |why: &str| DomainError::from(Invalid::new("sector_identifier_uri", why));
    let found = ctx.core.outbound.get(uri, "application/json").await.map_err(|why| {
        // Whoever may register learns nothing about what this machine can see.
        tracing::info!(uri, %why, "a sector document could not be fetched");
        refuse("could not be fetched")
    })?;
    if found.status != 200 {
        return Err(refuse("could not be fetched"));
    }
    let listed: Vec<String> =
        serde_json::from_slice(&found.body).map_err(|_| refuse("does not lead to a JSON list of URIs"))?;
    // Who has none could claim any sector, and with it what others call its people.
    if !client.redirect_uris.is_empty() && client.redirect_uris.iter().all(|uri| listed.contains(uri)) {
        Ok(())
    } else {
        Err(refuse("does not list every redirect URI"))
    }
}
