//! The answer of an OpenID provider, from code to claims (OpenID Connect Core §3.1.3).

use std::time::Duration;

use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    TokenResponse as _,
};

use super::claims::{self, Claims};
use super::client::{self, Tokens};
use super::metadata::{self, Metadata};
use super::{Answer, Refused, code};
use crate::domain::Ctx;
use crate::domain::identities::Claimed;
use crate::domain::upstream_logins::Returned;
use crate::model::connection::{Connection, OidcProvider};

/// How far two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

/// What the provider says of who came back.
///
/// # Errors
/// See [`Refused`].
pub(super) async fn claimed(
    ctx: &Ctx<'_>,
    connection: &Connection,
    oidc: &OidcProvider,
    answer: Answer<'_>,
    returned: &Returned,
) -> Result<Claimed, Refused> {
    let metadata = metadata::find(ctx.core, &oidc.issuer).await.map_err(Refused::Unreachable)?;
    check_issuer(&metadata, answer)?;
    let code = code(answer)?;
    let endpoints = metadata::endpoints(&metadata, oidc)?;
    let tokens = client::redeem(ctx, connection, &endpoints, code, returned).await?;
    let signed = id_token(ctx, &metadata, oidc, &tokens, returned).await?;
    let mut all = Claims::new();
    if oidc.userinfo {
        all = userinfo(ctx, &metadata, &tokens, &signed).await?;
    }
    // What is signed counts more.
    all.extend(signed);
    claims::claimed(&connection.settings.mapping, &all)
        .ok_or_else(|| Refused::Untrusted("its claims do not say who it is".to_owned()))
}

/// RFC 9207 §2.4: whose answer it is, if it says so, and it must where the provider promised.
fn check_issuer(metadata: &Metadata, answer: Answer<'_>) -> Result<(), Refused> {
    match answer.iss {
        Some(iss) if iss == metadata.issuer().as_str() => Ok(()),
        Some(_) => Err(Refused::Untrusted("the answer is of another issuer (iss)".to_owned())),
        None if metadata.additional_metadata().authorization_response_iss_parameter_supported => {
            Err(Refused::Untrusted("the answer does not say whose it is (iss), as the provider promised".to_owned()))
        }
        None => Ok(()),
    }
}

/// The claims of the ID token (OpenID Connect Core §3.1.3.7). If the keys at hand do not do, and there may be
/// others by now, it is looked at once more with those (§10.1.1).
async fn id_token(
    ctx: &Ctx<'_>,
    metadata: &Metadata,
    oidc: &OidcProvider,
    tokens: &Tokens,
    returned: &Returned,
) -> Result<Claims, Refused> {
    let untrusted = |why: String| Refused::Untrusted(format!("ID token: {why}"));
    let token = tokens.id_token().ok_or_else(|| untrusted("there is none".to_owned()))?;
    let algorithms = metadata::algorithms(metadata);
    let now = ctx.now();
    for anew in [false, true] {
        let keys = metadata::keys(ctx.core, metadata, anew).await.map_err(Refused::Unreachable)?;
        let issuer = IssuerUrl::new(oidc.issuer.clone()).map_err(|why| Refused::Unreachable(why.to_string()))?;
        // The library never sees our secret here, so that nothing is believed that it could have signed.
        let verifier = IdTokenVerifier::new_public_client(ClientId::new(oidc.client_id.clone()), issuer, keys)
            .set_allowed_algs(algorithms.to_vec())
            .set_time_fn(move || (now - LEEWAY).to_chrono())
            .set_issue_time_verifier_fn(move |at| {
                if at > (now + LEEWAY).to_chrono() { Err("it is of the future".to_owned()) } else { Ok(()) }
            });
        let said = match token.claims(&verifier, &Nonce::new(returned.nonce.clone())) {
            Ok(said) => said,
            Err(ClaimsVerificationError::SignatureVerification(_)) if !anew => continue,
            Err(ClaimsVerificationError::SignatureVerification(why)) => return Err(untrusted(why.to_string())),
            Err(why) => return Err(untrusted(why.to_string())),
        };
        // §3.1.3.7 (4, 5): an audience of several is refused above.
        if said.authorized_party().is_some_and(|party| party.as_str() != oidc.client_id) {
            return Err(untrusted("it was made for another client (azp)".to_owned()));
        }
        // §3.1.2.1, `prompt`: who was to show that it is still them must have done so since.
        let since = returned.again_since.map(|since| (since - LEEWAY).to_chrono());
        if said.auth_time().zip(since).is_some_and(|(at, since)| at < since) {
            return Err(untrusted("they did not sign in anew, as was asked (auth_time)".to_owned()));
        }
        if let Some(hash) = said.access_token_hash() {
            let alg = token.signing_alg().map_err(|why| untrusted(why.to_string()))?;
            let key = token.signing_key(&verifier).map_err(|why| untrusted(why.to_string()))?;
            let own = AccessTokenHash::from_token(tokens.access_token(), alg, key);
            if own.map_err(|why| untrusted(why.to_string()))? != *hash {
                return Err(untrusted("it belongs to another access token (at_hash)".to_owned()));
            }
        }
        return match serde_json::to_value(said) {
            Ok(serde_json::Value::Object(claims)) => Ok(claims),
            _ => Err(untrusted("its claims can't be read".to_owned())),
        };
    }
    Err(untrusted("no key fits".to_owned()))
}

/// What the userinfo endpoint adds, if it speaks of the same person (OpenID Connect Core §5.3.2).
async fn userinfo(ctx: &Ctx<'_>, metadata: &Metadata, tokens: &Tokens, signed: &Claims) -> Result<Claims, Refused> {
    let url = metadata.userinfo_endpoint();
    let url = url.ok_or_else(|| Refused::Unreachable("it has no userinfo endpoint".to_owned()))?;
    let said = client::userinfo(ctx.core, url.as_str(), tokens.access_token().secret()).await?;
    if said.get("sub") != signed.get("sub") {
        return Err(Refused::Untrusted("userinfo speaks of somebody else (sub)".to_owned()));
    }
    Ok(said)
}
