//! Sign-in by a provider elsewhere: OpenID Connect as a relying party (Core §3.1) and plain OAuth 2 (RFC 6749
//! §4.1), both with PKCE where the provider takes it and a callback of its own for each connection (RFC 9700
//! §4.4). Only `client`, `metadata` and `oidc` name the library that speaks to providers.

mod claims;
mod client;
mod metadata;
mod oauth2;
mod oidc;
mod trial;

pub use trial::{Finding, trial};
pub(in crate::protocol) use trial::{fine, wrong};

use url::form_urlencoded::Serializer;

use crate::crypto::digest::{Digest, base64url};
use crate::domain::identities::Claimed;
use crate::domain::sessions::Browser;
use crate::domain::sign_in::{self, Arrival};
use crate::domain::upstream_logins::{self, Errand, Returned};
use crate::domain::{Ctx, DomainError, audit, connections, identities, saml_sign_in};
use crate::model::audit::Outcome;
use crate::model::connection::{Connection, Provider};
use crate::model::ids::ConnectionId;
use crate::model::session::Session;
use crate::protocol::saml;

/// Why nobody comes in by a provider. What a provider says is for the audit log, never for the page.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The journey did not begin in this browser, is over, or took too long.
    #[error("no such sign-in is under way in this browser")]
    Stale,
    /// The person said no there, or the provider did.
    #[error("the provider refused: {0}")]
    Declined(String),
    /// It can't be reached, or not used.
    #[error("the provider can't be used: {0}")]
    Unreachable(String),
    /// What came from there is not believed.
    #[error("what the provider said is not believed: {0}")]
    Untrusted(String),
    /// Their address has an account here, which they may link once they have signed in to it.
    #[error("the address has an account, which may be linked")]
    LinkOffered,
    /// A verb was not done.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// The answer of a provider (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// Which journey it belongs to.
    pub state: &'a str,
    /// What is redeemed.
    pub code: Option<&'a str>,
    /// Whose answer it is.
    pub iss: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
}

/// What a journey came to.
pub enum Arrived {
    /// Somebody is in, or has to prove their address first.
    SignedIn(Arrival),
    /// The account of elsewhere is linked to who is signed in.
    Linked,
}

/// What a connection's provider is reached by, and as whom.
struct Endpoints {
    authorization: String,
    token: String,
    client_id: String,
    /// What is asked for, with spaces between.
    scope: String,
    /// In the body, where the provider does not take HTTP Basic.
    secret_in_body: bool,
    pkce: bool,
    /// Whether there are ID tokens.
    openid: bool,
}

impl Endpoints {
    /// The request that somebody carries there (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
    fn request(&self, redirect_uri: &str, state: &str, verifier: &str, nonce: &str, again: bool) -> String {
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state);
        if !self.scope.is_empty() {
            query.append_pair("scope", &self.scope);
        }
        if self.pkce {
            let challenge = base64url(Digest::of(verifier.as_bytes()).as_bytes());
            query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        }
        if self.openid {
            query.append_pair("nonce", nonce);
            if again {
                query.append_pair("prompt", "login");
            }
        }
        let separator = if self.authorization.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.authorization, query.finish())
    }
}

/// Where a provider sends people back to: one place for each connection.
#[must_use]
pub fn callback(ctx: &Ctx<'_>, connection: ConnectionId) -> String {
    format!("{}/login/with/{connection}/callback", ctx.tenant.issuer)
}

/// Sends somebody to a provider: where their browser must go. With `again` the provider is asked to make sure
/// that it is still them.
///
/// # Errors
/// [`Refused::Unreachable`] if the provider's metadata can't be had; or the database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    connection: &Connection,
    browser: &Browser,
    errand: Errand,
    again: bool,
) -> Result<String, Refused> {
    let endpoints = match &connection.provider {
        Provider::Oidc(oidc) => {
            let metadata = metadata::find(ctx.core, &oidc.issuer).await.map_err(Refused::Unreachable)?;
            metadata::endpoints(&metadata, oidc)?
        }
        Provider::OAuth2(plain) => oauth2::endpoints(plain),
        Provider::Saml(_) => {
            return Ok(saml::set_out_from_page(ctx, connection, browser.digest, errand, again).await?);
        }
    };
    let begun = upstream_logins::begin(ctx, connection, browser.digest, errand, again).await?;
    let (state, verifier) = (begun.state.expose(), begun.verifier.expose());
    Ok(endpoints.request(&callback(ctx, connection.id), state, verifier, &begun.nonce, again))
}

/// Somebody comes back from a provider. `prior` is the session that the browser has, if any; the errand tells
/// where they go on, and is there wherever the journey was theirs.
///
/// # Errors
/// See [`Refused`]; each but [`Refused::Stale`] is in the audit log.
pub async fn finish(
    ctx: &Ctx<'_>,
    id: ConnectionId,
    answer: Answer<'_>,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<(Errand, Result<Arrived, Refused>), Refused> {
    // RFC 9700 §4.7.1: the state first, and it counts once, whatever else is wrong.
    let returned = upstream_logins::end(ctx, id, answer.state, &browser.digest).await?.ok_or(Refused::Stale)?;
    let arrived = match vouched(ctx, id, answer, &returned).await {
        Ok((connection, claimed)) => enter(ctx, &connection, &claimed, &returned.errand, browser, prior).await,
        Err(why @ (Refused::Declined(_) | Refused::Unreachable(_) | Refused::Untrusted(_))) => {
            let target = Some(format!("connection:{id}"));
            let entry = ctx.audit("user.sign_in", target, Outcome::Failure, Some(why.to_string()));
            audit::append(ctx.core, entry).await?;
            Err(why)
        }
        Err(other) => Err(other),
    };
    Ok((returned.errand, arrived))
}

/// What the provider says of who came back.
async fn vouched(
    ctx: &Ctx<'_>,
    id: ConnectionId,
    answer: Answer<'_>,
    returned: &Returned,
) -> Result<(Connection, Claimed), Refused> {
    let connection = connections::find(ctx, id).await?;
    if !connection.enabled {
        return Err(Refused::Untrusted("the connection is disabled".to_owned()));
    }
    let claimed = match &connection.provider {
        Provider::Oidc(oidc) => oidc::claimed(ctx, &connection, oidc, answer, returned).await?,
        Provider::OAuth2(plain) => oauth2::claimed(ctx, &connection, plain, answer, returned).await?,
        Provider::Saml(_) => saml_sign_in::handed(&connection, returned).ok_or(Refused::Stale)?,
    };
    Ok((connection, claimed))
}

async fn enter(
    ctx: &Ctx<'_>,
    connection: &Connection,
    claimed: &Claimed,
    errand: &Errand,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<Arrived, Refused> {
    if let Some(user) = errand.linking {
        let still = prior.is_some_and(|session| session.user == user && !session.second_factor_due);
        if !still {
            return Err(Refused::Stale);
        }
        identities::link(ctx, user, connection, claimed).await?;
        return Ok(Arrived::Linked);
    }
    let come = async || sign_in::with_upstream(ctx, connection, claimed, browser, prior).await;
    match come().await {
        Err(DomainError::Taken(_)) if saml_sign_in::link_member(ctx, connection, claimed).await? => {
            Ok(Arrived::SignedIn(come().await?))
        }
        Err(DomainError::Taken(_)) => {
            identities::offer(ctx, connection, claimed, browser.digest).await?;
            Err(Refused::LinkOffered)
        }
        other => Ok(Arrived::SignedIn(other?)),
    }
}

/// The code of an answer, once everything that may be wrong with the answer has been looked at.
fn code<'a>(answer: Answer<'a>) -> Result<&'a str, Refused> {
    match (answer.error, answer.code) {
        (Some(error), _) => Err(Refused::Declined(error.chars().filter(|c| !c.is_control()).take(100).collect())),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(Refused::Untrusted("there is neither a code nor an error".to_owned())),
    }
}
