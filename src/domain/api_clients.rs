//! API clients: trusted systems with a key pair. Made, listed, changed; and whether a request that comes
//! with such a pair is one of theirs (`api_clients/proof.rs`).

mod allowed;
mod proof;

use std::time::Duration;

use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::users::invalid;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::api_client::ApiClient;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::ApiClientId;
use crate::model::secret::Secret;
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::api_clients;

pub use allowed::{AllowLists, Allowed};
pub use proof::{AuthenticatedApiClient, Presented, Refusal, authenticate};

/// An API client that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApiClient {
    /// For people to read.
    pub name: String,
    /// From when on it counts no longer.
    pub expires_at: Option<Timestamp>,
    /// From where it may call what.
    pub allowed: AllowLists,
}

/// What is to change about an API client; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ApiClientChange {
    /// For people to read.
    pub name: Option<String>,
    /// From when on it counts no longer; `Some(None)`: it goes on counting.
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether it counts.
    pub enabled: Option<bool>,
    /// Which `Origin` headers may stand on its requests.
    pub origins: Option<Vec<String>>,
    /// From which networks it may call.
    pub networks: Option<Vec<String>>,
    /// Which paths it may call, and what is below them.
    pub paths: Option<Vec<String>>,
}

/// An API client and its secret, which is shown once.
pub struct WithSecret {
    /// The API client.
    pub client: ApiClient,
    /// What `X-API-Key` has to hold.
    pub secret: Secret<String>,
}

fn display_name(name: &str) -> Result<String, DomainError> {
    let name: DisplayName = name.parse().map_err(invalid("name"))?;
    Ok(name.as_str().to_owned())
}

/// Makes an API client.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; or the database is unavailable.
pub async fn create(ctx: &Ctx<'_>, new: NewApiClient) -> Result<WithSecret, DomainError> {
    let Allowed { origins, networks, paths } = new.allowed.read()?;
    let now = ctx.now();
    let secret = opaque::generate(TokenKind::ApiClientSecret, &*ctx.core.entropy);
    let client = ApiClient {
        tenant: ctx.tenant_id(),
        id: ApiClientId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        name: display_name(&new.name)?,
        client_key: opaque::generate(TokenKind::ApiClientKey, &*ctx.core.entropy).expose().clone(),
        secret: *opaque::digest_of_secret(secret.expose()).as_bytes(),
        previous_secret: None,
        expires_at: new.expires_at,
        enabled: true,
        origins,
        networks,
        paths,
        created_at: now,
    };
    let entry = ctx.audit("api_client.create", Some(format!("api-client:{}", client.id)), Outcome::Success, None);
    let written = ctx.core.db.write((client.clone(), entry), |tx, (client, entry)| {
        Box::pin(async move {
            let of = tx.of(client.tenant);
            api_clients::insert(&of, client).await?;
            of.changed(ChangeKind::ApiClient, &client.client_key).await?;
            crate::storage::audit::append(tx, entry).await?;
            Ok::<_, DomainError>(())
        })
    });
    written.await?;
    Ok(WithSecret { client, secret })
}

/// The API client of this client key, enabled or not.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, client_key: &str) -> Result<ApiClient, DomainError> {
    let found = api_clients::find_by_key(&ctx.core.db.read().of(ctx.tenant_id()), client_key).await?;
    found.ok_or(DomainError::NotFound(Noun::ApiClient))
}

/// At most `limit` API clients after `after`, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>, after: Option<ApiClientId>, limit: u64) -> Result<Vec<ApiClient>, DomainError> {
    Ok(api_clients::list_after(&ctx.core.db.read().of(ctx.tenant_id()), after, limit).await?)
}

/// Replaces the secret; the one before counts for `overlap` more.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn rotate(ctx: &Ctx<'_>, client_key: &str, overlap: Duration) -> Result<WithSecret, DomainError> {
    let secret = opaque::generate(TokenKind::ApiClientSecret, &*ctx.core.entropy);
    let (digest, until) = (*opaque::digest_of_secret(secret.expose()).as_bytes(), ctx.now() + overlap);
    let client = mend(ctx, client_key, "api_client.rotate", move |client| {
        client.previous_secret = (!overlap.is_zero()).then_some((client.secret, until));
        client.secret = digest;
    });
    Ok(WithSecret { client: client.await?, secret })
}

/// Changes an API client; every copy knows within a second.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Invalid`] names the field; or the database is unavailable.
pub async fn update(ctx: &Ctx<'_>, client_key: &str, change: ApiClientChange) -> Result<ApiClient, DomainError> {
    let name = change.name.as_deref().map(display_name).transpose()?;
    let origins = change.origins.as_deref().map(allowed::origins).transpose()?;
    let networks = change.networks.as_deref().map(allowed::networks).transpose()?;
    let paths = change.paths.as_deref().map(allowed::paths).transpose()?;
    let (expires_at, enabled) = (change.expires_at, change.enabled);
    mend(ctx, client_key, "api_client.update", move |client| {
        set(&mut client.name, name.as_ref());
        set(&mut client.expires_at, expires_at.as_ref());
        set(&mut client.enabled, enabled.as_ref());
        set(&mut client.origins, origins.as_ref());
        set(&mut client.networks, networks.as_ref());
        set(&mut client.paths, paths.as_ref());
    })
    .await
}

fn set<T: Clone>(place: &mut T, wanted: Option<&T>) {
    if let Some(wanted) = wanted {
        place.clone_from(wanted);
    }
}

/// Changes a row and tells every copy.
async fn mend(
    ctx: &Ctx<'_>,
    client_key: &str,
    action: &'static str,
    change: impl Fn(&mut ApiClient) + Send + Sync + 'static,
) -> Result<ApiClient, DomainError> {
    let id = find(ctx, client_key).await?.id;
    let entry = ctx.audit(action, Some(format!("api-client:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), client_key.to_owned(), change, entry), |tx, (tenant, key, change, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let found = api_clients::find_for_update(&of, key).await?;
                let mut client = found.ok_or(DomainError::NotFound(Noun::ApiClient))?;
                change(&mut client);
                api_clients::update(&of, &client).await?;
                of.changed(ChangeKind::ApiClient, key).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(client)
            })
        })
        .await
}
