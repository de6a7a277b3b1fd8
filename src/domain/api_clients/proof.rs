//! Whether a request is an API client's: the checks of `handoff.md`, in the order in which it states them.

use std::net::IpAddr;
use std::sync::Arc;

use super::allowed;
use crate::crypto::digest::Digest;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::ctx::Ctx;
use crate::domain::error::{DomainError, Noun};
use crate::model::api_client::ApiClient;
use crate::model::ids::ApiClientId;
use crate::model::time::Timestamp;
use crate::storage::api_clients;

/// What a request comes with. A header that is there twice is as good as one that is none.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// `X-Client-Key`.
    pub client_key: Option<&'a str>,
    /// `X-API-Key`.
    pub secret: Option<&'a str>,
    /// `Origin`, where there is one; a server sends none.
    pub origin: Option<&'a str>,
    /// From where, as far as the configured proxies can be believed; IPv4 is IPv4.
    pub address: Option<IpAddr>,
    /// The path, its escapes undone.
    pub path: &'a str,
}

/// An API client whose request passed every check; only [`authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct AuthenticatedApiClient(Arc<ApiClient>);

impl AuthenticatedApiClient {
    /// Which one.
    #[must_use]
    pub fn id(&self) -> ApiClientId {
        self.0.id
    }
}

/// The first check that a request does not pass.
#[derive(Debug)]
pub enum Refusal {
    /// There is no API client yet that could call.
    NotConfigured,
    /// The client key is missing, unknown, or of a disabled client.
    Client,
    /// The secret is missing or wrong.
    Secret,
    /// The client has expired.
    Expired,
    /// Not from this origin.
    Origin,
    /// Not from this address.
    Address,
    /// Not to this path.
    Path,
    /// Nobody can tell now.
    Failed(DomainError),
}

impl From<DomainError> for Refusal {
    fn from(error: DomainError) -> Self {
        Self::Failed(error)
    }
}

type Check = fn(&ApiClient, &Presented<'_>, Timestamp) -> bool;

/// What is checked of a known client, in this order.
const CHECKS: [(Check, fn() -> Refusal); 6] = [
    (is_enabled, || Refusal::Client),
    (has_secret, || Refusal::Secret),
    (has_not_expired, || Refusal::Expired),
    (is_from_origin, || Refusal::Origin),
    (is_from_network, || Refusal::Address),
    (is_to_path, || Refusal::Path),
];

/// Looks at what a request comes with.
///
/// # Errors
/// See [`Refusal`].
pub async fn authenticate(ctx: &Ctx<'_>, presented: &Presented<'_>) -> Result<AuthenticatedApiClient, Refusal> {
    let Some(client) = find(ctx, presented.client_key).await? else {
        let any = api_clients::is_any(&ctx.core.db.read().of(ctx.tenant_id())).await.map_err(DomainError::from)?;
        return Err(if any { Refusal::Client } else { Refusal::NotConfigured });
    };
    let now = ctx.now();
    match CHECKS.iter().find(|(passes, _)| !passes(&client, presented, now)) {
        Some((_, refusal)) => Err(refusal()),
        None => Ok(AuthenticatedApiClient(client)),
    }
}

/// The client of a client key, a second old at most.
async fn find(ctx: &Ctx<'_>, client_key: Option<&str>) -> Result<Option<Arc<ApiClient>>, DomainError> {
    let Some(key) = client_key.filter(|key| opaque::recognise(TokenKind::ApiClientKey, key).is_some()) else {
        return Ok(None);
    };
    let read = async |(tenant, key): &(_, Arc<str>)| {
        let found = api_clients::find_by_key(&ctx.core.db.read().of(*tenant), key).await?;
        found.map(Arc::new).ok_or(DomainError::NotFound(Noun::ApiClient))
    };
    match ctx.core.api_clients.get((ctx.tenant_id(), Arc::from(key)), read).await {
        Ok(client) => Ok(Some(client)),
        Err(DomainError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn is_enabled(client: &ApiClient, _: &Presented<'_>, _: Timestamp) -> bool {
    client.enabled
}

/// The present secret, or the one before for as long as it goes on counting.
fn has_secret(client: &ApiClient, presented: &Presented<'_>, now: Timestamp) -> bool {
    let Some(given) = presented.secret.and_then(|secret| opaque::recognise(TokenKind::ApiClientSecret, secret)) else {
        return false;
    };
    let is = |digest: [u8; 32]| given == Digest::from_bytes(digest);
    is(client.secret) || client.previous_secret.is_some_and(|(digest, until)| until > now && is(digest))
}

fn has_not_expired(client: &ApiClient, _: &Presented<'_>, now: Timestamp) -> bool {
    client.expires_at.is_none_or(|end| end > now)
}

/// Who sends no `Origin` is a server.
fn is_from_origin(client: &ApiClient, presented: &Presented<'_>, _: Timestamp) -> bool {
    let Some(given) = presented.origin else { return true };
    client.origins.is_empty() || allowed::origin(given).is_some_and(|origin| client.origins.contains(&origin))
}

fn is_from_network(client: &ApiClient, presented: &Presented<'_>, _: Timestamp) -> bool {
    let within = |address: IpAddr| client.networks.iter().any(|network| network.contains(&address));
    client.networks.is_empty() || presented.address.is_some_and(|address| within(address.to_canonical()))
}

fn is_to_path(client: &ApiClient, presented: &Presented<'_>, _: Timestamp) -> bool {
    client.paths.is_empty() || client.paths.iter().any(|allowed| allowed::covers(allowed, presented.path))
}
