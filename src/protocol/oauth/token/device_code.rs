//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4).

use super::super::client_auth::AuthenticatedClient;
use super::super::error::{ErrorCode, OAuthError};
use super::super::params::Params;
use super::{Granted, granted};
use crate::domain::Ctx;
use crate::domain::device_codes::{self, Asked};
use crate::domain::tokens::{self, Redeemed};

/// The tokens that a person allowed a device, once they did (§3.5).
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    let code = params.require("device_code")?;
    let refused =
        |cause: &'static str| OAuthError::new(ErrorCode::InvalidGrant, "The device code is not valid").because(cause);
    let digest = match device_codes::ask(ctx, &client.client.id, code).await? {
        Asked::Allowed(digest) => digest,
        Asked::Pending => {
            return Err(OAuthError::new(ErrorCode::AuthorizationPending, "The person has not said anything yet"));
        }
        Asked::TooOften => return Err(OAuthError::new(ErrorCode::SlowDown, "Wait longer before asking again")),
        Asked::Denied => return Err(OAuthError::new(ErrorCode::AccessDenied, "The person said no")),
        Asked::Expired => return Err(OAuthError::new(ErrorCode::ExpiredToken, "The device code has expired")),
        Asked::Refused(cause) => return Err(refused(cause)),
    };
    match tokens::redeem_device_code(ctx, client, digest).await? {
        Redeemed::Granted(tokens) => {
            ctx.core.metrics.tokens.issued.count("device_code");
            granted(ctx, client, *tokens).await
        }
        Redeemed::Refused(cause) => Err(refused(cause)),
    }
}
