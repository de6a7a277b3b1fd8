//! Pushed authorization requests (RFC 9126): the client sends its request itself, authenticated, and
//! the browser carries a reference.

use std::time::Duration;

use super::authorize::object::PUSHED;
use super::authorize::{Refusal, request};
use super::client_auth;
use super::error::OAuthError;
use super::params::Params;
use crate::domain::{Ctx, login_transactions};
use crate::model::audit::Actor;

/// A request that was taken.
pub struct Pushed {
    /// The reference, for the browser.
    pub request_uri: String,
    /// How long it may be begun with.
    pub expires_in: Duration,
}

/// What of a pushed request proves who the client is and is no part of the request.
const CREDENTIALS: &[&str] = &["client_secret", "client_assertion", "client_assertion_type"];

/// Takes a request: first the client, then every check of the authorization endpoint.
///
/// # Errors
/// RFC 9126 §2.3.
pub async fn push(ctx: &Ctx<'_>, authorization: Option<&str>, params: &Params<'_>) -> Result<Pushed, OAuthError> {
    // RFC 9126 §2.1: the client first
    let client = client_auth::authenticate(ctx, authorization, params).await?;
    let ctx = ctx.clone().by(Actor::Client(client.client.id.clone()));
    let mut pairs = params.pairs();
    pairs.retain(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
    if params.get("client_id").is_none() {
        pairs.push(("client_id".to_owned(), client.client.id.to_string()));
    }
    let checked = request::check(&ctx, &Params::of_pairs(pairs), None, false).await;
    let request = checked.map_err(|refusal| match refusal {
        Refusal::Page(error) | Refusal::Redirect(_, error) => error,
    })?;
    let reference = login_transactions::push(&ctx, &client.client.id, request.parameters).await?;
    Ok(Pushed {
        request_uri: format!("{PUSHED}{}", reference.expose()),
        expires_in: ctx.core.config.tokens.pushed_request,
    })
}
