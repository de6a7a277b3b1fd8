//! What gatehouse runs on: the database, the seams, the hashing pool, and what is cached.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::access::Held;
use super::access_log::AccessLog;
use super::clients::{Apps, LiveClient, RemoteKeys};
use super::error::DomainError;
use super::keys::Keyring;
use super::lockout::Turnstile;
use super::tenants::{LiveTenant, TenantKeyHolder};
use super::users::UserState;
use crate::config::Config;
use crate::crypto::form_token::FormTokenKey;
use crate::crypto::opaque::RefreshTokenKey;
use crate::crypto::pairwise::PairwiseKey;
use crate::crypto::password_pool::PasswordPool;
use crate::crypto::sealing::{MasterKey, Sealer};
use crate::model::api_client::ApiClient;
use crate::model::change::ChangeKind;
use crate::model::connection::Connection;
use crate::model::entropy::Entropy;
use crate::model::ids::{ClientId, TenantId, UserId};
use crate::model::time::Clock;
use crate::outbound::Outbound;
use crate::outbound::documents::Documents;
use crate::storage::fresh::Fresh;
use crate::storage::{Db, StorageError};
use crate::telemetry::Metrics;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Seams {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Seams {
    fn default() -> Self {
        Self {
            clock: Arc::new(crate::model::time::SystemClock),
            entropy: Arc::new(crate::model::entropy::SystemEntropy),
        }
    }
}

/// Everything that verbs work with. One per process, shared by reference.
pub struct Core {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seals private keys at rest.
    pub sealer: Sealer,
    /// Makes and opens refresh tokens.
    pub refresh_tokens: RefreshTokenKey,
    /// Makes and checks the anti-forgery tokens of forms.
    pub form_tokens: FormTokenKey,
    /// Makes the subjects of clients that shall not compare theirs.
    pub(super) pairwise: PairwiseKey,
    /// Recognises a wrong master key.
    pub(super) key_check: [u8; 32],
    /// Hashes passwords, so many at once and no more.
    pub passwords: PasswordPool,
    /// How it is set up.
    pub config: Arc<Config>,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Asks others.
    pub outbound: Outbound,
    /// What providers elsewhere say of themselves, and their keys.
    pub documents: Documents,
    /// What services did, on its way to the database.
    pub access_log: AccessLog,
    /// The tenant that serves every path that names none; known once the start is done.
    pub(super) default_tenant: OnceLock<TenantId>,
    /// How many mails each person got lately.
    pub(super) mail_quota: super::mail::Quota,
    /// Rung when clients are to be told of a sign-out.
    pub(super) logouts: Notify,
    /// One attempt at a time for each account.
    pub(super) turnstile: Turnstile,
    pub(super) tenants: Fresh<TenantId, Arc<LiveTenant>>,
    pub(super) tenant_keys: Fresh<[u8; 32], TenantKeyHolder>,
    pub(super) clients: Fresh<(TenantId, ClientId), Arc<LiveClient>>,
    /// Keys that clients publish themselves.
    pub(super) remote_keys: RemoteKeys,
    /// What a tenant's clients have in common.
    pub(super) apps: Fresh<TenantId, Arc<Apps>>,
    pub(super) users: Fresh<(TenantId, UserId), Arc<UserState>>,
    /// The roles that people hold, with what those permit.
    pub(super) held: Fresh<(TenantId, UserId), Arc<Held>>,
    /// The enabled connections of a tenant.
    pub(super) connections: Fresh<TenantId, Arc<Vec<Connection>>>,
    /// API clients, by client key.
    pub(super) api_clients: Fresh<(TenantId, Arc<str>), Arc<ApiClient>>,
    pub(super) keyrings: Fresh<TenantId, Arc<Keyring>>,
    pub(super) revoked: Fresh<(TenantId, Arc<str>), bool>,
}

impl Core {
    /// Puts it together. Reads no row yet.
    ///
    /// # Errors
    /// The master key is not usable.
    pub fn new(
        config: Arc<Config>,
        db: Db,
        seams: Seams,
        master_key: &MasterKey,
        passwords: PasswordPool,
        outbound: Outbound,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, DomainError> {
        let fresh = || Arc::clone(db.freshness());
        let core = Arc::new(Self {
            sealer: Sealer::new(master_key)?,
            refresh_tokens: RefreshTokenKey::new(master_key),
            form_tokens: FormTokenKey::new(master_key),
            pairwise: PairwiseKey::new(master_key),
            key_check: *master_key.key_check().as_bytes(),
            passwords,
            documents: Documents::new(outbound.clone(), Arc::clone(&seams.clock)),
            outbound,
            access_log: AccessLog::new(config.access_log.queue, Arc::clone(&metrics)),
            metrics,
            default_tenant: OnceLock::new(),
            mail_quota: super::mail::Quota::default(),
            logouts: Notify::new(),
            turnstile: Turnstile::default(),
            tenants: Fresh::new(fresh(), 10_000),
            tenant_keys: Fresh::new(fresh(), 10_000),
            clients: Fresh::new(fresh(), 10_000),
            remote_keys: RemoteKeys::default(),
            apps: Fresh::new(fresh(), 1_000),
            users: Fresh::new(fresh(), 50_000),
            held: Fresh::new(fresh(), 50_000),
            connections: Fresh::new(fresh(), 1_000),
            api_clients: Fresh::new(fresh(), 10_000),
            keyrings: Fresh::new(fresh(), 1_000),
            revoked: Fresh::new(fresh(), 100_000),
            clock: seams.clock,
            entropy: seams.entropy,
            config,
            db,
        });
        let weak = Arc::downgrade(&core);
        core.db.freshness().listen(move |change| {
            if let Some(core) = weak.upgrade() {
                core.forget(change);
            }
        });
        Ok(core)
    }

    /// Drops from the caches what a change names.
    fn forget(&self, change: &crate::storage::changes::Change) {
        match (change.kind, change.tenant) {
            (ChangeKind::Tenant, Some(tenant)) => {
                self.tenants.forget(&tenant);
                self.tenant_keys.forget_all();
            }
            (ChangeKind::Client, Some(tenant)) => {
                self.apps.forget(&tenant);
                match change.key.parse() {
                    Ok(client) => self.clients.forget(&(tenant, client)),
                    Err(_) => self.clients.forget_all(),
                }
            }
            (ChangeKind::User, Some(tenant)) => match change.key.parse() {
                Ok(user) => {
                    self.users.forget(&(tenant, user));
                    self.held.forget(&(tenant, user));
                }
                Err(_) => {
                    self.users.forget_all();
                    self.held.forget_all();
                }
            },
            (ChangeKind::Roles, _) => {
                self.held.forget_all();
                self.clients.forget_all();
            }
            (ChangeKind::Keys, Some(tenant)) => self.keyrings.forget(&tenant),
            (ChangeKind::Token, Some(tenant)) => self.revoked.forget(&(tenant, Arc::from(change.key.as_str()))),
            (ChangeKind::ApiClient, Some(tenant)) => self.api_clients.forget(&(tenant, Arc::from(change.key.as_str()))),
            (ChangeKind::Connection, Some(tenant)) => self.connections.forget(&tenant),
            (_, None) => {
                self.connections.forget_all();
                self.tenants.forget_all();
                self.tenant_keys.forget_all();
                self.clients.forget_all();
                self.apps.forget_all();
                self.users.forget_all();
                self.held.forget_all();
                self.api_clients.forget_all();
                self.keyrings.forget_all();
                self.revoked.forget_all();
            }
        }
    }

    /// Whether the database answers, the schema is the wanted one and the default tenant's keys are
    /// loaded; else what is wrong.
    pub async fn readiness(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if !self.db.freshness().holds() {
            reasons.push("the database has not answered for a second".to_owned());
        } else if let Err(why) = self.load_default_keys().await {
            reasons.push(format!("the signing keys can't be loaded: {why}"));
        }
        reasons
    }

    async fn load_default_keys(&self) -> Result<(), DomainError> {
        let tenant = super::tenants::default(self).await?;
        super::keys::keyring(self, tenant.tenant.id).await.map(|_| ())
    }

    /// Writes a consistent copy of the embedded database to a file that does not exist yet.
    ///
    /// # Errors
    /// The file exists, can't be written, or the database is not the embedded one.
    pub async fn backup(&self, file: &Path) -> Result<(), StorageError> {
        crate::storage::backup::to_file(&self.db, file).await
    }
}
