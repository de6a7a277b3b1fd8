//! How a client proves who it is (RFC 6749 §2.3, RFC 7523 §2.2, OpenID Connect Core §9).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;

use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::crypto::jws::{self, Peeked, Typ};
use crate::domain::clients::{self, LiveClient};
use crate::domain::tokens::claims::Audience;
use crate::domain::{Ctx, DomainError};
use crate::model::audit::Outcome;
use crate::model::client::AuthMethod;
use crate::model::ids::ClientId;
use crate::model::time::Timestamp;

/// A client that proved who it is, or a public one that named itself; only this module makes one.
#[derive(Clone)]
pub struct AuthenticatedClient(Arc<LiveClient>);

impl std::ops::Deref for AuthenticatedClient {
    type Target = LiveClient;
    fn deref(&self) -> &LiveClient {
        &self.0
    }
}

/// What a request offers as proof. More than one is an error (RFC 6749 §2.3).
enum Proof<'a> {
    /// HTTP Basic: both halves form-decoded (RFC 6749 §2.3.1).
    Basic(String, String),
    /// Id and secret in the body.
    Post(&'a str, &'a str),
    /// A signed assertion, and the id beside it, if there is one.
    Assertion(&'a str, Option<&'a str>),
    /// Only an id.
    None(&'a str),
}

/// The type of an assertion (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest that an assertion may be good for: its `jti` must be remembered that long.
const LONGEST_ASSERTION: Duration = Duration::from_secs(3600);

/// Finds out which client asks, by exactly one method.
///
/// # Errors
/// `invalid_request` for two methods at once; `invalid_client` for anything that proves nothing;
/// `temporarily_unavailable`.
pub async fn authenticate(
    ctx: &Ctx<'_>,
    authorization: Option<&str>,
    params: &Params<'_>,
) -> Result<AuthenticatedClient, OAuthError> {
    let proof = offered(authorization, params)?;
    let basic = matches!(proof, Proof::Basic(..));
    let outcome = check(ctx, &proof).await;
    outcome.map_err(|mut error| {
        error.challenge = basic && error.code == ErrorCode::InvalidClient;
        error
    })
}

fn offered<'a>(authorization: Option<&str>, params: &'a Params<'a>) -> Result<Proof<'a>, OAuthError> {
    let (id, secret, assertion) =
        (params.get("client_id"), params.get("client_secret"), params.get("client_assertion"));
    let proof = match (authorization, secret, assertion) {
        (Some(header), None, None) => {
            let (user, password) = basic(header)?;
            if id.is_some_and(|id| id != user) {
                return Err(OAuthError::invalid_request(
                    "client_id and the Authorization header name different clients",
                ));
            }
            Proof::Basic(user, password)
        }
        (None, Some(secret), None) => {
            let id = id.ok_or_else(|| invalid_client("The parameter client_id is missing", "no client id"))?;
            Proof::Post(id, secret)
        }
        (None, None, Some(assertion)) => {
            if params.require("client_assertion_type")? != JWT_BEARER {
                return Err(OAuthError::invalid_request(format!("client_assertion_type must be {JWT_BEARER}")));
            }
            Proof::Assertion(assertion, id)
        }
        (None, None, None) => match id {
            Some(id) => Proof::None(id),
            None => return Err(invalid_client("The client did not say who it is", "no client authentication")),
        },
        _ => return Err(OAuthError::invalid_request("The request uses more than one way of client authentication")),
    };
    Ok(proof)
}

fn basic(header: &str) -> Result<(String, String), OAuthError> {
    let malformed = || OAuthError {
        challenge: true,
        ..invalid_client("The Authorization header is not HTTP Basic", "malformed Basic")
    };
    let (scheme, encoded) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (user, password) = text.split_once(':').ok_or_else(malformed)?;
    Ok((form_decoded(user), form_decoded(password)))
}

/// One value of `application/x-www-form-urlencoded`.
fn form_decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let spaced = text.replace('+', " ");
    percent_decoded(&spaced).unwrap_or(spaced)
}

/// `None` where an escape is broken or does not make UTF-8: then the text stands for itself, as
/// clients send it that do not encode.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (pair, tail) = tail.split_first_chunk::<2>()?;
            let pair = std::str::from_utf8(pair).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn invalid_client(description: &'static str, cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description).because(cause)
}

async fn check(ctx: &Ctx<'_>, proof: &Proof<'_>) -> Result<AuthenticatedClient, OAuthError> {
    let checked = match proof {
        Proof::Basic(id, secret) => by_secret(ctx, id, secret).await,
        Proof::Post(id, secret) => by_secret(ctx, id, secret).await,
        Proof::Assertion(assertion, id) => by_assertion(ctx, assertion, *id).await,
        Proof::None(id) => find(ctx, id).await.and_then(|client| match client.client.auth_method {
            AuthMethod::None => Ok(client),
            _ => Err(invalid_client("Client authentication is required", "no proof")),
        }),
    };
    if let Err(OAuthError { code: ErrorCode::InvalidClient, cause, .. }) = &checked {
        note_failure(ctx, proof, cause.as_deref()).await?;
    }
    checked.map(AuthenticatedClient)
}

/// A wrong secret is a row in the audit log; a client that does not exist is nobody's.
async fn note_failure(ctx: &Ctx<'_>, proof: &Proof<'_>, cause: Option<&str>) -> Result<(), OAuthError> {
    let id = match proof {
        Proof::Basic(id, _) => id.as_str(),
        Proof::Post(id, _) | Proof::None(id) => id,
        Proof::Assertion(..) => "by assertion",
    };
    let target = format!("client:{}", id.chars().take(128).collect::<String>());
    let entry = ctx.audit("client.authenticate", Some(target), Outcome::Failure, cause.map(str::to_owned));
    Ok(crate::domain::audit::append(ctx.core, entry).await?)
}

async fn find(ctx: &Ctx<'_>, id: &str) -> Result<Arc<LiveClient>, OAuthError> {
    let unknown = || invalid_client("Client not found", "unknown client");
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    clients::live(ctx.core, ctx.tenant_id(), &id).await.map_err(|error| match error {
        DomainError::NotFound(_) => unknown(),
        other => other.into(),
    })
}

/// `client_secret_basic` and `client_secret_post`, which stand for each other: both show the secret.
async fn by_secret(ctx: &Ctx<'_>, id: &str, secret: &str) -> Result<Arc<LiveClient>, OAuthError> {
    let client = find(ctx, id).await?;
    match client.client.auth_method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {}
        // A secret that only ever signs must not travel (RFC 7523 §3).
        _ => return Err(invalid_client("Invalid client credentials", "registered for another method")),
    }
    if client.has_secret(secret, ctx.now()) {
        Ok(client)
    } else {
        Err(invalid_client("Invalid client credentials", "wrong secret"))
    }
}

/// What an assertion says (RFC 7523 §3).
#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    iat: Option<f64>,
    jti: String,
}

/// `private_key_jwt` and `client_secret_jwt`.
async fn by_assertion(ctx: &Ctx<'_>, assertion: &str, id: Option<&str>) -> Result<Arc<LiveClient>, OAuthError> {
    let refuse = |cause: &'static str| invalid_client("The client assertion is not acceptable", cause);
    let peeked = jws::peek(assertion).ok_or_else(|| refuse("not a JWT"))?;
    let claimed: Assertion = peeked.unverified().ok_or_else(|| refuse("claims are missing or mistyped"))?;
    // RFC 7521 §4.2: an id beside the assertion names the same client
    if id.is_some_and(|id| id != claimed.sub) {
        return Err(refuse("client_id and the assertion name different clients"));
    }
    let client = find(ctx, &claimed.sub).await?;
    let registered = client.client.settings.token_endpoint_auth_signing_alg.as_deref();
    if registered.is_some_and(|alg| alg.parse() != Ok(peeked.alg)) {
        return Err(refuse("signed with another algorithm than registered"));
    }
    let claims = verify(ctx, &client, &peeked).await.map_err(refuse_or_fail(refuse))?;

    // RFC 7523 §3, in its order: issuer and subject are the client, audience, times, single use.
    if claims.iss != claims.sub {
        return Err(refuse("iss is not the client"));
    }
    let issuer = &ctx.tenant.issuer;
    let endpoints = ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/par", "/oauth/device_authorization"];
    let ours = |audience: &str| {
        audience == issuer || endpoints.iter().any(|path| audience.strip_prefix(issuer.as_str()) == Some(path))
    };
    let addressed = match &claims.aud {
        Audience::One(one) => ours(one),
        Audience::Many(many) => many.iter().any(|one| ours(one)),
    };
    if !addressed {
        return Err(refuse("aud names neither the issuer nor the token endpoint"));
    }
    let (now, leeway) = (ctx.now(), ctx.core.config.tokens.clock_leeway);
    let time = |seconds| Timestamp::from_numeric_date(seconds).ok_or_else(|| refuse("exp, nbf or iat is no time"));
    let expires_at = time(claims.exp)?;
    if expires_at + leeway <= now {
        return Err(refuse("expired"));
    }
    if expires_at > now + LONGEST_ASSERTION + leeway {
        return Err(refuse("good for more than an hour"));
    }
    for begins in claims.nbf.into_iter().chain(claims.iat) {
        if time(begins)? > now + leeway {
            return Err(refuse("not yet good"));
        }
    }
    if claims.jti.is_empty() || claims.jti.len() > 512 {
        return Err(refuse("jti is empty or too long"));
    }
    if !clients::use_assertion(ctx.core, &client.client, &claims.jti, expires_at + leeway).await? {
        return Err(refuse("jti was used before"));
    }
    Ok(client)
}

fn refuse_or_fail(
    refuse: impl Fn(&'static str) -> OAuthError,
) -> impl Fn(Result<&'static str, DomainError>) -> OAuthError {
    move |why| match why {
        Ok(cause) => refuse(cause),
        Err(failure) => failure.into(),
    }
}

/// The claims, if the client's own key or secret signed them; which of the two is registered, never
/// said by the assertion.
async fn verify(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    peeked: &Peeked<'_>,
) -> Result<Assertion, Result<&'static str, DomainError>> {
    match client.client.auth_method {
        AuthMethod::PrivateKeyJwt => {
            let verified = clients::verified(ctx, client, |keys| {
                let mut candidates = keys.candidates(peeked.kid.as_deref(), peeked.alg);
                candidates.find_map(|key| peeked.verify(key, Typ::CLIENT_ASSERTION).ok())
            });
            verified.await.ok_or(Ok("no registered key has signed it"))
        }
        AuthMethod::ClientSecretJwt => {
            let secret = clients::shared_secret(ctx.core, &client.client).map_err(Err)?;
            let secret = secret.ok_or(Ok("no secret is registered"))?;
            peeked.verify_hmac(secret.expose(), Typ::CLIENT_ASSERTION).map_err(|_| Ok("the secret has not signed it"))
        }
        _ => Err(Ok("registered for another method")),
    }
}
