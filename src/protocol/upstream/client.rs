//! The library's client, over our own way out: it redeems codes (RFC 6749 §4.1.3) and reads what comes back.

use std::future::Future;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::http::header::{ACCEPT, AUTHORIZATION};
use openidconnect::http::{Request, Response};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointNotSet,
    EndpointSet, IdTokenFields, IssuerUrl, JsonWebKeySet, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    StandardErrorResponse, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::claims::Claims;
use super::{Endpoints, Finding, Refused, callback, fine, wrong};
use crate::crypto::digest::{Digest, base64url};
use crate::domain::upstream_logins::Returned;
use crate::domain::{Core, Ctx, connections};
use crate::model::connection::Connection;
use crate::outbound::OutboundError;

/// Claims beside the standard ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Others {
    #[serde(flatten)]
    all: Claims,
}

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// What a token endpoint answers.
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

type Client = openidconnect::Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// How the library asks.
fn ask<'c>(core: &'c Core) -> impl Fn(Request<Vec<u8>>) -> Asked<'c> {
    move |request| Box::pin(send(core, request))
}

/// What is answered, unless that is trouble of the provider's own.
async fn send(core: &Core, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutboundError> {
    let answer = core.outbound.send(request).await?;
    let status = answer.status();
    if status.is_server_error() { Err(OutboundError::Failing(status.as_u16())) } else { Ok(answer) }
}

type Asked<'c> = std::pin::Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, OutboundError>> + Send + 'c>>;

/// Why a token endpoint gives nothing.
type Unredeemed = RequestTokenError<OutboundError, StandardErrorResponse<CoreErrorResponseType>>;

/// What a token endpoint says against us (RFC 6749 §5.2), which some say with status 200.
fn said(why: &Unredeemed) -> Option<StandardErrorResponse<CoreErrorResponseType>> {
    match why {
        RequestTokenError::ServerResponse(said) => Some(said.clone()),
        RequestTokenError::Parse(_, body) => serde_json::from_slice(body).ok(),
        RequestTokenError::Request(_) | RequestTokenError::Other(_) => None,
    }
}

/// A parser's complaint, where it is of the ID token or of what is missing; others may quote a token.
fn loggable(complaint: &str) -> &str {
    let harmless = ["missing field", "Failed to parse", "Invalid JSON web token"];
    if harmless.iter().any(|begin| complaint.starts_with(begin)) { complaint } else { "it is no token response" }
}

/// Redeems a code.
///
/// # Errors
/// The provider can't be reached, or gives nothing for it.
pub(super) async fn redeem(
    ctx: &Ctx<'_>,
    connection: &Connection,
    endpoints: &Endpoints,
    code: &str,
    returned: &Returned,
) -> Result<Tokens, Refused> {
    exchange(ctx, connection, endpoints, code, returned.verifier.expose()).await?.map_err(|why| {
        match (said(&why), why) {
            (Some(said), _) => Refused::Untrusted(format!("no tokens: {said}")),
            (None, RequestTokenError::Request(why)) => Refused::Unreachable(why.to_string()),
            (None, RequestTokenError::Parse(why, _)) => {
                Refused::Untrusted(format!("the tokens can't be read: {}", loggable(&why.inner().to_string())))
            }
            (None, why) => Refused::Untrusted(format!("no tokens: {why}")),
        }
    })
}

/// Whether the token endpoint takes us for who we say we are: by how it refuses a code that nobody was given.
///
/// # Errors
/// Our secret can't be unsealed, or the address is none.
pub(super) async fn knock(ctx: &Ctx<'_>, connection: &Connection, endpoints: &Endpoints) -> Result<Finding, Refused> {
    use CoreErrorResponseType::{Extension, InvalidClient, InvalidGrant, UnauthorizedClient};
    let what = "token endpoint";
    let made_up = base64url(Digest::of(b"a code that nobody was given").as_bytes());
    let Err(why) = exchange(ctx, connection, endpoints, &made_up, &made_up).await? else {
        return Ok(wrong(what, "it gives tokens for a code that we made up"));
    };
    let client = &endpoints.client_id;
    Ok(match (said(&why), why) {
        (Some(said), _) => match said.error() {
            InvalidClient | UnauthorizedClient => {
                wrong(what, format!("it does not take us for {client}: {said}; is the secret the one that it knows?"))
            }
            // GitHub's word for the same.
            Extension(code) if code == "incorrect_client_credentials" => {
                wrong(what, format!("it does not take us for {client}: {said}"))
            }
            InvalidGrant => fine(what, format!("it knows {client}, and refuses a code that we made up")),
            other => fine(what, format!("it refuses a code that we made up: {}", other.as_ref())),
        },
        (None, RequestTokenError::Request(why)) if !matches!(why, OutboundError::Failing(_)) => {
            wrong(what, format!("{}: {why}", endpoints.token))
        }
        // A code that nobody was given is not what it is made for.
        (None, why) => fine(what, format!("reached; only a sign-in shows whether it gives tokens ({why})")),
    })
}

/// What a token endpoint gives for a code.
///
/// # Errors
/// Our secret can't be unsealed, or the address is none.
async fn exchange(
    ctx: &Ctx<'_>,
    connection: &Connection,
    endpoints: &Endpoints,
    code: &str,
    verifier: &str,
) -> Result<Result<Tokens, Unredeemed>, Refused> {
    let unusable = |why: openidconnect::url::ParseError| Refused::Unreachable(why.to_string());
    let secret = connections::secret(ctx.core, connection)?;
    let secret = secret.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
    let auth = if endpoints.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
    // The issuer and the keys of the library's client serve what we do ourselves, in `oidc`.
    let issuer = IssuerUrl::new(endpoints.token.clone()).map_err(unusable)?;
    let mut client: Client =
        openidconnect::Client::new(ClientId::new(endpoints.client_id.clone()), issuer, JsonWebKeySet::new(Vec::new()))
            .set_token_uri(TokenUrl::new(endpoints.token.clone()).map_err(unusable)?)
            .set_redirect_uri(RedirectUrl::new(callback(ctx, connection.id)).map_err(unusable)?)
            .set_auth_type(auth);
    if let Some(secret) = secret {
        client = client.set_client_secret(ClientSecret::new(secret));
    }
    let mut request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
    if endpoints.pkce {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
    }
    Ok(request.request_async(&ask(ctx.core)).await)
}

/// Who somebody is, asked with their token (OpenID Connect Core §5.3, RFC 6750 §2.1).
///
/// # Errors
/// The provider can't be reached, or answers with anything but a JSON object.
pub(super) async fn userinfo(core: &Core, url: &str, token: &str) -> Result<Claims, Refused> {
    let request = Request::get(url)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Vec::new())
        .map_err(|_| Refused::Untrusted("the access token can't be sent".to_owned()))?;
    let answer = send(core, request).await.map_err(|why| Refused::Unreachable(why.to_string()))?;
    if answer.status() != 200 {
        return Err(Refused::Untrusted(format!("userinfo has status {}", answer.status().as_u16())));
    }
    let said = serde_json::from_slice::<Claims>(answer.body());
    let mut said = said.map_err(|_| Refused::Untrusted("userinfo is no JSON object".to_owned()))?;
    // How somebody signed in is said by a signature or by nobody (OpenID Connect Core §2).
    said.remove("amr");
    Ok(said)
}
