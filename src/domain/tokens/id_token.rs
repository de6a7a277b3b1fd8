//! ID tokens (OpenID Connect Core §2): signed by the tenant, read by one client.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::crypto::digest::base64url;
use crate::crypto::jws;
use crate::domain::clients::LiveClient;
use crate::domain::{Ctx, DomainError, keys, subjects};
use crate::model::authorization::{ClaimsRequest, SignIn};
use crate::model::ids::{FamilyId, UserId};
use crate::model::signing_key::SigningAlg;
use crate::storage::tokens;

/// What an ID token shall say.
pub struct IdToken<'a> {
    /// Whom it signs in.
    pub user: UserId,
    /// How and when they proved who they are.
    pub sign_in: &'a SignIn,
    /// The client's own mark, as it came.
    pub nonce: Option<&'a str>,
    /// The access token that comes along (`at_hash`, §3.1.3.6).
    pub access_token: Option<&'a str>,
    /// The code that comes along (`c_hash`, §3.3.2.11).
    pub code: Option<&'a str>,
    /// What else was asked for and allowed.
    pub claims: Map<String, Value>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c_hash: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Makes an ID token for a client.
///
/// # Errors
/// The database is unavailable.
pub async fn id_token(ctx: &Ctx<'_>, client: &LiveClient, wanted: IdToken<'_>) -> Result<String, DomainError> {
    let alg = client.client.settings.id_token_signed_response_alg;
    let now = ctx.now();
    let subject = subjects::of(ctx.core, &client.client, wanted.user)?;
    let named = |session| subjects::sid(ctx.core, &client.client, session);
    let claims = Claims {
        iss: &ctx.tenant.issuer,
        sub: &subject,
        aud: client.client.id.as_str(),
        azp: client.client.id.as_str(),
        exp: (now + ctx.core.config.tokens.id).seconds(),
        iat: now.seconds(),
        jti: base64url(&ctx.core.entropy.bytes::<16>()),
        auth_time: wanted.sign_in.auth_time.seconds(),
        nonce: wanted.nonce,
        acr: wanted.sign_in.acr.as_deref(),
        amr: &wanted.sign_in.amr,
        sid: wanted.sign_in.session.map(named).transpose()?,
        at_hash: wanted.access_token.map(|token| jws::half_hash(alg, token)),
        c_hash: wanted.code.map(|code| jws::half_hash(alg, code)),
        more: wanted.claims,
    };
    let ring = keys::keyring(ctx.core, ctx.tenant_id()).await?;
    Ok(jws::sign(ring.signing(alg)?, jws::TYP_JWT, &claims)?)
}

/// Signs what else is said to one client (OpenID Connect Core §5.3.2).
///
/// # Errors
/// The database is unavailable.
pub async fn sign_for_client(
    ctx: &Ctx<'_>,
    alg: SigningAlg,
    claims: &Map<String, Value>,
) -> Result<String, DomainError> {
    let ring = keys::keyring(ctx.core, ctx.tenant_id()).await?;
    Ok(jws::sign(ring.signing(alg)?, jws::TYP_JWT, claims)?)
}

/// The single claims that an authorization was asked for with (OpenID Connect Core §5.5).
///
/// # Errors
/// The database is unavailable.
pub async fn wishes(ctx: &Ctx<'_>, family: FamilyId) -> Result<ClaimsRequest, DomainError> {
    let found = tokens::find_family(&ctx.core.db.read().of(ctx.tenant_id()), family).await?;
    Ok(found.map(|family| family.claims).unwrap_or_default())
}
