//! Clients that register themselves (RFC 7591, OpenID Connect Registration) and look after their
//! registration (RFC 7592). Who may register is a setting of the tenant.

mod metadata;

use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use crate::crypto::digest::constant_time_eq;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::clients::{self, ClientChange, NewClient};
use crate::domain::{Ctx, DomainError};
use crate::model::client::{Client, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::ClientId;
use crate::model::secret::Secret;
use crate::model::tenant::RegistrationPolicy;
use metadata::Metadata;

/// Why a registration is refused.
#[derive(Debug)]
pub enum RegistrationError {
    /// Nobody may register here.
    Off,
    /// A token is needed and there was none.
    NoToken,
    /// The token does not count, or what it managed is gone (RFC 7592 §2).
    WrongToken,
    /// By the protocol's rules.
    Protocol(OAuthError),
}

impl From<OAuthError> for RegistrationError {
    fn from(error: OAuthError) -> Self {
        Self::Protocol(error)
    }
}

impl From<DomainError> for RegistrationError {
    fn from(error: DomainError) -> Self {
        match error {
            // RFC 7591 §3.2.2: what is wrong with a redirect URI has a code of its own.
            DomainError::Invalid(why) if why.field == "redirect_uri" => {
                Self::Protocol(OAuthError::new(ErrorCode::InvalidRedirectUri, why.to_string()))
            }
            DomainError::Invalid(why) => Self::Protocol(invalid(why.to_string())),
            DomainError::NotAuthenticated(_) | DomainError::NotFound(_) => Self::WrongToken,
            other => Self::Protocol(other.into()),
        }
    }
}

fn invalid(description: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, description)
}

/// What a client is told of itself (RFC 7591 §3.2.1, RFC 7592 §3).
pub type Information = Map<String, Value>;

/// Whoever may register a client; only [`admit`] makes one.
pub struct Admitted(());

/// Lets in who may register a client (RFC 7591 §3).
///
/// # Errors
/// See [`RegistrationError`].
pub fn admit(ctx: &Ctx<'_>, bearer: Option<&str>) -> Result<Admitted, RegistrationError> {
    match (ctx.tenant.tenant.settings.registration, bearer) {
        (RegistrationPolicy::Open, _) => Ok(Admitted(())),
        (RegistrationPolicy::Off, _) => Err(RegistrationError::Off),
        (RegistrationPolicy::Token, None) => Err(RegistrationError::NoToken),
        (RegistrationPolicy::Token, Some(token)) if ctx.tenant.takes_initial_token(token, ctx.now()) => {
            Ok(Admitted(()))
        }
        (RegistrationPolicy::Token, Some(_)) => Err(RegistrationError::WrongToken),
    }
}

/// Registers a client.
///
/// # Errors
/// See [`RegistrationError`].
pub async fn register(
    ctx: &Ctx<'_>,
    _: Admitted,
    members: Map<String, Value>,
) -> Result<Information, RegistrationError> {
    let wish = Metadata::read(members)?;
    let token = opaque::generate(TokenKind::RegistrationToken, &*ctx.core.entropy);
    let settings = wish.settings(ctx, &ClientSettings::default(), &token)?;
    let new = NewClient {
        name: wish.name(),
        auth_method: wish.auth_method,
        jwks: wish.jwks.clone(),
        grant_types: wish.grant_types(&[])?,
        redirect_uris: wish.redirect_uris.clone(),
        post_logout_redirect_uris: wish.post_logout_redirect_uris.clone(),
        scope: wish.scope(None)?,
        settings,
        ..NewClient::service("")
    };
    let made = clients::create(ctx, new).await?;
    Ok(metadata::information(ctx, &made.client, made.secret.as_ref(), token.expose()))
}

/// A client whose registration token was shown; only [`manage`] makes one.
pub struct Managed {
    client: Client,
    /// The token's digest, as it is kept.
    digest: String,
}

/// The client that the token manages. One that does not exist, is switched off or was registered by
/// the operator looks like a wrong token (RFC 7592 §2).
///
/// # Errors
/// See [`RegistrationError`].
pub async fn manage(ctx: &Ctx<'_>, id: &str, bearer: Option<&str>) -> Result<Managed, RegistrationError> {
    let token = bearer.ok_or(RegistrationError::NoToken)?;
    let presented = opaque::recognise(TokenKind::RegistrationToken, token).ok_or(RegistrationError::WrongToken)?;
    let id: ClientId = id.parse().map_err(|_| RegistrationError::WrongToken)?;
    let client = clients::find(ctx, &id).await?;
    let presented = presented.hex();
    match client.settings.registration_token.clone().filter(|_| client.enabled) {
        Some(digest) if constant_time_eq(digest.as_bytes(), presented.as_bytes()) => Ok(Managed { client, digest }),
        _ => Err(RegistrationError::WrongToken),
    }
}

/// What is registered (RFC 7592 §2.1), with the token that was shown.
#[must_use]
pub fn read(ctx: &Ctx<'_>, Managed { client, .. }: &Managed, bearer: Option<&str>) -> Information {
    metadata::information(ctx, client, None, bearer.unwrap_or_default())
}

/// Replaces what is registered as a whole: what is left out goes back to its default (RFC 7592 §2.2).
/// The registration token is replaced with it.
///
/// # Errors
/// See [`RegistrationError`].
pub async fn replace(
    ctx: &Ctx<'_>,
    Managed { client, digest }: Managed,
    mut members: Map<String, Value>,
) -> Result<Information, RegistrationError> {
    check_identity(ctx, &client, &mut members)?;
    let wish = Metadata::read(members)?;
    let token = opaque::generate(TokenKind::RegistrationToken, &*ctx.core.entropy);
    let grant_types = wish.grant_types(&client.grant_types)?;
    let mut scope = wish.scope(Some(&client.scope))?;
    if grant_types.contains(&GrantType::ClientCredentials) {
        // What the operator granted beside it stays; to who is no service any more it would become
        // something to ask people for.
        scope = scope.union(&client.permissions);
    }
    let change = ClientChange {
        name: Some(wish.name()),
        auth_method: Some(wish.auth_method),
        grant_types: Some(grant_types),
        redirect_uris: Some(wish.redirect_uris.clone()),
        post_logout_redirect_uris: Some(wish.post_logout_redirect_uris.clone()),
        scope: Some(scope),
        jwks: Some(wish.jwks.clone()),
        settings: Some(wish.settings(ctx, &client.settings, &token)?),
        held_registration_token: Some(digest),
        ..ClientChange::default()
    };
    let changed = clients::update(ctx, &client.id, change).await?;
    Ok(metadata::information(ctx, &changed.client, changed.secret.as_ref(), token.expose()))
}

/// Ends a registration with all that the client holds (RFC 7592 §2.3).
///
/// # Errors
/// See [`RegistrationError`].
pub async fn delete(ctx: &Ctx<'_>, Managed { client, .. }: Managed) -> Result<(), RegistrationError> {
    Ok(clients::delete(ctx, &client.id).await?)
}

/// RFC 7592 §2.2: the request names the client, may show its secret, and nothing that we give out.
fn check_identity(ctx: &Ctx<'_>, client: &Client, members: &mut Map<String, Value>) -> Result<(), OAuthError> {
    let ours =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    if let Some(name) = ours.iter().find(|name| members.contains_key(**name)) {
        return Err(OAuthError::invalid_request(format!("{name} must not be in the request (RFC 7592 §2.2)")));
    }
    if members.remove("client_id").as_ref().and_then(Value::as_str) != Some(client.id.as_str()) {
        return Err(OAuthError::invalid_request("client_id must be there and name the client"));
    }
    let secret = members.remove("client_secret");
    let matches = |secret: &Value| secret.as_str().is_some_and(|secret| clients::has_secret(client, secret, ctx.now()));
    match secret {
        Some(secret) if !matches(&secret) => Err(OAuthError::invalid_request("client_secret is not the client's")),
        _ => Ok(()),
    }
}

/// The digest of a registration token as it is kept.
fn digest(token: &Secret<String>) -> String {
    opaque::digest_of_secret(token.expose()).hex()
}
