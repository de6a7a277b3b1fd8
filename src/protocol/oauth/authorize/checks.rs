//! The checks of an authorization request, one rule each; their order is in `request.rs`.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::super::claims::{OFFLINE_ACCESS, OPENID};
use super::super::error::{ErrorCode, OAuthError};
use super::super::params::Params;
use super::super::{claims as claim_names, oxide};
use super::request::Refusal;
use super::response::Target;
use crate::crypto::jws::{self, Typ};
use crate::domain::clients::{self, LiveClient};
use crate::domain::login_transactions::Parameters;
use crate::domain::{Ctx, DomainError, keys, subjects};
use crate::model::authorization::{ClaimsRequest, Prompt, ResponseType};
use crate::model::authorization_request::Source;
use crate::model::client::GrantType;
use crate::model::ids::{ClientId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::session::ACR_VALUES;

/// The most of a parameter that is kept, in bytes.
const LONG: usize = 1024;
/// The most of a whole request that is kept, in bytes.
const MOST: usize = 16 * 1024;
/// The parameters that are answered to.
const KNOWN: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "display",
    "claims",
    "acr_values",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "resource",
];

fn invalid(text: &'static str) -> OAuthError {
    OAuthError::invalid_request(text)
}

/// Who asks: a client that is there, enabled, and named once.
pub(super) async fn client(
    ctx: &Ctx<'_>,
    params: &Params<'_>,
    repeated: Option<&str>,
) -> Result<Arc<LiveClient>, OAuthError> {
    if repeated == Some("client_id") {
        return Err(invalid("The parameter client_id is there more than once"));
    }
    let id = params.require("client_id")?;
    let unknown = || {
        OAuthError::new(ErrorCode::InvalidClient, "No app is registered under this client_id").because("unknown client")
    };
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    clients::live(ctx.core, ctx.tenant_id(), &id).await.map_err(|error| match error {
        DomainError::NotFound(_) => unknown(),
        other => other.into(),
    })
}

/// Where the answer goes: one of the registered URIs, byte for byte. Only a registered loopback
/// address may have any port (RFC 8252 §7.3).
pub(super) fn redirect_uri(
    client: &LiveClient,
    params: &Params<'_>,
    repeated: Option<&str>,
) -> Result<String, OAuthError> {
    if repeated == Some("redirect_uri") {
        return Err(invalid("The parameter redirect_uri is there more than once"));
    }
    let registered = &client.client.redirect_uris;
    let openid = params.get("scope").is_some_and(|scope| scope.split(' ').any(|word| word == OPENID));
    match (params.get("redirect_uri"), registered.as_slice()) {
        (Some(asked), _) if registered.iter().any(|known| known == asked) => Ok(asked.to_owned()),
        (Some(asked), _) if registered.iter().any(|known| is_same_loopback(known, asked)) => Ok(asked.to_owned()),
        (Some(_), _) => {
            Err(invalid("The redirect_uri is not registered for this app").because("redirect_uri is not registered"))
        }
        // RFC 6749 §3.1.2.3; OpenID Connect Core §3.1.2.1 wants it named.
        (None, [only]) if !openid => Ok(only.clone()),
        (None, _) => Err(invalid("The parameter redirect_uri is missing")),
    }
}

/// The same but for the port, where the registered one is a loopback address.
fn is_same_loopback(registered: &str, asked: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|host| {
        let rest = |uri: &str| {
            let rest = uri.strip_prefix(host)?;
            let rest = match rest.strip_prefix(':') {
                Some(port) => {
                    let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
                    port.get(..end)?.parse::<u16>().ok()?;
                    port.get(end..)?
                }
                None => rest,
            };
            (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| rest.to_owned())
        };
        matches!((rest(registered), rest(asked)), (Some(one), Some(other)) if one == other)
    })
}

/// A request object that can't be read does not make the browser's own parameters count, but where
/// they name a registered redirect URI, the client may be told.
pub(super) fn trusted_anyway(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    sent: &Params<'_>,
    repeated: Option<&str>,
    error: OAuthError,
) -> Refusal {
    match redirect_uri(client, sent, repeated) {
        Ok(uri) if error.code != ErrorCode::TemporarilyUnavailable => {
            let mut target = Target::draft(ctx, uri, sent, repeated);
            if let Some(response_type) = sent.get("response_type").and_then(|text| text.parse().ok()) {
                let _ = target.settle(response_type, sent);
            }
            Refusal::Redirect(Box::new(target), error)
        }
        _ => Refusal::Page(error),
    }
}

/// What of a request is kept while its person signs in: what is answered to, and no more of it than
/// anybody needs, since anybody may send one.
pub(super) fn kept(params: &Params<'_>) -> Result<Parameters, OAuthError> {
    let mut pairs = params.pairs();
    pairs.retain(|(name, _)| KNOWN.contains(&name.as_str()));
    if pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST {
        return Err(OAuthError::invalid_request(format!("The request is longer than {MOST} bytes")));
    }
    Ok(pairs)
}

/// No parameter twice (RFC 6749 §3.1).
pub(super) fn once(repeated: Option<&str>) -> Result<(), OAuthError> {
    match repeated {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().filter(char::is_ascii_graphic).take(64).collect();
            Err(OAuthError::invalid_request(format!("The parameter {name} is there more than once")))
        }
    }
}

/// What the answer carries: known, registered, and open to the client.
pub(super) fn response_type(client: &LiveClient, params: &Params<'_>) -> Result<ResponseType, OAuthError> {
    let asked: ResponseType = params
        .require("response_type")?
        .parse()
        .map_err(|_| OAuthError::new(ErrorCode::UnsupportedResponseType, "This response_type is not supported"))?;
    let settings = &client.client.settings;
    let legacy = asked.is_front_channel();
    if legacy && !settings.legacy_response_types {
        let text = "Response types that send tokens through the browser are switched off for this app";
        return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, text));
    }
    let grants = [(asked.code, GrantType::AuthorizationCode), (legacy, GrantType::Implicit)];
    let registered = settings.response_types.contains(&asked)
        && grants.into_iter().all(|(needed, grant)| !needed || client.client.may_use(grant));
    if registered {
        Ok(asked)
    } else {
        Err(OAuthError::new(ErrorCode::UnauthorizedClient, "This app is not registered for this response_type"))
    }
}

/// The ways that the client must use. Whether what was pushed was signed, was asked when it was pushed.
pub(super) fn source(client: &LiveClient, source: Source, is_being_pushed: bool) -> Result<(), OAuthError> {
    let settings = &client.client.settings;
    let was_pushed = matches!(source, Source::Pushed(_));
    if settings.require_pushed_authorization_requests && !was_pushed && !is_being_pushed {
        return Err(invalid("This app must push its requests (RFC 9126)"));
    }
    if settings.require_signed_request_object && !was_pushed && source != Source::SignedObject {
        return Err(invalid("This app must sign its requests (RFC 9101)"));
    }
    Ok(())
}

/// What is not answered, said rather than ignored.
pub(super) fn unsupported(params: &Params<'_>) -> Result<(), OAuthError> {
    match params.get("registration") {
        None => Ok(()),
        Some(_) => {
            Err(OAuthError::new(ErrorCode::RegistrationNotSupported, "The parameter registration is not supported"))
        }
    }
}

/// What is asked for, less what the client may not ask for, and less what could not be had: tokens that
/// outlive the session come of a code alone (OpenID Connect Core §11).
pub(super) fn scope(
    client: &LiveClient,
    params: &Params<'_>,
    response_type: ResponseType,
) -> Result<OAuthScope, OAuthError> {
    let scope = oxide::authorization(params, &client.client.id, &client.client.scope)?;
    if response_type.id_token && !scope.contains(OPENID) {
        return Err(invalid("An ID token needs the scope openid"));
    }
    Ok(if response_type.code { scope } else { scope.without(&OAuthScope::from_tokens([OFFLINE_ACCESS])) })
}

/// The client's own mark: needed where an ID token travels through the browser.
pub(super) fn nonce(params: &Params<'_>, response_type: ResponseType) -> Result<Option<String>, OAuthError> {
    match params.get("nonce") {
        Some(nonce) if nonce.len() > LONG => Err(invalid("The nonce is longer than 1024 bytes")),
        None if response_type.id_token => Err(invalid("The parameter nonce is missing")),
        other => Ok(other.map(str::to_owned)),
    }
}

/// The challenge that the code will be bound to: S256 or nothing (RFC 9700 §2.1.1).
pub(super) fn pkce(
    client: &LiveClient,
    params: &Params<'_>,
    response_type: ResponseType,
) -> Result<Option<String>, OAuthError> {
    let Some(challenge) = params.get("code_challenge") else {
        if params.get("code_challenge_method").is_some() {
            return Err(invalid("The parameter code_challenge is missing"));
        }
        let needed = client.client.settings.require_pkce || client.client.is_public();
        return if needed && response_type.code {
            Err(invalid("PKCE is needed: send code_challenge with S256"))
        } else {
            Ok(None)
        };
    };
    if params.get("code_challenge_method") != Some("S256") {
        return Err(invalid("The code_challenge_method must be S256"));
    }
    // SHA-256 in base64url is 43 characters (RFC 7636 §4.2).
    let well_formed =
        challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if well_formed { Ok(Some(challenge.to_owned())) } else { Err(invalid("The code_challenge is malformed")) }
}

/// What the person must be shown.
pub(super) fn prompts(params: &Params<'_>) -> Result<Vec<Prompt>, OAuthError> {
    let Some(text) = params.get("prompt") else { return Ok(Vec::new()) };
    let words = text.split(' ').filter(|word| !word.is_empty());
    let prompts: Vec<Prompt> = words
        .map(|word| word.parse().map_err(|_| invalid("The prompt has an unknown value")))
        .collect::<Result<_, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(invalid("The prompt none stands alone"));
    }
    Ok(prompts)
}

/// How old the sign-in may be.
pub(super) fn max_age(client: &LiveClient, params: &Params<'_>) -> Result<Option<Duration>, OAuthError> {
    let seconds = match params.get("max_age") {
        Some(text) => Some(text.parse::<u32>().map_err(|_| invalid("The max_age is not a number of seconds"))?.into()),
        None => client.client.settings.default_max_age,
    };
    Ok(seconds.map(Duration::from_secs))
}

/// How the page is shown; ours fit everywhere.
pub(super) fn display(params: &Params<'_>) -> Result<(), OAuthError> {
    match params.get("display") {
        None | Some("page" | "popup" | "touch" | "wap") => Ok(()),
        Some(_) => Err(invalid("The display has an unknown value")),
    }
}

/// Single claims that are asked for.
pub(super) fn claims(params: &Params<'_>) -> Result<ClaimsRequest, OAuthError> {
    params.get("claims").map(claim_names::parse).transpose().map(Option::unwrap_or_default)
}

/// What the sign-in shall be worth, and whether the client can't do without. Values that we do not
/// know can't be reached.
pub(super) fn acr(client: &LiveClient, params: &Params<'_>, claims: &ClaimsRequest) -> (Vec<String>, bool) {
    if let Some(wish) = claims.id_token.get("acr") {
        let named = wish.value.iter().chain(&wish.values).filter_map(|value| value.as_str().map(str::to_owned));
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            return (named, wish.essential);
        }
    }
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let asked = params.get("acr_values").map_or_else(|| client.client.settings.default_acr_values.clone(), words);
    // A wish that nobody can fulfil is none (OpenID Connect Core §3.1.2.1: voluntary).
    let known = asked.into_iter().filter(|value| ACR_VALUES.contains(&value.as_str())).collect();
    (known, false)
}

/// What we said before about whoever is expected.
#[derive(Deserialize)]
struct Hint {
    iss: String,
    sub: String,
    aud: crate::domain::tokens::claims::Audience,
}

/// Whom an ID token of ours names: signed by us, for this client; it may have expired (OpenID Connect
/// Core §3.1.2.1).
///
/// # Errors
/// `invalid_request`, or the database is unavailable.
pub(in crate::protocol::oauth) async fn id_token_hint(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    params: &Params<'_>,
) -> Result<Option<UserId>, OAuthError> {
    let Some(token) = params.get("id_token_hint") else { return Ok(None) };
    let refused = || invalid("The id_token_hint is not an ID token of ours for this app");
    let peeked = jws::peek(token).ok_or_else(refused)?;
    let ring = keys::keyring(ctx.core, ctx.tenant_id()).await?;
    let key = peeked.kid.as_deref().and_then(|kid| ring.verifying(kid)).ok_or_else(refused)?;
    let hint: Hint = peeked.verify(key, Typ::Is(jws::TYP_JWT)).map_err(|_| refused())?;
    if hint.iss != ctx.tenant.issuer || !hint.aud.contains(client.client.id.as_str()) {
        return Err(refused());
    }
    subjects::user(ctx.core, &client.client, &hint.sub).map(Some).ok_or_else(refused)
}

/// The only person for whom the request may be answered.
pub(super) fn person(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    hinted: Option<UserId>,
    claims: &ClaimsRequest,
) -> Result<Option<UserId>, OAuthError> {
    let wish = claims.id_token.get("sub").and_then(|wish| wish.value.as_ref());
    let Some(wish) = wish else { return Ok(hinted) };
    let unknown = || OAuthError::new(ErrorCode::LoginRequired, "The person that is asked for is not known");
    let wished =
        wish.as_str().and_then(|subject| subjects::user(ctx.core, &client.client, subject)).ok_or_else(unknown)?;
    if hinted.is_some_and(|hinted| hinted != wished) {
        return Err(invalid("The id_token_hint and the sub that is asked for name different people"));
    }
    Ok(Some(wished))
}

#[cfg(test)]
mod tests {
    use super::is_same_loopback;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        for (registered, asked) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
            ("http://127.0.0.1:8000/cb?x=1", "http://127.0.0.1/cb?x=1"),
            ("http://[::1]:1/", "http://[::1]:65535/"),
        ] {
            assert!(is_same_loopback(registered, asked), "{asked}");
        }
        for (registered, asked) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb2"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "http://[::1]/cb"),
            ("http://localhost/cb", "http://localhost:1/cb"),
            ("https://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
        ] {
            assert!(!is_same_loopback(registered, asked), "{asked}");
        }
    }
}
