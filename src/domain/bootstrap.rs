//! The first start: the default tenant with its keys, roles and permissions, the first
//! administrator, and a service to try things with. Exactly once, whoever starts.

use std::sync::Arc;

use super::api_sign_in;
use super::clients::{self, NewClient};
use super::core::Core;
use super::ctx::{Ctx, Origin};
use super::error::DomainError;
use super::tenants::{self, LiveTenant};
use super::users;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::{Actor, Outcome};
use crate::model::client::Client;
use crate::model::ids::{TenantId, UserId};
use crate::model::role::SUPER_ADMIN;
use crate::model::secret::Secret;
use crate::model::tenant::{Tenant, TenantSettings};
use crate::model::text::Email;
use crate::model::user::User;
use crate::storage::StorageError;
use crate::storage::installation::{self, Installation};

/// What the winner of the first start may show, once.
pub struct FirstStart {
    /// The first administrator's address.
    pub admin_email: String,
    /// Their one-time password, unless the configuration gave one.
    pub admin_password: Option<Secret<String>>,
    /// A service without scopes, for the first `curl`.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret<String>,
}

/// Makes the installation if nobody has yet, and learns which tenant is the default one. `Some`
/// only for who made it.
///
/// # Errors
/// The database was made with another master key, or is unavailable.
pub async fn ensure(core: &Core) -> Result<Option<FirstStart>, DomainError> {
    if let Some(found) = installation::find(core.db.read()).await? {
        adopt(core, &found)?;
        return api_sign_in::ensure_built_in(core).await.map(|()| None);
    }
    let (plan, shown) = Plan::prepare(core).await?;
    let made = core
        .db
        .write(plan, |tx, plan| {
            Box::pin(async move {
                // The row's primary key decides among those who start at the same moment.
                match plan.insert(tx).await {
                    Err(DomainError::Taken(_)) => Ok(false),
                    other => other.map(|()| true),
                }
            })
        })
        .await;
    match made {
        Ok(true) => {}
        Ok(false) | Err(DomainError::Contended(_)) => {}
        Err(DomainError::Defect(why)) if installation::find(core.db.read()).await?.is_some() => {
            tracing::debug!(%why, "another copy made the installation");
        }
        Err(other) => return Err(other),
    }
    let found = installation::find(core.db.read()).await?;
    let found = found.ok_or_else(|| DomainError::Unavailable("the installation could not be made".to_owned()))?;
    adopt(core, &found)?;
    Ok((found.default_tenant == shown.1).then_some(shown.0))
}

fn adopt(core: &Core, found: &Installation) -> Result<(), DomainError> {
    if found.key_check != core.key_check {
        return Err(DomainError::Defect(
            "this database was made with another master key; give that one (master_key or master_key_file)".to_owned(),
        ));
    }
    let _ = core.default_tenant.set(found.default_tenant);
    Ok(())
}

/// Everything of the first start, ready to be written in one transaction.
struct Plan {
    installation: Installation,
    tenant: tenants::Draft,
    admin: users::Draft,
    /// The service for the first `curl`, and the built-in one.
    clients: [Client; 2],
    entry: crate::model::audit::AuditEntry,
}

impl Plan {
    async fn prepare(core: &Core) -> Result<(Self, (FirstStart, TenantId)), DomainError> {
        let now = core.clock.now();
        let tenant = Tenant {
            id: TenantId::from_uuid(core.entropy.uuid_v7(now)),
            name: "default".to_owned(),
            is_default: true,
            enabled: true,
            settings: TenantSettings::default(),
            created_at: now,
        };
        let id = tenant.id;
        let live = Arc::new(LiveTenant::new(core, tenant.clone()));
        let ctx = Ctx::new(core, live, Actor::System, Origin::default());

        let (admin, email, password) = Self::admin(&ctx).await?;
        let demo = clients::draft(
            &ctx,
            NewClient {
                description: Some("Made at the first start, without scopes; delete it when you like".to_owned()),
                ..NewClient::service("first steps")
            },
        )?;
        let Some(client_secret) = demo.secret else {
            return Err(DomainError::Defect("a service was made without secret".to_owned()));
        };
        let shown = FirstStart {
            admin_email: email,
            admin_password: password,
            client_id: demo.client.id.to_string(),
            client_secret,
        };
        let plan = Self {
            installation: Installation { default_tenant: id, key_check: core.key_check.to_vec(), created_at: now },
            entry: ctx.audit("installation.create", Some(format!("tenant:{id}")), Outcome::Success, None),
            tenant: tenants::Draft::prepare(core, tenant).await?,
            admin,
            clients: [demo.client, api_sign_in::built_in(&ctx)?],
        };
        Ok((plan, (shown, id)))
    }

    async fn admin(ctx: &Ctx<'_>) -> Result<(users::Draft, String, Option<Secret<String>>), DomainError> {
        let config = &ctx.core.config.admin;
        let address = config.email.as_ref().map_or("admin@localhost", Email::as_str).to_owned();
        let email: Email =
            address.parse().map_err(|why| DomainError::Defect(format!("admin.email {address:?} {why}")))?;
        let (password, shown) = match &config.password {
            Some(given) => (given.clone(), None),
            None => {
                // 128 bits that a person can type; the prefix and checksum of tokens are not wanted.
                let made = opaque::generate(TokenKind::MailLink, &*ctx.core.entropy);
                let typed: String = made.expose().chars().skip(4).take(22).collect();
                (Secret::new(typed.clone()), Some(Secret::new(typed)))
            }
        };
        let min = usize::from(ctx.core.config.passwords.min_length);
        let hash = super::authn::hash_new(ctx, password.expose(), min).await?;
        let now = ctx.now();
        let user = User {
            tenant: ctx.tenant_id(),
            id: UserId::from_uuid(ctx.core.entropy.uuid_v7(now)),
            email: Some(email.as_str().to_owned()),
            email_verified: true,
            username: None,
            name: Some("Administrator".to_owned()),
            password_hash: Some(hash),
            profile: serde_json::json!({}),
            enabled: true,
            external_sub: None,
            has_second_factor: false,
            verification_due: false,
            token_epoch: 0,
            created_at: now,
            updated_at: now,
        };
        let roles = [SUPER_ADMIN.to_owned()];
        let draft = users::Draft::prepare(ctx, user, vec![email.canonical()], &roles);
        Ok((draft, address, shown))
    }

    async fn insert(&self, tx: &crate::storage::Tx) -> Result<(), DomainError> {
        if installation::find(tx.rows()).await?.is_some() {
            return Err(DomainError::Taken(super::Noun::Tenant));
        }
        let of = tx.of(self.installation.default_tenant);
        self.tenant.insert(&of).await?;
        installation::insert(tx, &self.installation).await.map_err(|error| match error {
            StorageError::Duplicate(_) => DomainError::Contended("another copy made the installation".to_owned()),
            other => other.into(),
        })?;
        self.admin.insert(&of).await?;
        for client in &self.clients {
            clients::insert(&of, client, "system", self.installation.created_at).await?;
        }
        crate::storage::audit::append(tx, &self.entry).await?;
        Ok(())
    }
}
