//! Writing the file.

use std::collections::BTreeMap;
use std::io::Write;

use super::lines::{Header, Line, SamlKeyLine, TenantLine};
use super::values::SecretBytes;
use super::{Counts, TransferError};
use crate::domain::ctx::{Ctx, Origin};
use crate::domain::tenants::LiveTenant;
use crate::domain::{Core, DomainError, api_sign_in, audit, clients, connections};
use crate::model::audit::{Actor, Outcome};
use crate::model::connection::Identity;
use crate::model::factors::{Passkey, RecoveryCode, TotpFactor};
use crate::model::ids::{PermissionId, RoleId, TenantId};
use crate::model::organization::{Membership, Organization};
use crate::model::page::PageNumber;
use crate::model::role::RoleAssignment;
use crate::model::scoped_grant::ScopedGrant;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::storage::transfer::{self, Whole};
use crate::storage::{Rows, TenantRows, permissions, roles, saml_keys, signing_keys, unscoped};

/// How many rows are read at once.
const PAGE: u64 = 500;

/// What was written, and what was not because it is secret.
#[derive(Debug, Default)]
pub struct Left {
    /// Lines of each kind.
    pub written: Counts,
    /// Private signing keys that stayed behind.
    pub signing_keys: u64,
    /// Authenticator apps that stayed behind.
    pub totp: u64,
    /// Clients whose secret, which they sign with, stayed behind.
    pub client_secrets: u64,
    /// Keys towards SAML providers that stayed behind.
    pub saml_keys: u64,
    /// Connections whose secret at the provider stayed behind.
    pub connection_secrets: u64,
}

/// Writes a tenant, or all of them with the default one first; rows as they were at one moment.
///
/// # Errors
/// [`DomainError::NotFound`] for the tenant; the file can't be written; or the database is unavailable.
pub async fn export(
    core: &Core,
    tenant: Option<TenantId>,
    secrets: bool,
    to: &mut (dyn Write + Send),
) -> Result<Left, TransferError> {
    let snapshot = core.db.snapshot().await?;
    let chosen = match tenant {
        Some(id) => vec![found(snapshot.rows(), id).await?],
        None => all(snapshot.rows()).await?,
    };
    let mut file = File { core, secrets, to, left: Left::default() };
    file.line(&Header::new(tenant.is_none(), secrets))?;
    for tenant in &chosen {
        file.tenant(snapshot.rows().of(tenant.id), tenant).await?;
    }
    file.to.flush()?;
    let left = file.left;
    drop(snapshot);
    for tenant in chosen {
        let target = Some(format!("tenant:{}", tenant.id));
        let live = LiveTenant::new(core, tenant);
        let ctx = Ctx::new(core, std::sync::Arc::new(live), Actor::Operator, Origin::default());
        let detail = secrets.then(|| "with secrets".to_owned());
        audit::append(core, ctx.audit("tenant.export", target, Outcome::Success, detail)).await?;
    }
    Ok(left)
}

async fn found(rows: Rows<'_>, id: TenantId) -> Result<Tenant, TransferError> {
    let found = crate::storage::tenants::find(&rows.of(id)).await?;
    Ok(found.ok_or(DomainError::NotFound(crate::domain::Noun::Tenant))?)
}

async fn all(rows: Rows<'_>) -> Result<Vec<Tenant>, TransferError> {
    let mut all = Vec::new();
    let mut page = PageNumber { page: 1, per_page: PAGE };
    loop {
        let found = unscoped::tenants(rows, page).await?;
        all.extend(found.rows.into_iter().map(|(tenant, _)| tenant));
        if page.window().offset + PAGE >= found.total {
            all.sort_by_key(|tenant| !tenant.is_default);
            return Ok(all);
        }
        page.page += 1;
    }
}

struct File<'a> {
    core: &'a Core,
    secrets: bool,
    to: &'a mut (dyn Write + Send),
    left: Left,
}

impl File<'_> {
    fn line(&mut self, line: &impl serde::Serialize) -> Result<(), TransferError> {
        let mut text = serde_json::to_vec(line).map_err(|why| DomainError::Defect(why.to_string()))?;
        text.push(b'\n');
        Ok(self.to.write_all(&text)?)
    }

    fn put(&mut self, line: &Line) -> Result<(), TransferError> {
        *self.left.written.entry(line.kind()).or_default() += 1;
        self.line(line)
    }

    /// Everything of a kind, page by page.
    async fn every<N: Whole + Clone>(
        &mut self,
        rows: &TenantRows<'_>,
        line: impl Fn(N) -> Line,
    ) -> Result<(), TransferError> {
        let mut last: Option<N> = None;
        loop {
            let page = transfer::page(rows, last.as_ref(), PAGE).await?;
            last = page.last().cloned();
            if last.is_none() {
                return Ok(());
            }
            for noun in page {
                self.put(&line(noun))?;
            }
        }
    }

    /// What a line names stands before it.
    async fn tenant(&mut self, rows: TenantRows<'_>, tenant: &Tenant) -> Result<(), TransferError> {
        let keys = crate::storage::tenants::keys(&rows).await?;
        self.put(&Line::Tenant(TenantLine::of(tenant, &keys)))?;
        for key in signing_keys::list(&rows).await? {
            if self.secrets {
                self.put(&Line::of_signing_key(self.core, &key)?)?;
            } else {
                self.left.signing_keys += 1;
            }
        }
        self.roles(&rows).await?;
        self.clients(&rows).await?;
        self.every::<User>(&rows, Line::of_user).await?;
        self.every::<RoleAssignment>(&rows, Line::of_role_assignment).await?;
        self.every::<Passkey>(&rows, Line::of_passkey).await?;
        self.apps(&rows).await?;
        self.every::<RecoveryCode>(&rows, Line::of_recovery_code).await?;
        self.every::<Organization>(&rows, Line::of_organization).await?;
        self.every::<Membership>(&rows, Line::of_membership).await?;
        self.connections(&rows).await?;
        self.every::<Identity>(&rows, Line::of_identity).await?;
        self.every(&rows, Line::of_system).await?;
        self.every(&rows, Line::of_module).await?;
        self.every(&rows, Line::of_site).await?;
        self.every(&rows, Line::of_api_client).await?;
        self.every::<ScopedGrant>(&rows, Line::of_scoped_grant).await
    }

    async fn roles(&mut self, rows: &TenantRows<'_>) -> Result<(), TransferError> {
        for permission in permissions::list(rows).await? {
            self.put(&Line::of_permission(permission))?;
        }
        let mut held = BTreeMap::<RoleId, Vec<PermissionId>>::new();
        for (role, permission) in transfer::role_permissions(rows).await? {
            held.entry(role).or_default().push(permission);
        }
        for role in roles::list(rows).await? {
            let permissions = held.remove(&role.id).unwrap_or_default();
            self.put(&Line::of_role(role, permissions))?;
        }
        Ok(())
    }

    async fn clients(&mut self, rows: &TenantRows<'_>) -> Result<(), TransferError> {
        let all = crate::storage::clients::list(rows).await?;
        // Every installation has the built-in one.
        for client in all.into_iter().filter(|client| client.id.as_str() != api_sign_in::CLIENT) {
            let secret = if self.secrets { clients::shared_secret(self.core, &client)? } else { None };
            let has_one = client.secrets.as_ref().is_some_and(|secrets| secrets.sealed.is_some());
            self.left.client_secrets += u64::from(has_one && !self.secrets);
            self.put(&Line::of_client(client, secret))?;
        }
        Ok(())
    }

    /// Connections, whose secrets are sealed, and the key by which SAML providers know the tenant.
    async fn connections(&mut self, rows: &TenantRows<'_>) -> Result<(), TransferError> {
        match saml_keys::find(rows).await? {
            Some((sealed, certificate)) if self.secrets => {
                let private = self.core.sealer.open(crate::domain::saml_keys::context(rows.tenant()), &sealed);
                let private = SecretBytes(private.map_err(DomainError::from)?);
                self.put(&Line::SamlKey(SamlKeyLine { private, certificate }))?;
            }
            kept => self.left.saml_keys += u64::from(kept.is_some()),
        }
        for connection in crate::storage::connections::list(rows).await? {
            let secret = if self.secrets { connections::secret(self.core, &connection)? } else { None };
            self.left.connection_secrets += u64::from(connection.sealed_secret.is_some() && !self.secrets);
            self.put(&Line::of_connection(connection, secret))?;
        }
        Ok(())
    }

    /// Authenticator apps, whose secrets are sealed.
    async fn apps(&mut self, rows: &TenantRows<'_>) -> Result<(), TransferError> {
        let mut last: Option<TotpFactor> = None;
        loop {
            let page = transfer::page(rows, last.as_ref(), PAGE).await?;
            last = page.last().cloned();
            if last.is_none() {
                return Ok(());
            }
            for factor in &page {
                if self.secrets {
                    self.put(&Line::of_totp(self.core, rows.tenant(), factor)?)?;
                } else {
                    self.left.totp += u64::from(factor.confirmed_at.is_some());
                }
            }
        }
    }
}
