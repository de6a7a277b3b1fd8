//! OAuth clients: made, found, changed, and how they prove a secret.

mod change;
mod create;
mod keys;
mod rules;
mod sector;
mod uris;

use std::collections::HashSet;
use std::sync::Arc;

pub use change::{ClientChange, rotate_secret, update};
pub(super) use change::{rotate_secret_by, update_by};
pub use create::{NewClient, Registered, create};
pub(super) use create::{create_by, draft, insert};
pub(super) use keys::RemoteKeys;
pub use keys::verified;
pub(super) use uris::check_web_uri;

use super::access::Powers;
use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use crate::crypto::digest::{Digest, constant_time_eq};
use crate::crypto::jwk::KeySet;
use crate::crypto::opaque;
use crate::crypto::sealing::SealContext;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::client::{AuthMethod, Client, ClientSecrets};
use crate::model::ids::{ClientId, TenantId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::storage::clients;

/// A client as requests meet it, with its keys parsed.
pub struct LiveClient {
    /// The row.
    pub client: Client,
    /// Its public keys, if they were given by value; see [`verified`].
    pub keys: Option<KeySet>,
}

impl LiveClient {
    /// Whether the secret is the current one, or the one before while that still counts.
    #[must_use]
    pub fn has_secret(&self, presented: &str, now: Timestamp) -> bool {
        has_secret(&self.client, presented, now)
    }
}

/// Whether the secret is the client's current one, or the one before while that still counts.
#[must_use]
pub fn has_secret(client: &Client, presented: &str, now: Timestamp) -> bool {
    let Some(secrets) = &client.secrets else { return false };
    let digest = opaque::digest_of_secret(presented);
    let is = |stored: &[u8; 32]| constant_time_eq(stored, digest.as_bytes());
    is(&secrets.current) || secrets.previous.as_ref().is_some_and(|(stored, until)| *until > now && is(stored))
}

/// The client of this id, if it is enabled.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn live(core: &Core, tenant: TenantId, id: &ClientId) -> Result<Arc<LiveClient>, DomainError> {
    core.clients
        .get((tenant, id.clone()), async |(tenant, id)| {
            let found = clients::find(&core.db.read().of(*tenant), id).await?.filter(|client| client.enabled);
            let client = found.ok_or(DomainError::NotFound(Noun::Client))?;
            let keys = client.jwks.as_deref().map(|jwks| KeySet::parse(jwks.as_bytes())).transpose()?;
            Ok::<_, DomainError>(Arc::new(LiveClient { client, keys }))
        })
        .await
}

/// What a tenant's enabled clients have in common.
pub struct Apps {
    /// The origins that they have redirect URIs at: whose scripts may call on their behalf.
    pub origins: HashSet<String>,
    /// Whether response types that send tokens through the browser are open to one of them.
    pub legacy: bool,
}

/// What a tenant's enabled clients have in common.
///
/// # Errors
/// The database is unavailable.
pub async fn apps(core: &Core, tenant: TenantId) -> Result<Arc<Apps>, DomainError> {
    core.apps.get(tenant, async |tenant| load_apps(core, *tenant).await).await
}

/// The same for what is published anyway: while the database is gone, as it was last known.
///
/// # Errors
/// As [`apps`].
pub async fn apps_or_last(core: &Core, tenant: TenantId) -> Result<Arc<Apps>, DomainError> {
    core.apps.get_or_last(tenant, async |tenant| load_apps(core, *tenant).await).await
}

async fn load_apps(core: &Core, tenant: TenantId) -> Result<Arc<Apps>, DomainError> {
    let mut clients = clients::list(&core.db.read().of(tenant)).await?;
    clients.retain(|client| client.enabled);
    let uris = clients.iter().flat_map(|client| &client.redirect_uris);
    let origins = uris.filter_map(|uri| url::Url::parse(uri).ok()).map(|uri| uri.origin().ascii_serialization());
    Ok(Arc::new(Apps {
        origins: origins.filter(|origin| origin != "null").collect(),
        legacy: clients.iter().any(|client| client.settings.legacy_response_types),
    }))
}

/// The shared secret itself, for the MAC of `client_secret_jwt`.
///
/// # Errors
/// It can't be unsealed.
pub fn shared_secret(core: &Core, client: &Client) -> Result<Option<Secret<Vec<u8>>>, DomainError> {
    let sealed = client.secrets.as_ref().and_then(|secrets| secrets.sealed.as_ref());
    Ok(sealed.map(|sealed| core.sealer.open(seal_context(client.tenant, &client.id), sealed)).transpose()?)
}

pub(super) fn seal_context(tenant: TenantId, id: &ClientId) -> SealContext<'_> {
    SealContext { purpose: "client secret", tenant: tenant.uuid(), name: id.as_str() }
}

/// That a client is one that could have been made here.
pub(super) fn check_whole(client: &Client) -> Result<(), DomainError> {
    create::chosen_id(client.id.as_str())?;
    Ok(rules::check(client)?)
}

fn keep(
    ctx: &Ctx<'_>,
    id: &ClientId,
    method: AuthMethod,
    secret: &Secret<String>,
) -> Result<ClientSecrets, DomainError> {
    let sealed = match method {
        AuthMethod::ClientSecretJwt => {
            let context = seal_context(ctx.tenant_id(), id);
            Some(ctx.core.sealer.seal(context, secret.expose().as_bytes(), &*ctx.core.entropy)?)
        }
        _ => None,
    };
    Ok(ClientSecrets { current: *opaque::digest_of_secret(secret.expose()).as_bytes(), previous: None, sealed })
}

/// The client of this id, enabled or not.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: &ClientId) -> Result<Client, DomainError> {
    let found = clients::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    found.ok_or(DomainError::NotFound(Noun::Client))
}

/// At most `limit` clients after `after`, by id, enabled or not.
///
/// # Errors
/// The database is unavailable.
pub async fn list_after(ctx: &Ctx<'_>, after: Option<&ClientId>, limit: u64) -> Result<Vec<Client>, DomainError> {
    Ok(clients::list_after(&ctx.core.db.read().of(ctx.tenant_id()), after, limit).await?)
}

/// All clients of the tenant.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>) -> Result<Vec<Client>, DomainError> {
    Ok(clients::list(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// Deletes a client and all that it holds.
///
/// # Errors
/// As [`find`].
pub async fn delete(ctx: &Ctx<'_>, id: &ClientId) -> Result<(), DomainError> {
    delete_by(ctx, Powers::operator(), id).await
}

/// The same by somebody who may do as much as the client.
pub(super) async fn delete_by(ctx: &Ctx<'_>, by: Powers, id: &ClientId) -> Result<(), DomainError> {
    let entry = ctx.audit("client.delete", Some(format!("client:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), id.clone(), by, ctx.now(), entry), |tx, (tenant, id, by, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let client = clients::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                by.require_above_client(tx, &client, *now).await?;
                clients::delete(&of, id).await?;
                of.changed(ChangeKind::Client, id.as_str()).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Uses a client assertion's `jti` up (RFC 7523 §3); false if it was used before.
///
/// # Errors
/// The database is unavailable.
pub async fn use_assertion(
    core: &Core,
    client: &Client,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, DomainError> {
    let digest = *Digest::of(jti.as_bytes()).as_bytes();
    core.db
        .write((client.tenant, client.id.clone(), digest, expires_at), |tx, (tenant, id, digest, expires_at)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                Ok::<_, DomainError>(crate::storage::assertions::use_once(&of, id, digest, *expires_at).await?)
            })
        })
        .await
}
