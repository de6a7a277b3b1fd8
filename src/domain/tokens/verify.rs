//! The verifier: every bearer check of every face starts here. A signature alone is never enough.

use std::sync::Arc;

use super::claims::AccessClaims;
use super::mint::{IDAAS_CLIENT, TYP};
use crate::crypto::jws::{self, Typ};
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::clients::{self, LiveClient};
use crate::domain::core::Core;
use crate::domain::tenants::{self, LiveTenant};
use crate::domain::{DomainError, keys, subjects, users};
use crate::model::ids::{ClientId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;
use crate::storage::tokens;

/// On whose behalf a token speaks.
#[derive(Clone)]
pub enum Principal {
    /// A service, for itself.
    Service(Arc<LiveClient>),
    /// A person.
    User(UserId),
}

/// What an app of somebody else must have been allowed to see its person's account.
pub const ACCOUNT_SCOPES: &str = "profile email";

/// A token that counts at this moment; only [`verify`] makes one.
#[derive(Clone)]
pub struct Verified {
    /// Whose token.
    pub tenant: Arc<LiveTenant>,
    /// What it says.
    pub claims: AccessClaims,
    /// What it may be used for now: a scope revoked since it was issued is not in here.
    pub scope: OAuthScope,
    /// Who speaks.
    pub principal: Principal,
    /// Whether it carries all that its person may do. A token that an app of somebody else holds, or
    /// that somebody else acts with, carries only what its scope names.
    pub is_whole: bool,
}

impl Verified {
    /// Whether it is meant for gatehouse's own interfaces (RFC 9068 §4).
    #[must_use]
    pub fn is_for_us(&self) -> bool {
        self.claims.aud.contains(&self.tenant.issuer)
    }

    /// Whether it shows its person's account. One that an app of somebody else holds must name the scopes of
    /// what is shown ([`ACCOUNT_SCOPES`]); whoever acts for a person was given that power.
    #[must_use]
    pub fn shows_account(&self) -> bool {
        let named = || ACCOUNT_SCOPES.split(' ').all(|name| self.scope.contains(name));
        self.is_whole || self.claims.act.is_some() || named()
    }
}

fn refused<T>(why: &'static str) -> Result<T, DomainError> {
    Err(DomainError::NotAuthenticated(why))
}

/// Whether a token counts: issuer, signature, type, times, revocation, and the state of its
/// tenant, client and subject at this moment (one second old at most). A reference token does not
/// say whose it is; here it is one of the default tenant's.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] with the cause for logs; or the database is unavailable.
pub async fn verify(core: &Core, token: &str) -> Result<Verified, DomainError> {
    let (tenant, claims) = authentic(core, None, token).await?;
    counts(core, tenant, claims).await
}

/// The same where the path names the tenant: a reference token is one of its own.
///
/// # Errors
/// As [`verify`].
pub async fn verify_under(core: &Core, tenant: &Arc<LiveTenant>, token: &str) -> Result<Verified, DomainError> {
    let (tenant, claims) = authentic(core, Some(tenant), token).await?;
    counts(core, tenant, claims).await
}

/// What can be said of a token of ours against which nothing speaks but, perhaps, its time.
pub struct Standing {
    /// Whose token.
    pub tenant: Arc<LiveTenant>,
    /// What it says.
    pub claims: AccessClaims,
    /// Who speaks, or spoke.
    pub principal: Principal,
    /// Whether its time is over: then it counts for nothing any more.
    pub is_expired: bool,
}

/// Whether a token counts, or would if it were younger: for telling its holder to get a new one, never for
/// a decision. One that is meant for somebody else does not count here.
///
/// # Errors
/// As [`verify`].
pub async fn standing(core: &Core, token: &str) -> Result<Standing, DomainError> {
    let (tenant, claims) = authentic(core, None, token).await?;
    let is_expired = is_over(core, &claims);
    let Verified { tenant, claims, principal, .. } = stands(core, tenant, claims).await?;
    if !claims.aud.contains(&tenant.issuer) {
        return refused("meant for somebody else");
    }
    Ok(Standing { tenant, claims, principal, is_expired })
}

fn is_over(core: &Core, claims: &AccessClaims) -> bool {
    Timestamp::from_seconds(claims.exp) <= core.clock.now()
}

/// What every token has to pass, whatever its form.
async fn counts(core: &Core, tenant: Arc<LiveTenant>, claims: AccessClaims) -> Result<Verified, DomainError> {
    if is_over(core, &claims) {
        return refused("expired");
    }
    stands(core, tenant, claims).await
}

/// The same but for its age.
async fn stands(core: &Core, tenant: Arc<LiveTenant>, claims: AccessClaims) -> Result<Verified, DomainError> {
    let now = core.clock.now();
    let leeway = core.config.tokens.clock_leeway;
    if Timestamp::from_seconds(claims.iat) > now + leeway {
        return refused("issued in the future");
    }
    let names = [Some(&claims.jti), claims.family.as_ref()];
    for name in names.into_iter().flatten() {
        if is_revoked(core, &tenant, name).await? {
            return refused("revoked");
        }
    }
    let (principal, scope, is_whole) = subject(core, &tenant, &claims).await?;
    Ok(Verified { tenant, claims, scope, principal, is_whole })
}

/// What a token of ours says, and whose it is.
type Authentic = (Arc<LiveTenant>, AccessClaims);

/// A token that we made, in either form; a reference token is one of `here`, else of the default tenant.
async fn authentic(core: &Core, here: Option<&Arc<LiveTenant>>, token: &str) -> Result<Authentic, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::AccessToken, token) else { return signed(core, token).await };
    let tenant = match here {
        Some(tenant) => Arc::clone(tenant),
        None => tenants::default(core).await?,
    };
    opened(core, tenant, digest.as_bytes()).await
}

/// A JWT (RFC 9068 §4): whose key is said by `iss` and `kid`, and only that key is tried.
async fn signed(core: &Core, token: &str) -> Result<Authentic, DomainError> {
    let Some(peeked) = jws::peek(token) else { return refused("not a token") };
    let (Some(issuer), Some(kid)) = (peeked.unverified_iss(), peeked.kid.as_deref()) else {
        return refused("no issuer or key id");
    };
    let tenant = match tenants::of_issuer(core, &issuer).await {
        Err(DomainError::NotFound(_)) => return refused("unknown issuer"),
        other => other?,
    };
    let ring = keys::keyring(core, tenant.tenant.id).await?;
    let Some(key) = ring.verifying(kid) else { return refused("unknown key") };
    match peeked.verify::<AccessClaims>(key, Typ::Is(TYP)) {
        Ok(claims) => Ok((tenant, claims)),
        Err(_) => refused("bad signature, type or claims"),
    }
}

/// A reference token of this tenant.
async fn opened(core: &Core, tenant: Arc<LiveTenant>, digest: &[u8; 32]) -> Result<Authentic, DomainError> {
    match tokens::find_opaque(&core.db.read().of(tenant.tenant.id), digest).await? {
        Some(found) => {
            let claims = serde_json::from_str(&found.claims).map_err(|why| DomainError::Defect(why.to_string()))?;
            Ok((tenant, claims))
        }
        None => refused("unknown reference token"),
    }
}

async fn is_revoked(core: &Core, tenant: &LiveTenant, name: &str) -> Result<bool, DomainError> {
    let key = (tenant.tenant.id, Arc::from(name));
    core.revoked
        .get(key, async |(tenant, name)| Ok(tokens::any_revoked(&core.db.read().of(*tenant), &[name]).await?))
        .await
}

/// The state of client and subject at this moment, what is left of the scope, and whether the token
/// carries all that its subject may do.
async fn subject(
    core: &Core,
    tenant: &LiveTenant,
    claims: &AccessClaims,
) -> Result<(Principal, OAuthScope, bool), DomainError> {
    let scope: OAuthScope = claims.scope.as_deref().unwrap_or_default().parse().unwrap_or_default();
    let client = match live_client(core, tenant, &claims.client_id).await? {
        Some(client) => Some(client),
        None if claims.client_id == IDAAS_CLIENT => None,
        // A service of the control plane that acts for a user of another tenant.
        None if claims.act.as_ref().is_some_and(|act| act.sub == claims.client_id) => {
            let control_plane = tenants::default(core).await?;
            match live_client(core, &control_plane, &claims.client_id).await? {
                Some(client) => Some(client),
                None => return refused("acting client is unknown or disabled"),
            }
        }
        None => return refused("client is unknown or disabled"),
    };
    if claims.sub == claims.client_id {
        let Some(client) = client else { return refused("no subject") };
        let scope = scope.intersection(&client.client.permissions);
        return Ok((Principal::Service(client), scope, false));
    }
    let is_whole = claims.act.is_none() && client.as_ref().is_none_or(|client| client.client.is_trusted());
    let called = client.as_ref().and_then(|client| subjects::user(core, &client.client, &claims.sub));
    let user = called.or_else(|| claims.sub.parse().ok());
    let Some(user) = user else { return refused("unknown kind of subject") };
    match users::state(core, tenant.tenant.id, user).await {
        Ok(state) if state.enabled && state.token_epoch == claims.epoch => Ok((Principal::User(user), scope, is_whole)),
        Ok(_) => refused("subject is disabled or has ended its tokens"),
        Err(DomainError::NotFound(_)) => refused("subject is gone"),
        Err(other) => Err(other),
    }
}

async fn live_client(core: &Core, tenant: &LiveTenant, id: &str) -> Result<Option<Arc<LiveClient>>, DomainError> {
    // The name of no client, so no row is looked for.
    let Some(id) = id.parse::<ClientId>().ok().filter(|_| id != IDAAS_CLIENT) else { return Ok(None) };
    match clients::live(core, tenant.tenant.id, &id).await {
        Ok(client) => Ok(Some(client)),
        Err(DomainError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
