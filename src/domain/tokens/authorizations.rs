//! What a person allowed, on its way to the client: a code, or tokens straight from the authorization
//! endpoint; then the code's, or the device's code's, one redemption.
//!
//! A code is one row with every binding as a column. Redeeming it is one conditional UPDATE that
//! compares them all; of any number at once, over any number of copies, one succeeds. A second use by
//! the client that it was issued to ends everything that came of the first (RFC 6749 §4.1.2).

use super::families::{Granted, issue, refresh_end, token};
use super::mint::Issued;
use super::revoke::end_family;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::access::{self, Carried};
use crate::domain::clients::LiveClient;
use crate::domain::{Ctx, DomainError, keys};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::authorization::Authorization;
use crate::model::ids::{ClientId, SessionId, TenantId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::token::{RevocationReason, TokenFamily};
use crate::model::user::User;
use crate::storage::authorization_codes::{self, CodeRow};
use crate::storage::{TenantTx, Tx, authorization_requests, consents, device_codes, sessions, tokens, users};

pub use crate::storage::authorization_codes::Redemption;

/// What shall be answered to an authorization request.
pub struct Answering<'a> {
    /// What the person allowed.
    pub authorization: &'a Authorization,
    /// Whether a code is part of the answer.
    pub code: bool,
    /// Whether an access token is.
    pub token: bool,
    /// Where the answer goes; the code is bound to it.
    pub redirect_uri: &'a str,
    /// The S256 challenge that the code is bound to (RFC 7636 §4.3).
    pub challenge: Option<&'a str>,
    /// Digests of the stored requests that this answers: each counts once.
    pub requests: Vec<[u8; 32]>,
}

/// What the answer carries.
pub struct Answered {
    /// The code.
    pub code: Option<Secret<String>>,
    /// The access token.
    pub access: Option<Issued>,
    /// The person, as they are now.
    pub user: User,
}

/// What a redemption came to.
pub enum Redeemed {
    /// Tokens.
    Granted(Box<Granted>),
    /// It does not count: the cause is for the log.
    Refused(&'static str),
}

/// Answers an authorization request: writes the code, remembers that the session signed in at the
/// client, and uses the stored requests up, all in one transaction that looks at person and session
/// once more. `None` if a stored request was answered before, or person or session do not count.
///
/// # Errors
/// The database is unavailable.
pub async fn answer(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    answering: Answering<'_>,
) -> Result<Option<Answered>, DomainError> {
    if answering.token {
        // What signing needs is fetched first: nothing is used up for an answer that can't be made.
        keys::keyring(ctx.core, ctx.tenant_id()).await?;
    }
    let now = ctx.now();
    let authorization = answering.authorization;
    let code = answering.code.then(|| opaque::generate(TokenKind::AuthorizationCode, &*ctx.core.entropy));
    let code_row = code.as_ref().map(|code| CodeRow {
        digest: *opaque::digest_of_secret(code.expose()).as_bytes(),
        client: client.client.id.clone(),
        redirect_uri: answering.redirect_uri.to_owned(),
        challenge: answering.challenge.map(str::to_owned),
        authorization: authorization.clone(),
        created_at: now,
        expires_at: now + ctx.core.config.tokens.code,
        used: false,
    });
    let end = refresh_end(ctx, client, now, now);
    let family = family(ctx.tenant_id(), &client.client.id, authorization, now, end);
    let detail = Some(format!("scope: {}", authorization.scope));
    let entry =
        ctx.audit("authorization.grant", Some(format!("client:{}", client.client.id)), Outcome::Success, detail);
    let input = (code_row, answering.token, family.clone(), answering.requests, now, entry);
    let found = ctx
        .core
        .db
        .write(input, |tx, (code, token, family, requests, now, entry)| {
            Box::pin(async move {
                let of = tx.of(family.tenant);
                for request in requests {
                    if !authorization_requests::use_once(&of, request, *now).await? {
                        return Ok(None);
                    }
                }
                let Some(user) = subject(&of, family, *now).await? else { return Ok(None) };
                if let Some(session) = family.session {
                    sessions::note_client(&of, session, &family.client, *now).await?;
                }
                if let Some(code) = code {
                    authorization_codes::insert(&of, code).await?;
                }
                let mut carried = Carried::default();
                if *token {
                    tokens::insert_family(&of, family).await?;
                    carried = access::carried(&of, user.id, None, *now).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(Some((user, carried)))
            })
        })
        .await?;
    let Some((user, carried)) = found else { return Ok(None) };
    let access = if answering.token {
        Some(issue(ctx, client, &family, &user, &carried, family.scope.clone()).await?)
    } else {
        None
    };
    Ok(Some(Answered { code, access, user }))
}

/// The person, if they and their session still count, and do until the transaction ends: a sign-out at
/// the same moment comes before and is seen, or after and ends what is issued here.
async fn subject(tx: &TenantTx<'_>, family: &TokenFamily, now: Timestamp) -> Result<Option<User>, DomainError> {
    let found = users::find_for_update(tx, family.user).await?;
    let Some(user) = found.filter(|user| user.enabled) else { return Ok(None) };
    match family.session {
        Some(session) if !session_counts(tx, session, now).await? => Ok(None),
        _ => Ok(Some(user)),
    }
}

async fn session_counts(tx: &TenantTx<'_>, session: SessionId, now: Timestamp) -> Result<bool, DomainError> {
    let found = sessions::find_for_share(tx, session).await?;
    Ok(found
        .is_some_and(|session| session.ended_at.is_none() && !session.second_factor_due && session.expires_at > now))
}

/// What the transaction of a redemption found.
enum Turn {
    Granted(Box<(Authorization, TokenFamily, User, Carried)>),
    Refused(&'static str),
}

/// What is redeemed.
#[derive(Clone)]
enum Redeeming {
    Code(Redemption),
    DeviceCode([u8; 32]),
}

/// The audience that a code was asked for with, if any; nothing for what is no code of this client.
///
/// # Errors
/// The database is unavailable.
pub async fn audience_of_code(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    code: &str,
) -> Result<Option<Option<String>>, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::AuthorizationCode, code) else { return Ok(None) };
    let found = authorization_codes::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes()).await?;
    Ok(found.filter(|code| code.client == client.client.id).map(|code| code.authorization.audience))
}

/// Redeems an authorization code (RFC 6749 §4.1.3).
///
/// # Errors
/// The database is unavailable.
pub async fn redeem_code(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    code: &str,
    redirect_uri: Option<&str>,
    challenge: Option<String>,
) -> Result<Redeemed, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::AuthorizationCode, code) else {
        return Ok(Redeemed::Refused("not a code"));
    };
    let shown = Redemption {
        digest: *digest.as_bytes(),
        client: client.client.id.clone(),
        redirect_uri: redirect_uri.map(str::to_owned),
        challenge,
    };
    redeem(ctx, client, Redeeming::Code(shown)).await
}

/// Redeems a device's code that a person allowed (RFC 8628 §3.5).
///
/// # Errors
/// The database is unavailable.
pub async fn redeem_device_code(ctx: &Ctx<'_>, client: &LiveClient, digest: [u8; 32]) -> Result<Redeemed, DomainError> {
    redeem(ctx, client, Redeeming::DeviceCode(digest)).await
}

async fn redeem(ctx: &Ctx<'_>, client: &LiveClient, redeeming: Redeeming) -> Result<Redeemed, DomainError> {
    keys::keyring(ctx.core, ctx.tenant_id()).await?;
    let now = ctx.now();
    let target = Some(format!("client:{}", client.client.id));
    let redeemed = ctx.audit("authorization.redeem", target.clone(), Outcome::Success, None);
    let replayed = ctx.audit("code.replay", target, Outcome::Failure, None);
    let refresh_end = refresh_end(ctx, client, now, now);
    let ended_until = now + keys::MAX_ACCESS_TOKEN_TTL;
    let input =
        (ctx.tenant_id(), client.client.id.clone(), redeeming, now, refresh_end, ended_until, redeemed, replayed);
    let turn = ctx
        .core
        .db
        .write(input, |tx, (tenant, client, redeeming, now, refresh_end, ended_until, redeemed, replayed)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let found = match redeeming {
                    Redeeming::Code(shown) => by_code(tx, &of, shown, *now, *ended_until, replayed).await?,
                    Redeeming::DeviceCode(digest) => by_device_code(&of, digest, client, *now).await?,
                };
                let authorization = match found {
                    Ok(authorization) => authorization,
                    Err(cause) => return Ok(Turn::Refused(cause)),
                };
                let family = family(*tenant, client, &authorization, *now, *refresh_end);
                let still = |user: &User| authorization.epoch.is_none_or(|epoch| epoch == user.token_epoch);
                let Some(user) = subject(&of, &family, *now).await?.filter(still) else {
                    return Ok(Turn::Refused("person or session do not count any more"));
                };
                let access = access::carried(&of, user.id, None, *now).await?;
                // There already where an access token went straight to the client.
                tokens::insert_family(&of, &family).await?;
                crate::storage::audit::append(tx, redeemed).await?;
                Ok::<_, DomainError>(Turn::Granted(Box::new((authorization, family, user, access))))
            })
        })
        .await?;
    match turn {
        Turn::Refused(cause) => Ok(Redeemed::Refused(cause)),
        Turn::Granted(granted) => {
            let (authorization, family, user, access) = *granted;
            let access = issue(ctx, client, &family, &user, &access, family.scope.clone()).await?;
            let refresh = authorization.refreshable.then(|| token(ctx, family.id, 0));
            let nonce = authorization.nonce;
            Ok(Redeemed::Granted(Box::new(Granted { access, refresh, user, family, nonce })))
        }
    }
}

/// The family that an authorization's tokens belong to.
fn family(
    tenant: TenantId,
    client: &ClientId,
    authorization: &Authorization,
    now: Timestamp,
    refresh_end: Timestamp,
) -> TokenFamily {
    TokenFamily {
        tenant,
        id: authorization.family,
        client: client.clone(),
        user: authorization.user,
        scope: authorization.scope.clone(),
        audience: authorization.audience.clone(),
        amr: authorization.sign_in.amr.clone(),
        auth_time: authorization.sign_in.auth_time,
        session: authorization.sign_in.session,
        organization: None,
        acr: authorization.sign_in.acr.clone(),
        claims: authorization.claims.clone(),
        generation: 0,
        rotated_at: now,
        expires_at: if authorization.refreshable { refresh_end } else { now },
        revoked: None,
        created_at: now,
    }
}

async fn by_code(
    tx: &Tx,
    of: &TenantTx<'_>,
    shown: &Redemption,
    now: Timestamp,
    ended_until: Timestamp,
    replayed: &AuditEntry,
) -> Result<Result<Authorization, &'static str>, DomainError> {
    if let Some(code) = authorization_codes::redeem(of, shown, now).await? {
        return Ok(Ok(code.authorization));
    }
    let Some(code) = authorization_codes::find(of, &shown.digest).await? else { return Ok(Err("unknown code")) };
    if code.client != shown.client {
        return Ok(Err("issued to another client"));
    }
    if code.used {
        end_family(of, code.authorization.family, now, ended_until, RevocationReason::Replayed).await?;
        crate::storage::audit::append(tx, replayed).await?;
        return Ok(Err("used before"));
    }
    if code.expires_at <= now {
        return Ok(Err("expired"));
    }
    Ok(Err("redirect_uri or code_verifier are not those of the request"))
}

async fn by_device_code(
    of: &TenantTx<'_>,
    digest: &[u8; 32],
    client: &ClientId,
    now: Timestamp,
) -> Result<Result<Authorization, &'static str>, DomainError> {
    if !device_codes::redeem(of, digest, client, now).await? {
        return Ok(Err("not allowed, used before or expired"));
    }
    let found = device_codes::find(of, digest).await?.and_then(|code| code.authorization);
    let Some(authorization) = found else { return Ok(Err("allowed without an authorization")) };
    // It may be minutes since they did, and they may have thought better of it.
    let consent = consents::find(of, authorization.user, client).await?;
    if consent.is_some_and(|consent| authorization.scope.is_within(&consent.scope)) {
        Ok(Ok(authorization))
    } else {
        Ok(Err("what was allowed was taken back"))
    }
}
