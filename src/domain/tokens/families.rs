//! Token families: a refresh token in its generations (RFC 6749 §6, RFC 9700 §4.14.2).
//!
//! A refresh token names its family and generation and carries a MAC over both, so a family is one
//! small row with a counter. Using generation *n* is one conditional UPDATE that makes it *n + 1*:
//! of any number at once, over any number of copies, one succeeds. For a short grace the same client
//! that presents *n* again gets *n + 1* again, the same token, so that a lost answer or a second
//! browser tab signs nobody out; after it, or two generations back, the whole family ends.

use std::time::Duration;

use super::mint::{Issued, Mintage, mint};
use super::revoke::end_family;
use crate::domain::access::{self, Carried};
use crate::domain::authn::Authenticated;
use crate::domain::clients::LiveClient;
use crate::domain::{Ctx, DomainError, keys, subjects};
use crate::model::audit::Outcome;
use crate::model::authorization::ClaimsRequest;
use crate::model::ids::FamilyId;
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::token::{RevocationReason, TokenFamily};
use crate::model::user::User;
use crate::storage::saml_sessions::Led;
use crate::storage::{TenantTx, saml_sessions, tokens, users};

/// A refresh token that was presented, and the family that it belongs to.
pub struct Family {
    /// The row as it was read; what counts is compared again when it is used.
    pub row: TokenFamily,
    /// Which generation was presented.
    pub generation: i32,
}

/// The tokens of an authorization, and what an ID token says beside them.
pub struct Granted {
    /// The access token.
    pub access: Issued,
    /// The refresh token, if one goes with it.
    pub refresh: Option<Secret<String>>,
    /// The person, as they are now.
    pub user: User,
    /// What they allowed.
    pub family: TokenFamily,
    /// The client's mark from the request that this redeems (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
}

/// What a use of a refresh token came to.
pub enum Refreshed {
    /// New tokens.
    Renewed(Box<Granted>),
    /// It does not count: the cause is for the audit log.
    Refused(&'static str),
}

/// Begins a family for a person who proved who they are, and issues its first tokens; with a
/// refresh token if `refreshable`.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] if the account changed meanwhile;
/// [`DomainError::SecondFactorNeeded`]; or the database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    proof: Authenticated,
    scope: OAuthScope,
    audience: Option<String>,
    refreshable: bool,
) -> Result<Granted, DomainError> {
    proof.suffices(ctx)?;
    let now = ctx.now();
    let row = TokenFamily {
        tenant: ctx.tenant_id(),
        id: FamilyId::from_uuid(ctx.core.entropy.uuid_v4()),
        client: client.client.id.clone(),
        user: proof.user.id,
        scope,
        audience,
        amr: proof.amr.clone(),
        auth_time: proof.at,
        session: None,
        organization: proof.workspace(),
        acr: None,
        claims: ClaimsRequest::default(),
        generation: 0,
        rotated_at: now,
        expires_at: if refreshable { refresh_end(ctx, client, now, now) } else { now },
        revoked: None,
        created_at: now,
    };
    let entry =
        ctx.audit("user.sign_in", Some(format!("user:{}", row.user)), Outcome::Success, Some(row.id.to_string()));
    let (row, user, access) = ctx
        .core
        .db
        .write((row, proof, entry), |tx, (row, proof, entry)| {
            Box::pin(async move {
                let of = tx.of(row.tenant);
                let user = proof.settle(&of).await?;
                let access = access::carried(&of, user.id, row.organization, row.created_at).await?;
                tokens::insert_family(&of, row).await?;
                if let Some(session) = proof.saml_session() {
                    saml_sessions::insert(&of, Led::Family(row.id), session, row.created_at).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>((row.clone(), user, access))
            })
        })
        .await?;
    ctx.core.metrics.sign_ins.count("success");
    let issued = issue(ctx, client, &row, &user, &access, row.scope.clone()).await?;
    let refresh = refreshable.then(|| token(ctx, row.id, 0));
    Ok(Granted { access: issued, refresh, user, family: row, nonce: None })
}

/// Idle life from now, within the absolute life from the sign-in.
pub(super) fn refresh_end(ctx: &Ctx<'_>, client: &LiveClient, now: Timestamp, began: Timestamp) -> Timestamp {
    let idle = client.client.refresh_token_ttl.unwrap_or_else(|| ctx.tenant.refresh_token_ttl(ctx.core));
    (now + idle).min(began + ctx.core.config.tokens.refresh_absolute)
}

/// The refresh token of a generation.
pub(super) fn token(ctx: &Ctx<'_>, family: FamilyId, generation: i32) -> Secret<String> {
    ctx.core.refresh_tokens.seal(ctx.tenant_id().uuid(), family.uuid(), generation.unsigned_abs())
}

/// An access token of a family.
pub(super) async fn issue(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    family: &TokenFamily,
    user: &User,
    access: &Carried,
    scope: OAuthScope,
) -> Result<Issued, DomainError> {
    let row = &client.client;
    let subject = subjects::of(ctx.core, row, user.id)?;
    let mintage = Mintage {
        subject: &subject,
        client_id: row.id.as_str(),
        scope,
        audience: family.audience.as_deref().or(row.default_audience.as_deref()),
        lifetime: row.access_token_ttl.unwrap_or_else(|| ctx.tenant.access_token_ttl(ctx.core)),
        alg: row.signing_alg,
        format: row.access_token_format,
        access,
        sign_in: Some((family.auth_time, &family.amr)),
        act: None,
        family: Some(family.id),
        epoch: user.token_epoch,
    };
    mint(ctx, mintage).await
}

/// Finds the family of a refresh token; `None` for what this installation never issued to this
/// tenant. Changes nothing.
///
/// # Errors
/// The database is unavailable.
pub async fn recover(ctx: &Ctx<'_>, presented: &str) -> Result<Option<Family>, DomainError> {
    let Some((family, generation)) = ctx.core.refresh_tokens.open(ctx.tenant_id().uuid(), presented) else {
        return Ok(None);
    };
    let Ok(generation) = i32::try_from(generation) else { return Ok(None) };
    let found = tokens::find_family(&ctx.core.db.read().of(ctx.tenant_id()), FamilyId::from_uuid(family)).await?;
    Ok(found.map(|row| Family { row, generation }))
}

/// What the transaction found.
enum Turn {
    Renewed(Box<(User, Carried)>, i32),
    Refused(&'static str),
}

/// Uses a refresh token: renews, answers the same again, or ends the family. For as long as `grace` the same
/// token gets the same successor again; with none, whoever comes second ends it.
///
/// # Errors
/// The database is unavailable. If it went away after the renewal was recorded, the same token gets
/// the same answer again within the grace window.
pub async fn rotate(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    family: &Family,
    scope: OAuthScope,
    grace: Duration,
) -> Result<Refreshed, DomainError> {
    // What signing needs is fetched first: nothing is used up for an answer that can't be made.
    keys::keyring(ctx.core, ctx.tenant_id()).await?;
    let now = ctx.now();
    // A grace of zero has no window, not even for who looked at the clock before the winner did.
    let grace_began = (!grace.is_zero()).then(|| now - grace);
    let expires_at = refresh_end(ctx, client, now, family.row.created_at);
    let ended_until = now + keys::MAX_ACCESS_TOKEN_TTL;
    let entry = ctx.audit("token.replay", Some(format!("family:{}", family.row.id)), Outcome::Failure, None);
    let input = (
        family.row.clone(),
        family.generation,
        client.client.id.clone(),
        now,
        grace_began,
        expires_at,
        ended_until,
        entry,
    );
    let turn = ctx
        .core
        .db
        .write(input, |tx, (row, generation, client, now, grace_began, expires_at, ended_until, entry)| {
            Box::pin(async move {
                let of = tx.of(row.tenant);
                if tokens::rotate_family(&of, row.id, client, *generation, *now, *expires_at).await? {
                    return renewed(&of, row, *now, generation + 1).await;
                }
                let Some(found) = tokens::find_family(&of, row.id).await? else {
                    return Ok(Turn::Refused("family is gone"));
                };
                if found.client != *client {
                    return Ok(Turn::Refused("issued to another client"));
                }
                if found.revoked.is_some() {
                    return Ok(Turn::Refused("family was ended"));
                }
                if found.expires_at <= *now {
                    return Ok(Turn::Refused("expired"));
                }
                let in_grace = grace_began.is_some_and(|began| found.rotated_at > began);
                if found.generation == generation + 1 && in_grace {
                    return renewed(&of, row, *now, found.generation).await;
                }
                end_family(&of, row.id, *now, *ended_until, RevocationReason::Replayed).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(Turn::Refused("used before"))
            })
        })
        .await?;
    match turn {
        Turn::Refused(cause) => Ok(Refreshed::Refused(cause)),
        Turn::Renewed(holder, generation) => {
            let (user, access) = *holder;
            let issued = issue(ctx, client, &family.row, &user, &access, scope).await?;
            let refresh = Some(token(ctx, family.row.id, generation));
            let granted = Granted { access: issued, refresh, user, family: family.row.clone(), nonce: None };
            Ok(Refreshed::Renewed(Box::new(granted)))
        }
    }
}

/// The person as they are now: a disabled one gets nothing.
async fn renewed(tx: &TenantTx<'_>, row: &TokenFamily, now: Timestamp, generation: i32) -> Result<Turn, DomainError> {
    let Some(user) = users::find_for_update(tx, row.user).await?.filter(|user| user.enabled) else {
        return Ok(Turn::Refused("account is disabled"));
    };
    let access = access::carried(tx, user.id, row.organization, now).await?;
    Ok(Turn::Renewed(Box::new((user, access)), generation))
}
