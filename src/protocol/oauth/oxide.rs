//! The one file that names oxide-auth: its state machines for the grants that it knows.
//!
//! The machines are advanced by hand. They say in which order a request is looked at (client, token,
//! scope, issue) and what must be answered when; the answers come from our own storage and mint. The
//! client was authenticated before (`client_auth.rs`), in ways that oxide-auth does not know.
//! Where its own error codes or clock stand in a standard's way is written in
//! `docs/decisions/0002-oxide-auth.md`.

use std::borrow::Cow;

use oxide_auth::code_grant::accesstoken::{self as machine_code, AccessToken};
use oxide_auth::code_grant::authorization::{self as machine_authorization, Authorization};
use oxide_auth::code_grant::client_credentials::{self as machine_credentials, ClientCredentials};
use oxide_auth::code_grant::error::AccessTokenErrorType;
use oxide_auth::code_grant::refresh::{self as machine_refresh, Refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::issuer::{RefreshedToken, TokenType};
use oxide_auth::primitives::registrar::{BoundClient, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;

use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::model::ids::ClientId;
use crate::model::scope::OAuthScope;

/// A request as the machines see it: parsed before, its client authenticated before.
struct Request<'a> {
    params: &'a Params<'a>,
    client: &'a ClientId,
}

impl Request<'_> {
    fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(name).map(Cow::Borrowed)
    }

    fn identity(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client.as_str()), Cow::Borrowed(&[])))
    }
}

impl machine_credentials::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        self.identity()
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.param("scope")
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.param("grant_type")
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl machine_refresh::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.param("refresh_token")
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.param("scope")
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.param("grant_type")
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        self.identity()
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl machine_code::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        self.param("code")
    }
    fn authorization(&self) -> machine_code::Authorization<'_> {
        machine_code::Authorization::Username(Cow::Borrowed(self.client.as_str()))
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        // Compared byte for byte where the code is redeemed; the machine would compare it as a URL.
        Some(Cow::Borrowed(NOWHERE))
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.param("grant_type")
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// An authorization request as the machine sees it: response types beyond `code` are ours.
struct CodeRequest<'a>(Request<'a>);

impl machine_authorization::Request for CodeRequest<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.0.client.as_str()))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.0.param("scope")
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(NOWHERE))
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("code"))
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

fn refused(kind: AccessTokenErrorType) -> OAuthError {
    match kind {
        AccessTokenErrorType::InvalidScope => scope_refused(),
        AccessTokenErrorType::InvalidGrant => grant_refused("no such refresh token for this client"),
        other => OAuthError::invalid_request("The request is not complete").because(format!("{other:?}")),
    }
}

fn out_of_order() -> OAuthError {
    OAuthError::new(ErrorCode::ServerError, "Something went wrong on our side").because("grant machine out of order")
}

fn scope_refused() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope, "The scope is malformed or more than this client may have")
}

/// The one text for a refresh token that does not count; the cause is for the log.
pub(super) fn grant_refused(cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "The refresh token is not valid").because(cause)
}

/// The machines want a redirect URI even where none takes part (RFC 6749 §4.4).
const NOWHERE: &str = "about:blank";

/// See [`NOWHERE`].
fn nowhere() -> Result<RegisteredUrl, OAuthError> {
    url::Url::parse(NOWHERE).map(RegisteredUrl::Semantic).map_err(|_| out_of_order())
}

/// RFC 6749 §4.4: what an authenticated client gets for itself out of what it holds.
pub(super) fn client_credentials(
    params: &Params<'_>,
    client: &ClientId,
    held: &OAuthScope,
) -> Result<OAuthScope, OAuthError> {
    use machine_credentials::{Error, Input, Output};
    let mut machine = ClientCredentials::new(&Request { params, client });
    let mut granted = OAuthScope::empty();
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Binding { client_id } => Input::Bound {
                bound_client: BoundClient {
                    client_id: Cow::Owned(client_id.to_owned()),
                    redirect_uri: Cow::Owned(nowhere()?),
                },
            },
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { bound_client, .. } => {
                granted = negotiate(params, held)?;
                let pre_grant = PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: machine_scope(&granted)?,
                };
                Input::Negotiated { pre_grant }
            }
            Output::Ok { .. } => return Ok(granted),
            Output::Err(error) => {
                return Err(match *error {
                    // The machine answers a malformed scope with `invalid_request`.
                    Error::Invalid(_) if params.get("scope").is_some_and(|s| s.parse::<Scope>().is_err()) => {
                        scope_refused()
                    }
                    Error::Invalid(mut why) => refused(why.description().kind()),
                    _ => out_of_order(),
                });
            }
        };
    }
}

/// What was asked for, if all of it may be had; everything, if nothing was asked for (RFC 6749 §3.3).
pub(super) fn negotiate(params: &Params<'_>, held: &OAuthScope) -> Result<OAuthScope, OAuthError> {
    let Some(wanted) = params.get("scope") else { return Ok(held.clone()) };
    let wanted: OAuthScope = wanted.parse().map_err(|_| scope_refused())?;
    if wanted.is_within(held) && !wanted.is_empty() { Ok(wanted) } else { Err(scope_refused()) }
}

fn machine_scope(scope: &OAuthScope) -> Result<Scope, OAuthError> {
    scope.to_string().parse().map_err(|_| scope_refused())
}

/// The one text for a code that does not count; the cause is for the log.
pub(super) fn code_refused(cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "The code is not valid").because(cause)
}

/// RFC 6749 §4.1.1: which scope an authorization request comes to. Client and redirect URI were
/// verified before.
pub(super) fn authorization(
    params: &Params<'_>,
    client: &ClientId,
    allowed: &OAuthScope,
) -> Result<OAuthScope, OAuthError> {
    use machine_authorization::{Input, Output};
    let request = CodeRequest(Request { params, client });
    let mut machine = Authorization::new(&request);
    let mut granted = OAuthScope::empty();
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Bind { client_id, .. } => Input::Bound {
                request: &request,
                bound_client: BoundClient { client_id: Cow::Owned(client_id), redirect_uri: Cow::Owned(nowhere()?) },
            },
            Output::Extend => Input::Extended(Extensions::new()),
            Output::Negotiate { bound_client, .. } => {
                granted = offered(params, allowed)?;
                let pre_grant = PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: machine_scope(&granted)?,
                };
                Input::Negotiated { pre_grant, state: None }
            }
            Output::Ok { .. } => return Ok(granted),
            // The only thing that is left to be wrong.
            Output::Err(_) => return Err(scope_refused()),
        };
    }
}

/// Of what was asked for, that which the client may ask for: what is not known is ignored (OpenID
/// Connect Core §3.1.2.1). All but OpenID Connect's own, if nothing was asked for (RFC 6749 §3.3).
fn offered(params: &Params<'_>, allowed: &OAuthScope) -> Result<OAuthScope, OAuthError> {
    let Some(wanted) = params.get("scope") else {
        let standing = OAuthScope::from_tokens([super::claims::OPENID, super::claims::OFFLINE_ACCESS]);
        return Ok(allowed.without(&standing));
    };
    let wanted: OAuthScope = wanted.parse().map_err(|_| scope_refused())?;
    let offered = wanted.intersection(allowed);
    if offered.is_empty() { Err(scope_refused()) } else { Ok(offered) }
}

/// RFC 6749 §4.1.3: redeems a code. `redeem` compares every binding, uses the code up and makes the
/// tokens, all at once; its refusal is the answer.
pub(super) async fn authorization_code<T>(
    params: &Params<'_>,
    client: &ClientId,
    redeem: impl AsyncFnOnce(&str) -> Result<T, OAuthError>,
) -> Result<T, OAuthError> {
    use machine_code::{Error, Input, Output};
    params.require("code")?;
    let mut machine = AccessToken::new(&Request { params, client });
    let mut redeem = Some(redeem);
    let mut redeemed = None;
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Recover { code } => {
                let redeem = redeem.take().ok_or_else(out_of_order)?;
                redeemed = Some(redeem(code).await?);
                let mut bound = OAuthScope::empty();
                let found = Recovered { client: client.clone(), subject: String::new(), scope: OAuthScope::empty() };
                Input::Recovered(Some(machine_grant(&mut bound, found)?))
            }
            Output::Extend { .. } => Input::Extended { access_extensions: Extensions::new() },
            // The machine's own bearer token is not sent: ours says more.
            Output::Issue { .. } => return redeemed.ok_or_else(out_of_order),
            Output::Ok(_) => return Err(out_of_order()),
            Output::Err(error) => {
                return Err(match *error {
                    Error::Invalid(mut why) => refused(why.description().kind()),
                    _ => out_of_order(),
                });
            }
        };
    }
}

/// What storage knows of a refresh token, as far as the machine asks.
pub(super) struct Recovered {
    /// To whom it was issued.
    pub(super) client: ClientId,
    /// For whom.
    pub(super) subject: String,
    /// What it may still be used for.
    pub(super) scope: OAuthScope,
}

/// RFC 6749 §6: recovers the grant, then renews it. `recover` changes nothing; `renew` is called only
/// for a token of this client and a scope within the grant, and its refusal is the answer.
pub(super) async fn refresh<T>(
    params: &Params<'_>,
    client: &ClientId,
    recover: impl AsyncFnOnce(&str) -> Result<Option<Recovered>, OAuthError>,
    renew: impl AsyncFnOnce(OAuthScope) -> Result<T, OAuthError>,
) -> Result<T, OAuthError> {
    use machine_refresh::{Error, Input, Output};
    let request = Request { params, client };
    let mut machine = Refresh::new(&request);
    let (mut recover, mut renew) = (Some(recover), Some(renew));
    let mut original = OAuthScope::empty();
    let mut renewed = None;
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Unauthenticated { .. } => Input::Authenticated { scope: request.param("scope") },
            Output::RecoverRefresh { token } => {
                let recover = recover.take().ok_or_else(out_of_order)?;
                let found = recover(token).await?;
                let grant = found.map(|found| machine_grant(&mut original, found)).transpose()?;
                Input::Recovered { scope: request.param("scope"), grant }
            }
            Output::Refresh { .. } => {
                let renew = renew.take().ok_or_else(out_of_order)?;
                renewed = Some(renew(negotiate(params, &original)?).await?);
                // The machine's own bearer token is not sent: ours says more.
                Input::Refreshed(RefreshedToken {
                    token: String::new(),
                    refresh: None,
                    until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
                    token_type: TokenType::Bearer,
                })
            }
            Output::Ok(_) => return renewed.ok_or_else(out_of_order),
            Output::Err(Error::Invalid(mut why)) => return Err(refused(why.description().kind())),
            Output::Err(_) => return Err(out_of_order()),
        };
    }
}

/// The machine compares `until` with the machine's clock; ours is injected, and expiry is compared in
/// the statement that renews, so here it is never over.
fn machine_grant(original: &mut OAuthScope, found: Recovered) -> Result<Box<Grant>, OAuthError> {
    *original = found.scope;
    Ok(Box::new(Grant {
        owner_id: found.subject,
        client_id: found.client.to_string(),
        scope: machine_scope(original)?,
        redirect_uri: url::Url::parse("about:blank").map_err(|_| out_of_order())?,
        until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        extensions: Extensions::new(),
    }))
}
