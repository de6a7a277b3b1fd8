//! Requests that do not stand in the address bar: signed request objects by value and by reference
//! (RFC 9101), and pushed requests (RFC 9126).

use serde_json::{Map, Value};

use super::super::error::{ErrorCode, OAuthError};
use super::super::params::Params;
use crate::crypto::jws::{self, Typ};
use crate::domain::clients::{self, LiveClient};
use crate::domain::{Ctx, login_transactions};
use crate::model::authorization_request::Source;
use crate::model::time::Timestamp;

/// What the reference of a pushed request begins with (RFC 9126 §2.2).
pub(in crate::protocol::oauth) const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// What media type a request object has (RFC 9101 §4).
const REQUEST_OBJECT: &str = "application/oauth-authz-req+jwt, application/jwt";
/// The longest reference (RFC 9101 §5.2).
const MAX_URI: usize = 512;

fn refused(cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, "The request object is not acceptable").because(cause)
}

fn not_there(cause: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestUri, "The request_uri leads to no request of this app that counts")
        .because(cause)
}

/// The parameters that count. `may_refer` is false at the endpoint where requests are pushed.
pub(super) async fn resolve(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    sent: &Params<'_>,
    may_refer: bool,
) -> Result<(Params<'static>, Source), OAuthError> {
    match (sent.get("request"), sent.get("request_uri")) {
        (None, None) => Ok((Params::of_pairs(sent.pairs()), Source::Browser)),
        // RFC 9101 §5: one of them
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("Send request or request_uri, not both")),
        (Some(object), None) => Ok((opened(ctx, client, object).await?, Source::SignedObject)),
        // RFC 9126 §2.1
        (None, Some(_)) if !may_refer => Err(OAuthError::invalid_request("A pushed request has no request_uri")),
        (None, Some(uri)) => match uri.strip_prefix(PUSHED) {
            Some(reference) => {
                let found = login_transactions::pushed(ctx, reference).await?;
                let found = found.filter(|request| request.client == client.client.id);
                let request = found.ok_or_else(|| not_there("unknown, used, expired or another client's"))?;
                Ok((Params::of_pairs(request.parameters), Source::Pushed(request.digest)))
            }
            None => Ok((fetched(ctx, client, uri).await?, Source::SignedObject)),
        },
    }
}

/// A request object at an address that the client has registered, compared byte for byte.
async fn fetched(ctx: &Ctx<'_>, client: &LiveClient, uri: &str) -> Result<Params<'static>, OAuthError> {
    if uri.len() > MAX_URI || !client.client.settings.request_uris.iter().any(|known| known == uri) {
        return Err(not_there("not registered"));
    }
    // The fragment says which version it is (OpenID Connect Core §6.2) and is not sent.
    let address = uri.split_once('#').map_or(uri, |(address, _)| address);
    let answer = ctx.core.outbound.get(address, REQUEST_OBJECT).await;
    let answer = answer.map_err(|why| not_there("can't be fetched").because(why.to_string()))?;
    if answer.status != 200 {
        return Err(not_there("answers with another status than 200"));
    }
    let object = std::str::from_utf8(&answer.body).map_err(|_| refused("not text"))?;
    opened(ctx, client, object.trim()).await
}

/// The parameters in a request object that the client has signed; what the browser sent beside it does
/// not count (RFC 9101 §6.3).
async fn opened(ctx: &Ctx<'_>, client: &LiveClient, object: &str) -> Result<Params<'static>, OAuthError> {
    let peeked = jws::peek(object).ok_or_else(|| refused("not a signed token"))?;
    let settings = &client.client.settings;
    let typ = Typ::AbsentOr(&["oauth-authz-req+jwt", jws::TYP_JWT]);
    let (kid, alg) = (peeked.kid.as_deref(), peeked.alg);
    // The algorithm is the one that is registered, or one that the client's own key allows.
    if settings.request_object_signing_alg.as_deref().is_some_and(|wanted| wanted != format!("{alg:?}")) {
        return Err(refused("signed with another algorithm than is registered"));
    }
    let claims: Option<Map<String, Value>> =
        clients::verified(ctx, client, |keys| keys.candidates(kid, alg).find_map(|key| peeked.verify(key, typ).ok()))
            .await;
    let claims = claims.ok_or_else(|| refused("no registered key has signed it"))?;
    check(ctx, client, &claims)?;
    let own = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id"];
    let mut pairs = vec![("client_id".to_owned(), client.client.id.to_string())];
    for (name, value) in claims {
        if own.contains(&name.as_str()) {
            continue;
        }
        match value {
            Value::Null => {}
            Value::String(text) => pairs.push((name, text)),
            // Only what may be repeated comes as a list.
            Value::Array(values) if name == "resource" => {
                let texts = values.iter().filter_map(Value::as_str);
                pairs.extend(texts.map(|text| (name.clone(), text.to_owned())));
            }
            other => pairs.push((name, other.to_string())),
        }
    }
    Ok(Params::of_pairs(pairs))
}

/// What a request object says about itself (RFC 9101 §4 and §10.8).
fn check(ctx: &Ctx<'_>, client: &LiveClient, claims: &Map<String, Value>) -> Result<(), OAuthError> {
    let id = client.client.id.as_str();
    let is_client = |name: &str| claims.get(name).is_none_or(|value| value.as_str() == Some(id));
    if !is_client("iss") || !is_client("client_id") {
        return Err(refused("iss or client_id is not the client"));
    }
    let issuer = Some(ctx.tenant.issuer.as_str());
    let addressed = match claims.get("aud") {
        None => true,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == issuer),
        Some(one) => one.as_str() == issuer,
    };
    if !addressed {
        return Err(refused("aud is not the issuer"));
    }
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(refused("a request in a request"));
    }
    let (now, leeway) = (ctx.now(), ctx.core.config.tokens.clock_leeway);
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let time = value.as_f64().and_then(Timestamp::from_numeric_date);
            time.map(Some).ok_or_else(|| refused("exp, nbf or iat is no time"))
        }
    };
    if time("exp")?.is_some_and(|end| end + leeway <= now) {
        return Err(refused("expired"));
    }
    if time("nbf")?.into_iter().chain(time("iat")?).any(|begin| begin > now + leeway) {
        return Err(refused("not yet good"));
    }
    Ok(())
}
