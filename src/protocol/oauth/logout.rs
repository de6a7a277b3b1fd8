//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use super::authorize::id_token_hint;
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::clients::{self, LiveClient};
use crate::domain::{Ctx, DomainError};
use crate::model::ids::{ClientId, UserId};
use crate::model::session::Session;

/// The longest `state` that comes back, in bytes.
const MAX_STATE: usize = 4096;

/// A request to sign out that can be acted on.
pub struct LogoutRequest {
    /// Who asks, if it said so.
    pub client: Option<Arc<LiveClient>>,
    /// Whom the hint names.
    pub person: Option<UserId>,
    /// Where the person goes afterwards, `state` included; only one that is registered (§3).
    pub redirect: Option<String>,
    /// The languages that the person reads, the best first.
    pub ui_locales: Option<String>,
}

impl LogoutRequest {
    /// Whether the person need not be asked: a hint of ours names who is signed in (§2, §6).
    #[must_use]
    pub fn needs_no_word(&self, session: &Session) -> bool {
        self.person == Some(session.user)
    }
}

/// Reads a request to sign out.
///
/// # Errors
/// `invalid_request` for a hint that is not ours, a client that it was not issued to, or an address
/// that is not registered: the person is told, and goes nowhere.
pub async fn check(ctx: &Ctx<'_>, params: &Params<'_>) -> Result<LogoutRequest, OAuthError> {
    match read(ctx, params).await {
        Ok(request) => Ok(request),
        Err(error) => Err(error.noted(ctx, "logout.refuse").await?),
    }
}

async fn read(ctx: &Ctx<'_>, params: &Params<'_>) -> Result<LogoutRequest, OAuthError> {
    // §2: the client is named, or is the one that the hint was issued to
    let named = match (params.get("client_id"), params.get("id_token_hint")) {
        (Some(id), _) => Some(id.to_owned()),
        (None, Some(hint)) => Some(audience_of(hint)?),
        (None, None) => None,
    };
    let client = match named {
        Some(id) => Some(find(ctx, &id).await?),
        None => None,
    };
    let person = match &client {
        Some(client) => id_token_hint(ctx, client, params).await?,
        None => None,
    };
    let redirect = match params.get("post_logout_redirect_uri") {
        None => None,
        Some(uri) => Some(redirect(client.as_deref(), person.is_some(), uri, params.get("state"))?),
    };
    let ui_locales = params.get("ui_locales").filter(|tags| tags.len() <= 256).map(str::to_owned);
    Ok(LogoutRequest { client, person, redirect, ui_locales })
}

/// To whom a hint says that it was issued; whether it was is checked against that client.
fn audience_of(hint: &str) -> Result<String, OAuthError> {
    #[derive(serde::Deserialize)]
    struct Unverified {
        aud: crate::domain::tokens::claims::Audience,
    }
    use crate::domain::tokens::claims::Audience;
    let peeked = crate::crypto::jws::peek(hint).and_then(|peeked| peeked.unverified::<Unverified>());
    match peeked.map(|peeked| peeked.aud) {
        Some(Audience::One(one)) => Ok(one),
        Some(Audience::Many(many)) if many.len() == 1 => Ok(many.into_iter().next().unwrap_or_default()),
        _ => Err(OAuthError::invalid_request("The id_token_hint is not an ID token of ours")),
    }
}

async fn find(ctx: &Ctx<'_>, id: &str) -> Result<Arc<LiveClient>, OAuthError> {
    let unknown = || OAuthError::new(ErrorCode::InvalidClient, "No app is registered under this client_id");
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    clients::live(ctx.core, ctx.tenant_id(), &id).await.map_err(|error| match error {
        DomainError::NotFound(_) => unknown(),
        other => other.into(),
    })
}

/// §3: byte for byte a registered address, and only for who shows an ID token of ours.
fn redirect(client: Option<&LiveClient>, hinted: bool, uri: &str, state: Option<&str>) -> Result<String, OAuthError> {
    let registered =
        client.is_some_and(|client| client.client.post_logout_redirect_uris.iter().any(|known| known == uri));
    if !registered {
        return Err(OAuthError::invalid_request("The post_logout_redirect_uri is not registered for this app"));
    }
    if !hinted {
        return Err(OAuthError::invalid_request("A post_logout_redirect_uri needs an id_token_hint"));
    }
    let Some(state) = state else { return Ok(uri.to_owned()) };
    if state.len() > MAX_STATE {
        return Err(OAuthError::invalid_request(format!("The state is longer than {MAX_STATE} bytes")));
    }
    let encoded: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    Ok(format!("{uri}{}{encoded}", if uri.contains('?') { "&" } else { "?" }))
}
