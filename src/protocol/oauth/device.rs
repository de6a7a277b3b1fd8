//! Signing in on a device that has no browser of its own (RFC 8628).

use std::sync::Arc;

use super::claims;
use super::client_auth;
use super::error::{ErrorCode, OAuthError};
use super::oxide;
use super::params::Params;
use super::token;
use crate::domain::clients::{self, LiveClient};
use crate::domain::device_codes::{self, Begun};
use crate::domain::{Ctx, DomainError, users};
use crate::model::audit::Actor;
use crate::model::authorization::{Authorization, ClaimsRequest, SignIn};
use crate::model::client::GrantType;
use crate::model::device_code::DeviceCode;
use crate::model::session::Session;

/// Answers a device (§3.1).
///
/// # Errors
/// `unauthorized_client`, `invalid_scope`, `invalid_target`, and those of client authentication.
pub async fn begin(ctx: &Ctx<'_>, authorization: Option<&str>, params: &Params<'_>) -> Result<Begun, OAuthError> {
    let client = client_auth::authenticate(ctx, authorization, params).await?;
    if !client.client.may_use(GrantType::DeviceCode) {
        let text = "This client is not registered for the device grant";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, text));
    }
    let scope = oxide::authorization(params, &client.client.id, &client.client.scope)?;
    let audience = token::audience(ctx, params, &client)?;
    let ctx = ctx.clone().by(Actor::Client(client.client.id.clone()));
    Ok(device_codes::begin(&ctx, &client.client.id, scope, audience).await?)
}

/// A device's request that waits, and whose it is: what the person is asked about (§3.3).
pub struct Waiting {
    /// Whose device it is.
    pub client: Arc<LiveClient>,
    /// The request.
    pub code: DeviceCode,
}

/// The request that waits under the code that a person typed.
///
/// # Errors
/// The database is unavailable.
pub async fn waiting(ctx: &Ctx<'_>, typed: &str) -> Result<Option<Waiting>, DomainError> {
    let Some(code) = device_codes::waiting(ctx, typed).await? else { return Ok(None) };
    match clients::live(ctx.core, ctx.tenant_id(), &code.client).await {
        Ok(client) => Ok(Some(Waiting { client, code })),
        Err(DomainError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Writes down what the person says. False if the request is over.
///
/// # Errors
/// The database is unavailable.
pub async fn decide(ctx: &Ctx<'_>, waiting: &Waiting, session: &Session, allow: bool) -> Result<bool, DomainError> {
    let Waiting { client, code } = waiting;
    let epoch = users::state(ctx.core, ctx.tenant_id(), session.user).await?.token_epoch;
    let allowed = allow.then(|| Authorization {
        family: code.family,
        user: session.user,
        scope: code.scope.clone(),
        audience: code.audience.clone(),
        nonce: None,
        // The device stays signed in when the browser signs out.
        sign_in: SignIn {
            session: None,
            auth_time: session.auth_time(),
            amr: session.amr(),
            acr: session.reached().last().map(|acr| (*acr).to_owned()),
        },
        claims: ClaimsRequest::default(),
        refreshable: client.client.may_use(GrantType::RefreshToken),
        epoch: Some(epoch),
    });
    if allow {
        let names = claims::names(&ClaimsRequest::default());
        crate::domain::consents::allow(ctx, session.user, &client.client.id, &code.scope, &names).await?;
    }
    device_codes::decide(ctx, code, allowed).await
}
