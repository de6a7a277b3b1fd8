//! Tenants: made, found by id or key, told apart by their issuers.

mod settings;

use std::sync::Arc;
use std::time::Duration;

pub use settings::{issue_initial_token, revoke_initial_tokens, update};

use super::core::Core;
use super::ctx::{Ctx, Origin};
use super::error::{DomainError, Invalid, Noun};
use super::{keys, permissions, roles};
use crate::crypto::digest::{Digest, constant_time_eq};
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::{Actor, Outcome};
use crate::model::change::ChangeKind;
use crate::model::ids::TenantId;
use crate::model::page::{Counted, PageNumber};
use crate::model::secret::Secret;
use crate::model::signing_key::SigningKey;
use crate::model::tenant::{InitialAccessToken, Tenant, TenantKey, TenantKeyKind, TenantSettings};
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantTx, tenants, unscoped};

/// A tenant as requests meet it.
#[derive(Clone, Debug)]
pub struct LiveTenant {
    /// The row.
    pub tenant: Tenant,
    /// Its issuer (RFC 8414 §2): the base URL, or `{base}/t/{tenant_id}`.
    pub issuer: String,
    /// Its metadata document, once somebody has asked for it: without and with what legacy clients use.
    pub metadata: [std::sync::OnceLock<bytes::Bytes>; 2],
}

impl LiveTenant {
    pub(super) fn new(core: &Core, tenant: Tenant) -> Self {
        let base = core.config.http.issuer.as_str();
        let issuer = if tenant.is_default { base.to_owned() } else { format!("{base}/t/{}", tenant.id) };
        Self { tenant, issuer, metadata: Default::default() }
    }

    /// The path of its issuer: what stands before the paths of its pages and endpoints.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.issuer.find("://").map_or(0, |at| at + 3);
        let rest = self.issuer.get(after_scheme..).unwrap_or_default();
        rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default())
    }

    /// The tenant's own value in seconds, or the installation's.
    #[must_use]
    pub fn access_token_ttl(&self, core: &Core) -> Duration {
        seconds_or(self.tenant.settings.access_token_ttl, core.config.tokens.access)
    }

    /// The tenant's own value in seconds, or the installation's.
    #[must_use]
    pub fn refresh_token_ttl(&self, core: &Core) -> Duration {
        seconds_or(self.tenant.settings.refresh_token_ttl, core.config.tokens.refresh_idle)
    }

    /// Whether this is a token that opens client registration here, at this moment.
    #[must_use]
    pub fn takes_initial_token(&self, presented: &str, now: Timestamp) -> bool {
        let Some(digest) = opaque::recognise(TokenKind::InitialAccessToken, presented) else { return false };
        let digest = digest.hex();
        let counts = |token: &InitialAccessToken| token.expires_at.is_none_or(|end| end > now);
        let is = |token: &InitialAccessToken| constant_time_eq(token.digest.as_bytes(), digest.as_bytes());
        self.tenant.settings.initial_access_tokens.iter().any(|token| counts(token) && is(token))
    }

    /// The least number of characters in a password of this tenant's users.
    #[must_use]
    pub fn password_min_length(&self, core: &Core) -> usize {
        let own = self.tenant.settings.password_min_length.and_then(|n| usize::try_from(n).ok());
        own.unwrap_or_else(|| usize::from(core.config.passwords.tenant_min_length))
    }
}

fn seconds_or(own: Option<u32>, installation: Duration) -> Duration {
    own.map_or(installation, |seconds| Duration::from_secs(u64::from(seconds)))
}

/// Whose key it is and which calls it opens.
#[derive(Clone, Copy, Debug)]
pub struct TenantKeyHolder {
    /// Whose.
    pub tenant: TenantId,
    /// Which calls.
    pub kind: TenantKeyKind,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// A tenant that was just made, with its keys in the clear for the one time.
pub struct NewTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// `pub_…`.
    pub public_key: String,
    /// `sec_…`: shown once.
    pub secret_key: Secret<String>,
}

/// The tenant that serves every path that names none.
///
/// # Errors
/// The database is unavailable.
pub async fn default(core: &Core) -> Result<Arc<LiveTenant>, DomainError> {
    match core.default_tenant.get() {
        Some(id) => live(core, *id).await,
        None => Err(DomainError::Unavailable("the installation is not ready yet".to_owned())),
    }
}

/// The tenant of this id, if it is enabled.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn live(core: &Core, id: TenantId) -> Result<Arc<LiveTenant>, DomainError> {
    core.tenants.get(id, async |id| load(core, *id).await).await
}

/// The tenant of this id as it is at this moment, enabled or not: for who administers it.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn administered(core: &Core, id: TenantId) -> Result<Arc<LiveTenant>, DomainError> {
    let tenant = tenants::find(&core.db.read().of(id)).await?;
    tenant.map(|tenant| Arc::new(LiveTenant::new(core, tenant))).ok_or(DomainError::NotFound(Noun::Tenant))
}

/// At most `limit` tenants after `after`, in the order in which they were made, disabled ones too.
///
/// # Errors
/// The database is unavailable.
pub async fn list_after(core: &Core, after: Option<TenantId>, limit: u64) -> Result<Vec<Tenant>, DomainError> {
    Ok(unscoped::tenants_after(core.db.read(), after, limit).await?)
}

/// The same for what is published anyway: while the database is gone, the tenant as it was last known.
///
/// # Errors
/// As [`live`].
pub async fn live_or_last(core: &Core, id: TenantId) -> Result<Arc<LiveTenant>, DomainError> {
    core.tenants.get_or_last(id, async |id| load(core, *id).await).await
}

/// The default tenant, as [`live_or_last`].
///
/// # Errors
/// As [`live`].
pub async fn default_or_last(core: &Core) -> Result<Arc<LiveTenant>, DomainError> {
    match core.default_tenant.get() {
        Some(id) => live_or_last(core, *id).await,
        None => default(core).await,
    }
}

async fn load(core: &Core, id: TenantId) -> Result<Arc<LiveTenant>, DomainError> {
    let tenant = tenants::find(&core.db.read().of(id)).await?.filter(|tenant| tenant.enabled);
    tenant.map(|tenant| Arc::new(LiveTenant::new(core, tenant))).ok_or(DomainError::NotFound(Noun::Tenant))
}

/// The tenant whose issuer this is, byte for byte.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn of_issuer(core: &Core, issuer: &str) -> Result<Arc<LiveTenant>, DomainError> {
    let rest = issuer.strip_prefix(core.config.http.issuer.as_str()).ok_or(DomainError::NotFound(Noun::Tenant))?;
    let tenant = if rest.is_empty() {
        default(core).await?
    } else {
        let id = rest.strip_prefix("/t/").and_then(|id| id.parse().ok()).ok_or(DomainError::NotFound(Noun::Tenant))?;
        live(core, id).await?
    };
    if tenant.issuer == issuer { Ok(tenant) } else { Err(DomainError::NotFound(Noun::Tenant)) }
}

/// The tenant and the kind of the key (`pub_…` or `sec_…`) that was presented.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] for anything that is not a key that counts.
pub async fn by_key(core: &Core, presented: &str) -> Result<(Arc<LiveTenant>, TenantKeyKind), DomainError> {
    let digest = opaque::recognise(TokenKind::PublicKey, presented)
        .or_else(|| opaque::recognise(TokenKind::SecretKey, presented))
        .ok_or(DomainError::NotAuthenticated("not a tenant key"))?;
    let holder = core
        .tenant_keys
        .get(*digest.as_bytes(), async |digest| {
            let found = unscoped::tenant_of_key(core.db.read(), digest).await?;
            let (tenant, key) = found.ok_or(DomainError::NotAuthenticated("unknown tenant key"))?;
            Ok::<_, DomainError>(TenantKeyHolder { tenant, kind: key.kind, expires_at: key.expires_at })
        })
        .await?;
    if holder.expires_at.is_some_and(|end| end <= core.clock.now()) {
        return Err(DomainError::NotAuthenticated("replaced tenant key"));
    }
    match live(core, holder.tenant).await {
        Ok(tenant) => Ok((tenant, holder.kind)),
        Err(DomainError::NotFound(_)) => Err(DomainError::NotAuthenticated("key of a disabled tenant")),
        Err(other) => Err(other),
    }
}

/// Makes a tenant with its keys, seeded roles and permissions, and signing keys.
///
/// # Errors
/// The name is not one, or the database is unavailable.
pub async fn create(core: &Core, actor: Actor, origin: Origin, name: &str) -> Result<NewTenant, DomainError> {
    let name: DisplayName =
        name.parse().map_err(|why: crate::model::text::InvalidText| Invalid::new("name", why.to_string()))?;
    let now = core.clock.now();
    let tenant = Tenant {
        id: TenantId::from_uuid(core.entropy.uuid_v7(now)),
        name: name.as_str().to_owned(),
        is_default: false,
        enabled: true,
        settings: TenantSettings::default(),
        created_at: now,
    };
    let made = Draft::prepare(core, tenant).await?;
    let ctx = Ctx::new(core, Arc::new(LiveTenant::new(core, made.tenant.clone())), actor, origin);
    let entry = ctx.audit("tenant.create", Some(format!("tenant:{}", made.tenant.id)), Outcome::Success, None);
    let (public_key, secret_key) = (made.public_key.expose().clone(), made.secret_key.clone());
    let tenant = made.tenant.clone();
    core.db
        .write((made, entry), |tx, (made, entry)| {
            Box::pin(async move {
                made.insert(&tx.of(made.tenant.id)).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(NewTenant { tenant, public_key, secret_key })
}

/// A tenant with all that it has from the start, ready to be written in one transaction.
pub(super) struct Draft {
    pub(super) tenant: Tenant,
    pub(super) public_key: Secret<String>,
    pub(super) secret_key: Secret<String>,
    signing_keys: Vec<SigningKey>,
}

impl Draft {
    /// Makes the keys, which takes a tenth of a second and no transaction.
    pub(super) async fn prepare(core: &Core, tenant: Tenant) -> Result<Self, DomainError> {
        Ok(Self {
            signing_keys: keys::generate_first(core, tenant.id).await?,
            public_key: opaque::generate(TokenKind::PublicKey, &*core.entropy),
            secret_key: opaque::generate(TokenKind::SecretKey, &*core.entropy),
            tenant,
        })
    }

    /// Writes everything.
    pub(super) async fn insert(&self, tx: &TenantTx<'_>) -> Result<(), StorageError> {
        let at = self.tenant.created_at;
        tenants::insert(tx, &self.tenant).await?;
        for (kind, key) in [(TenantKeyKind::Public, &self.public_key), (TenantKeyKind::Secret, &self.secret_key)] {
            tenants::insert_key(tx, &tenant_key(kind, key, at)).await?;
        }
        permissions::seed(tx, at).await?;
        roles::seed(tx, at).await?;
        for key in &self.signing_keys {
            crate::storage::signing_keys::insert(tx, key).await?;
        }
        Ok(())
    }
}

fn tenant_key(kind: TenantKeyKind, key: &Secret<String>, created_at: Timestamp) -> TenantKey {
    TenantKey {
        kind,
        digest: *opaque::digest_of_secret(key.expose()).as_bytes(),
        public_text: (kind == TenantKeyKind::Public).then(|| key.expose().clone()),
        expires_at: None,
        created_at,
    }
}

/// Replaces a key; the one before counts for `overlap` more.
///
/// # Errors
/// The database is unavailable.
pub async fn rotate_key(ctx: &Ctx<'_>, kind: TenantKeyKind, overlap: Duration) -> Result<Secret<String>, DomainError> {
    let token_kind = match kind {
        TenantKeyKind::Public => TokenKind::PublicKey,
        TenantKeyKind::Secret => TokenKind::SecretKey,
    };
    let key = opaque::generate(token_kind, &*ctx.core.entropy);
    let now = ctx.now();
    let entry = ctx.audit("tenant.rotate_key", Some(format!("tenant-key:{kind}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), tenant_key(kind, &key, now), now + overlap, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, key, until, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                tenants::expire_keys(&of, key.kind, *until).await?;
                tenants::insert_key(&of, key).await?;
                of.changed(ChangeKind::Tenant, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(key)
}

/// A tenant with what may be shown of its keys.
pub struct TenantCard {
    /// The tenant.
    pub tenant: Tenant,
    /// The newest public key.
    pub public_key: String,
    /// A fingerprint of the newest secret key, for comparing by eye: a digest of the verifier, so
    /// that it can't stand in for it.
    pub secret_key_fingerprint: String,
}

/// A tenant with what may be shown of its keys.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn card(core: &Core, id: TenantId) -> Result<TenantCard, DomainError> {
    let tenant = live(core, id).await?;
    let keys = tenants::keys(&core.db.read().of(id)).await?;
    let newest = |kind| keys.iter().find(|key| key.kind == kind);
    let fingerprint = |key: &TenantKey| Digest::of_parts("gatehouse tenant key fingerprint", &[&key.digest]).hex();
    Ok(TenantCard {
        tenant: tenant.tenant.clone(),
        public_key: newest(TenantKeyKind::Public).and_then(|key| key.public_text.clone()).unwrap_or_default(),
        secret_key_fingerprint: newest(TenantKeyKind::Secret).map(fingerprint).unwrap_or_default(),
    })
}

/// All tenants with their public keys, by page.
///
/// # Errors
/// The database is unavailable.
pub async fn list(core: &Core, page: PageNumber) -> Result<Counted<(Tenant, Option<String>)>, DomainError> {
    Ok(unscoped::tenants(core.db.read(), page).await?)
}
