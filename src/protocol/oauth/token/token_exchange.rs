//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): delegation from service to
//! service, with the chain of those who act.

use super::super::client_auth::AuthenticatedClient;
use super::super::error::{ErrorCode, OAuthError};
use super::super::params::Params;
use super::{Granted, audience};
use crate::domain::tokens::{self, MAX_ACTORS, Principal, Verified};
use crate::domain::{Ctx, DomainError};
use crate::model::scope::OAuthScope;

/// What is taken and given (§3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The same said by form; ours are both.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A token for the person of the subject token, in which the client is the actor.
pub(super) async fn grant(
    ctx: &Ctx<'_>,
    client: &AuthenticatedClient,
    params: &Params<'_>,
) -> Result<Granted, OAuthError> {
    // §2.1: what is there
    let presented = params.require("subject_token")?;
    let kind = params.require("subject_token_type")?;
    if kind != ACCESS_TOKEN && kind != JWT {
        return Err(OAuthError::invalid_request("The subject_token_type must be that of an access token"));
    }
    if params.get("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN && kind != JWT) {
        return Err(OAuthError::invalid_request("The requested_token_type must be that of an access token"));
    }
    // The actor is the client, which has proved who it is.
    if params.get("actor_token").is_some() || params.get("actor_token_type").is_some() {
        return Err(OAuthError::invalid_request("The actor is the client itself: leave out actor_token"));
    }
    if client.client.is_public() {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "A public client can't exchange tokens"));
    }
    // §2.2.2: what counts
    let refused = |cause: &'static str| OAuthError::invalid_request("The subject_token is not valid").because(cause);
    let subject = tokens::verify_under(ctx.core, &ctx.tenant, presented).await.map_err(|error| match error {
        DomainError::NotAuthenticated(cause) => refused(cause),
        other => other.into(),
    })?;
    if subject.tenant.tenant.id != ctx.tenant_id() {
        return Err(refused("another tenant's"));
    }
    let Principal::User(user) = subject.principal else {
        return Err(refused("not a person's"));
    };
    // RFC 9700 §2.3: a token is for those who are named in it
    if !is_meant_for(ctx, client, &subject) {
        return Err(refused("meant for somebody else"));
    }
    if subject.claims.act.as_ref().is_some_and(|act| act.length() >= MAX_ACTORS) {
        return Err(refused("too many actors"));
    }
    let audience = wanted_audience(ctx, params, client)?;
    let scope = wanted_scope(params, client, &subject)?;
    let issued =
        tokens::exchange(ctx, client, &subject.claims, user, scope, audience.as_deref()).await.map_err(|error| {
            match error {
                DomainError::NotFound(_) => refused("person is gone or disabled"),
                other => other.into(),
            }
        })?;
    Ok(Granted { issued_token_type: Some(ACCESS_TOKEN), ..Granted::access(issued) })
}

/// A token that was issued to the client, that names it, or that names nobody but the issuer.
fn is_meant_for(ctx: &Ctx<'_>, client: &AuthenticatedClient, subject: &Verified) -> bool {
    let row = &client.client;
    let named = row.audiences.iter().map(String::as_str);
    let own = [row.id.as_str(), ctx.tenant.issuer.as_str()].into_iter();
    subject.claims.client_id == row.id.as_str()
        || own.chain(row.default_audience.as_deref()).chain(named).any(|name| subject.claims.aud.contains(name))
}

/// §2.1: `resource` or `audience`, one that the client may name.
fn wanted_audience(
    ctx: &Ctx<'_>,
    params: &Params<'_>,
    client: &AuthenticatedClient,
) -> Result<Option<String>, OAuthError> {
    let mut named = params.all("audience");
    match (named.next(), named.next()) {
        (None, _) => audience(ctx, params, client),
        (Some(one), None) if params.get("resource").is_none() => {
            let as_resource = Params::of_pairs(vec![("resource".to_owned(), one.to_owned())]);
            audience(ctx, &as_resource, client)
        }
        _ => Err(OAuthError::new(ErrorCode::InvalidTarget, "One resource or audience at a time")),
    }
}

/// Never more than the subject token, nor than the client itself may have (RFC 9700 §2.3).
fn wanted_scope(
    params: &Params<'_>,
    client: &AuthenticatedClient,
    subject: &Verified,
) -> Result<OAuthScope, OAuthError> {
    let held = subject.scope.intersection(&client.client.scope.union(&client.client.permissions));
    let refused = || OAuthError::new(ErrorCode::InvalidScope, "The scope is malformed or more than may be handed on");
    match params.get("scope") {
        None => Ok(held),
        Some(text) => {
            let wanted: OAuthScope = text.parse().map_err(|_| refused())?;
            if wanted.is_within(&held) && !wanted.is_empty() { Ok(wanted) } else { Err(refused()) }
        }
    }
}
