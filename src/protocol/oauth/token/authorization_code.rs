//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

use super::super::client_auth::AuthenticatedClient;
use super::super::error::OAuthError;
use super::super::oxide;
use super::super::params::Params;
use super::{Granted, granted, same_audience};
use crate::crypto::digest::Digest;
use crate::domain::Ctx;
use crate::domain::tokens::{self, Redeemed};

/// The tokens that a code stands for.
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    // RFC 7636 §4.1: what is no verifier answers no challenge
    let verifier = params.get("code_verifier");
    if verifier.is_some_and(|verifier| !is_verifier(verifier)) {
        return Err(oxide::code_refused("malformed code_verifier"));
    }
    // RFC 7636 §4.6: S256, the only method that is answered
    let challenge = verifier.map(|verifier| Digest::of(verifier.as_bytes()).base64url());
    let redirect_uri = params.get("redirect_uri");
    let redeem = async |code: &str| {
        // RFC 8707 §2.2: looked at before, so that a wrong audience uses nothing up
        if params.get("resource").is_some()
            && let Some(granted) = tokens::audience_of_code(ctx, client, code).await?
        {
            same_audience(ctx, params, client, granted.as_deref())?;
        }
        match tokens::redeem_code(ctx, client, code, redirect_uri, challenge).await? {
            Redeemed::Granted(tokens) => Ok(*tokens),
            Redeemed::Refused(cause) => Err(oxide::code_refused(cause)),
        }
    };
    let tokens = oxide::authorization_code(params, &client.client.id, redeem).await?;
    ctx.core.metrics.tokens.issued.count("authorization_code");
    granted(ctx, client, tokens).await
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_verifier(text: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}
