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
use super::{Endpoints, Refused, callback};
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
    move |request| Box::pin(core.outbound.send(request))
}

type Asked<'c> = std::pin::Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, OutboundError>> + Send + 'c>>;

/// Redeems a code.
///
/// # Errors
/// The provider can't be reached, or gives nothing for it.
pub(super) async fn redeem(
    ctx: &Ctx<'_>,
    connection: &Connection,
    endpoints: &Endpoints,
    client_id: &str,
    code: &str,
    returned: &Returned,
) -> Result<Tokens, Refused> {
    let unusable = |why: openidconnect::url::ParseError| Refused::Unreachable(why.to_string());
    let secret = connections::secret(ctx.core, connection)?;
    let secret = secret.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
    let auth = if endpoints.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
    // The issuer and the keys of the library's client serve what we do ourselves, in `oidc`.
    let issuer = IssuerUrl::new(endpoints.token.clone()).map_err(unusable)?;
    let mut client: Client =
        openidconnect::Client::new(ClientId::new(client_id.to_owned()), issuer, JsonWebKeySet::new(Vec::new()))
            .set_token_uri(TokenUrl::new(endpoints.token.clone()).map_err(unusable)?)
            .set_redirect_uri(RedirectUrl::new(callback(ctx, connection.id)).map_err(unusable)?)
            .set_auth_type(auth);
    if let Some(secret) = secret {
        client = client.set_client_secret(ClientSecret::new(secret));
    }
    let mut request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
    if endpoints.pkce {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(returned.verifier.expose().clone()));
    }
    request.request_async(&ask(ctx.core)).await.map_err(|why| match why {
        RequestTokenError::Request(why) => Refused::Unreachable(why.to_string()),
        RequestTokenError::ServerResponse(said) => Refused::Untrusted(format!("no tokens: {said}")),
        RequestTokenError::Parse(why, _) => Refused::Untrusted(format!("the tokens can't be read: {}", why.path())),
        RequestTokenError::Other(why) => Refused::Untrusted(format!("no tokens: {why}")),
    })
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
    let answer = core.outbound.send(request).await.map_err(|why| Refused::Unreachable(why.to_string()))?;
    if answer.status() != 200 {
        return Err(Refused::Untrusted(format!("userinfo has status {}", answer.status().as_u16())));
    }
    serde_json::from_slice(answer.body()).map_err(|_| Refused::Untrusted("userinfo is no JSON object".to_owned()))
}
