//! Signing keys: the ring that signs and verifies, and the states that keys pass through.
//!
//! For each tenant and algorithm there is exactly one `active` key and, soon after, one `next` that
//! is published but does not sign. Rotation makes `next` active and the active one `retiring`; a
//! retiring key is removed once the last token that it can have signed has expired. Every step is
//! one conditional UPDATE, so that any copy may take it and any copy may die between two.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use crate::crypto::digest::Digest;
use crate::crypto::jwk::{KeyError, PrivateKey, PublicJwk, VerifyingKey};
use crate::crypto::jws;
use crate::crypto::sealing::SealContext;
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::change::ChangeKind;
use crate::model::ids::{KeyId, TenantId};
use crate::model::signing_key::{KeyState, SigningAlg, SigningKey};
use crate::model::time::Timestamp;
use crate::storage::signing_keys;

/// How a tenant signs and verifies at this moment.
pub struct Keyring {
    active: HashMap<SigningAlg, jws::SigningKey>,
    verifying: HashMap<String, VerifyingKey>,
    /// The JWK set as it is published (RFC 7517 §5), and its entity tag.
    pub jwks: Bytes,
    /// Entity tag of `jwks` (RFC 9110 §8.8.3), quoted.
    pub etag: String,
}

impl Keyring {
    /// The key that signs with this algorithm.
    ///
    /// # Errors
    /// There is none: a defect, since every tenant is made with one for each.
    pub fn signing(&self, alg: SigningAlg) -> Result<&jws::SigningKey, DomainError> {
        self.active.get(&alg).ok_or_else(|| DomainError::Defect(format!("no active {alg} key")))
    }

    /// The published key of this `kid`.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<&VerifyingKey> {
        self.verifying.get(kid)
    }
}

/// The tenant's ring.
///
/// # Errors
/// The database is unavailable, or a key can't be unsealed with this master key.
pub async fn keyring(core: &Core, tenant: TenantId) -> Result<Arc<Keyring>, DomainError> {
    core.keyrings.get(tenant, async |tenant| load(core, *tenant).await.map(Arc::new)).await
}

/// The same for the public halves alone: while the database is gone, the ring as it was last known.
///
/// # Errors
/// As [`keyring`].
pub async fn published(core: &Core, tenant: TenantId) -> Result<Arc<Keyring>, DomainError> {
    core.keyrings.get_or_last(tenant, async |tenant| load(core, *tenant).await.map(Arc::new)).await
}

async fn load(core: &Core, tenant: TenantId) -> Result<Keyring, DomainError> {
    let rows = signing_keys::list(&core.db.read().of(tenant)).await?;
    let mut active = HashMap::new();
    let mut verifying = HashMap::new();
    let mut published = Vec::new();
    for row in rows.iter().filter(|row| row.state.is_published()) {
        let jwk: PublicJwk =
            serde_json::from_str(&row.public_jwk).map_err(|why| DomainError::Defect(why.to_string()))?;
        verifying.insert(row.kid.to_string(), VerifyingKey::from_jwk(&jwk)?);
        published.push(row.public_jwk.as_str());
        if row.state == KeyState::Active {
            let der = core.sealer.open(seal_context(tenant, &row.kid), &row.sealed_private)?;
            active.insert(row.alg, jws::SigningKey::new(PrivateKey::from_pkcs8(row.alg, der.expose())?)?);
        }
    }
    let jwks = format!("{{\"keys\":[{}]}}", published.join(","));
    let etag = format!("\"{}\"", Digest::of(jwks.as_bytes()).base64url());
    Ok(Keyring { active, verifying, jwks: jwks.into(), etag })
}

pub(super) fn seal_context(tenant: TenantId, kid: &KeyId) -> SealContext<'_> {
    SealContext { purpose: "signing key", tenant: tenant.uuid(), name: kid.as_str() }
}

/// One active key for each algorithm, for a tenant that is about to be made.
pub(super) async fn generate_first(core: &Core, tenant: TenantId) -> Result<Vec<SigningKey>, DomainError> {
    let mut keys = Vec::new();
    for alg in SigningAlg::ALL {
        keys.push(generate(core, tenant, *alg, KeyState::Active).await?);
    }
    Ok(keys)
}

async fn generate(core: &Core, tenant: TenantId, alg: SigningAlg, state: KeyState) -> Result<SigningKey, DomainError> {
    // An RSA key takes a tenth of a second: not on a thread that answers requests.
    let made = tokio::task::spawn_blocking(move || {
        let private = PrivateKey::generate(alg)?;
        Ok::<_, KeyError>((private.to_pkcs8()?, private.public_jwk()?))
    });
    let (der, jwk) = made.await.map_err(|why| DomainError::Defect(why.to_string()))??;
    let public_jwk = serde_json::to_string(&jwk).map_err(|why| DomainError::Defect(why.to_string()))?;
    let kid: KeyId = jwk.kid.as_deref().and_then(|kid| kid.parse().ok()).ok_or(DomainError::NotFound(Noun::Key))?;
    let now = core.clock.now();
    Ok(SigningKey {
        tenant,
        alg,
        state,
        public_jwk,
        sealed_private: core.sealer.seal(seal_context(tenant, &kid), der.expose(), &*core.entropy)?,
        kid,
        created_at: now,
        activated_at: (state == KeyState::Active).then_some(now),
        retired_at: None,
    })
}

/// A tenant's keys, oldest first, the removed ones too.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>) -> Result<Vec<SigningKey>, DomainError> {
    Ok(signing_keys::list(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The published next key signs from now on.
    Activated(KeyId),
    /// The next key has not been published for long enough; it will sign from this moment on.
    Scheduled(KeyId, Timestamp),
}

/// Has the next key sign: at once if every cache can know it, or if `now_anyway` (a leaked key);
/// else as soon as every cache can.
///
/// # Errors
/// The database is unavailable.
pub async fn rotate(ctx: &Ctx<'_>, alg: SigningAlg, now_anyway: bool) -> Result<Rotation, DomainError> {
    let now = ctx.now();
    let next = ensure_next(ctx, alg).await?;
    let ready_at = next.created_at + ctx.core.config.tokens.key_cache + LEEWAY;
    if now < ready_at && !now_anyway {
        // Whoever asked wants a rotation: the upkeep makes it as soon as it is safe.
        mark_due(ctx, alg).await?;
        return Ok(Rotation::Scheduled(next.kid, ready_at));
    }
    activate(ctx, &next).await?;
    Ok(Rotation::Activated(next.kid))
}

/// How far a cache's idea of its own age may be off.
const LEEWAY: Duration = Duration::from_secs(60);

/// The next key, made and published now if there is none.
async fn ensure_next(ctx: &Ctx<'_>, alg: SigningAlg) -> Result<SigningKey, DomainError> {
    let find = |keys: Vec<SigningKey>| keys.into_iter().find(|key| key.alg == alg && key.state == KeyState::Next);
    if let Some(next) = find(list(ctx).await?) {
        return Ok(next);
    }
    let made = generate(ctx.core, ctx.tenant_id(), alg, KeyState::Next).await?;
    let entry = ctx.audit("key.publish", Some(format!("key:{}", made.kid)), Outcome::Success, Some(alg.to_string()));
    ctx.core
        .db
        .write((made, entry), |tx, (made, entry)| {
            Box::pin(async move {
                let of = tx.of(made.tenant);
                signing_keys::lock(&of).await?;
                // Another copy may have been quicker; then its key is the next one.
                let there = signing_keys::list(&of).await?;
                if let Some(next) = there.into_iter().find(|key| key.alg == made.alg && key.state == KeyState::Next) {
                    return Ok(next);
                }
                signing_keys::insert(&of, made).await?;
                of.changed(ChangeKind::Keys, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(made.clone())
            })
        })
        .await
}

/// Marks the active key as due by retiring date in the future: the upkeep reads it.
async fn mark_due(ctx: &Ctx<'_>, alg: SigningAlg) -> Result<(), DomainError> {
    let input = (ctx.tenant_id(), alg, ctx.now());
    ctx.core
        .db
        .write(input, |tx, (tenant, alg, now)| {
            Box::pin(async move { Ok::<_, DomainError>(signing_keys::mark_due(&tx.of(*tenant), *alg, *now).await?) })
        })
        .await
}

/// next → active and active → retiring, in one transaction; then the one after it is published.
async fn activate(ctx: &Ctx<'_>, next: &SigningKey) -> Result<(), DomainError> {
    let entry =
        ctx.audit("key.activate", Some(format!("key:{}", next.kid)), Outcome::Success, Some(next.alg.to_string()));
    let input = (next.tenant, next.kid.clone(), next.alg, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, next, alg, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                signing_keys::lock(&of).await?;
                let keys = signing_keys::list(&of).await?;
                if !signing_keys::advance(&of, next, KeyState::Next, KeyState::Active, *now).await? {
                    return Ok(()); // another copy did it
                }
                for old in keys.iter().filter(|key| key.alg == *alg && key.state == KeyState::Active) {
                    signing_keys::advance(&of, &old.kid, KeyState::Active, KeyState::Retiring, *now).await?;
                }
                of.changed(ChangeKind::Keys, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    ensure_next(ctx, next.alg).await?;
    Ok(())
}

/// Removes a retiring key at once, whatever it signed: what it signed fails from now on.
///
/// # Errors
/// [`DomainError::NotFound`] if there is no such retiring key.
pub async fn retire(ctx: &Ctx<'_>, kid: &KeyId) -> Result<(), DomainError> {
    let entry = ctx.audit("key.remove", Some(format!("key:{kid}")), Outcome::Success, None);
    if remove(ctx, kid.clone(), entry).await? { Ok(()) } else { Err(DomainError::NotFound(Noun::Key)) }
}

async fn remove(ctx: &Ctx<'_>, kid: KeyId, entry: AuditEntry) -> Result<bool, DomainError> {
    let input = (ctx.tenant_id(), kid, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, kid, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let removed = signing_keys::advance(&of, kid, KeyState::Retiring, KeyState::Removed, *now).await?;
                if removed {
                    of.changed(ChangeKind::Keys, "").await?;
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(removed)
            })
        })
        .await
}

/// One turn of the state machine for a tenant: publishes what is missing, activates what is due,
/// removes what nothing can need any more.
///
/// # Errors
/// The database is unavailable; what was done so far stays.
pub async fn advance(ctx: &Ctx<'_>) -> Result<(), DomainError> {
    let tokens = &ctx.core.config.tokens;
    let now = ctx.now();
    for alg in SigningAlg::ALL {
        let next = ensure_next(ctx, *alg).await?;
        let keys = list(ctx).await?;
        let Some(active) = keys.iter().find(|key| key.alg == *alg && key.state == KeyState::Active) else { continue };
        let published = now >= next.created_at + tokens.key_cache + LEEWAY;
        let aged = active.activated_at.is_some_and(|since| since <= due(ctx.core).0);
        // An active key with a retiring date was asked to go (`rotate`).
        if (published && active.retired_at.is_some()) || (now >= next.created_at + tokens.key_lead && aged) {
            activate(ctx, &next).await?;
        }
    }
    let (_, faded) = due(ctx.core);
    for key in list(ctx).await? {
        if key.state == KeyState::Retiring && key.retired_at.is_some_and(|since| since <= faded) {
            let entry = ctx.audit("key.remove", Some(format!("key:{}", key.kid)), Outcome::Success, None);
            remove(ctx, key.kid, entry).await?;
        }
    }
    Ok(())
}

/// Since when an active key must have signed to be replaced now, and a retiring one have ceased to be
/// removed now.
pub(super) fn due(core: &Core) -> (Timestamp, Timestamp) {
    let now = core.clock.now();
    (now - core.config.tokens.key_age, now - longest_life(core) - LEEWAY)
}

/// The longest that anything signed can live.
fn longest_life(core: &Core) -> Duration {
    let tokens = &core.config.tokens;
    // A client's or tenant's own setting is bounded by a day as well.
    [tokens.access, tokens.service, tokens.tenant_login, tokens.on_behalf, tokens.id, MAX_ACCESS_TOKEN_TTL]
        .into_iter()
        .max()
        .unwrap_or(MAX_ACCESS_TOKEN_TTL)
}

/// The longest life that a client or tenant may set for its access tokens.
pub const MAX_ACCESS_TOKEN_TTL: Duration = Duration::from_secs(86_400);
