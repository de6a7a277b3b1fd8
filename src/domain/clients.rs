//! OAuth clients: made, found, changed, and how they prove a secret.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::permissions;
use crate::crypto::digest::{Digest, constant_time_eq};
use crate::crypto::jwk::KeySet;
use crate::crypto::opaque::{self, TokenKind};
use crate::crypto::sealing::SealContext;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::client::{AccessTokenFormat, AuthMethod, Client, ClientSecrets, GrantType};
use crate::model::ids::{ClientId, TenantId};
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::storage::{StorageError, TenantTx, clients, tokens};

/// A client as requests meet it, with its keys parsed.
pub struct LiveClient {
    /// The row.
    pub client: Client,
    /// Its public keys.
    pub keys: Option<KeySet>,
}

impl LiveClient {
    /// Whether the secret is the current one, or the one before while that still counts.
    #[must_use]
    pub fn has_secret(&self, presented: &str, now: Timestamp) -> bool {
        let Some(secrets) = &self.client.secrets else { return false };
        let digest = opaque::digest_of_secret(presented);
        let is = |stored: &[u8; 32]| constant_time_eq(stored, digest.as_bytes());
        is(&secrets.current) || secrets.previous.as_ref().is_some_and(|(stored, until)| *until > now && is(stored))
    }
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

/// The origins that a tenant's clients have redirect URIs at: whose scripts may call on their behalf.
///
/// # Errors
/// The database is unavailable.
pub async fn origins(core: &Core, tenant: TenantId) -> Result<Arc<HashSet<String>>, DomainError> {
    core.origins
        .get(tenant, async |tenant| {
            let clients = clients::list(&core.db.read().of(*tenant)).await?;
            let enabled = clients.iter().filter(|client| client.enabled);
            let uris = enabled.flat_map(|client| &client.redirect_uris);
            let origins =
                uris.filter_map(|uri| url::Url::parse(uri).ok()).map(|uri| uri.origin().ascii_serialization());
            Ok::<_, DomainError>(Arc::new(origins.filter(|origin| origin != "null").collect()))
        })
        .await
}

/// The shared secret itself, for the MAC of `client_secret_jwt`.
///
/// # Errors
/// It can't be unsealed.
pub fn shared_secret(core: &Core, client: &Client) -> Result<Option<Secret<Vec<u8>>>, DomainError> {
    let sealed = client.secrets.as_ref().and_then(|secrets| secrets.sealed.as_ref());
    Ok(sealed.map(|sealed| core.sealer.open(seal_context(client.tenant, &client.id), sealed)).transpose()?)
}

fn seal_context(tenant: TenantId, id: &ClientId) -> SealContext<'_> {
    SealContext { purpose: "client secret", tenant: tenant.uuid(), name: id.as_str() }
}

/// A client that is to be made.
pub struct NewClient {
    /// Its id; made up where none is wished for.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// How it authenticates.
    pub auth_method: AuthMethod,
    /// Its public keys, a JWK set.
    pub jwks: Option<String>,
    /// How it may obtain tokens.
    pub grant_types: Vec<GrantType>,
    /// Where a person may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Where a person may be sent after sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// What it may ask for; for a service, the permissions that it is granted.
    pub scope: OAuthScope,
    /// Audience of its tokens where the request names none.
    pub default_audience: Option<String>,
    /// Audiences that it may name.
    pub audiences: Vec<String>,
    /// What its access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What they are signed with.
    pub signing_alg: SigningAlg,
    /// Life of its access tokens.
    pub access_token_ttl: Option<Duration>,
    /// Life of its refresh tokens.
    pub refresh_token_ttl: Option<Duration>,
}

impl NewClient {
    /// A service that authenticates with a secret and has no scopes.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            description: None,
            auth_method: AuthMethod::ClientSecretBasic,
            jwks: None,
            grant_types: vec![GrantType::ClientCredentials],
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            scope: OAuthScope::empty(),
            default_audience: None,
            audiences: Vec::new(),
            access_token_format: AccessTokenFormat::Jwt,
            signing_alg: SigningAlg::Es256,
            access_token_ttl: None,
            refresh_token_ttl: None,
        }
    }
}

/// A client that was just made, with its secret in the clear for the one time.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, if it has one.
    pub secret: Option<Secret<String>>,
}

/// Makes a client.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`]; [`DomainError::NotFound`] for
/// a permission; or the database is unavailable.
pub async fn create(ctx: &Ctx<'_>, new: NewClient) -> Result<Registered, DomainError> {
    let registered = draft(ctx, new)?;
    let entry = ctx.audit("client.create", Some(format!("client:{}", registered.client.id)), Outcome::Success, None);
    let input = (registered.client.clone(), ctx.actor.describe(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (client, by, now, entry)| {
            Box::pin(async move {
                insert(&tx.of(client.tenant), client, by, *now).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(registered)
}

/// Writes a client and grants it the permissions in `client.permissions`.
pub(super) async fn insert(tx: &TenantTx<'_>, client: &Client, by: &str, now: Timestamp) -> Result<(), DomainError> {
    clients::insert(tx, client).await.map_err(|error| match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Client),
        other => other.into(),
    })?;
    for code in client.permissions.iter() {
        let permission = permissions::require(tx, code).await?;
        clients::grant_permission(tx, &client.id, &permission.id, by, now).await?;
    }
    tx.changed(ChangeKind::Client, client.id.as_str()).await?;
    Ok(())
}

/// The row of a client that is to be made, and its secret.
pub(super) fn draft(ctx: &Ctx<'_>, new: NewClient) -> Result<Registered, DomainError> {
    let name: DisplayName =
        new.name.parse().map_err(|why: crate::model::text::InvalidText| Invalid::new("name", why.to_string()))?;
    let for_itself = new.grant_types.contains(&GrantType::ClientCredentials);
    let id = match new.id {
        Some(id) => chosen_id(&id)?,
        None => made_up_id(ctx, if for_itself { "svc_" } else { "app_" })?,
    };
    check(&new.auth_method, new.jwks.as_deref(), &new.grant_types)?;
    for uri in new.redirect_uris.iter().chain(&new.post_logout_redirect_uris) {
        check_redirect_uri(uri)?;
    }
    let ttl_ok = new.access_token_ttl.is_none_or(|ttl| ttl <= super::keys::MAX_ACCESS_TOKEN_TTL && !ttl.is_zero());
    if !ttl_ok {
        return Err(Invalid::new("access_token_ttl", "must be between 1 s and one day").into());
    }
    let has_secret = !matches!(new.auth_method, AuthMethod::None | AuthMethod::PrivateKeyJwt);
    let secret = has_secret.then(|| opaque::generate(TokenKind::ClientSecret, &*ctx.core.entropy));
    let secrets = secret.as_ref().map(|secret| keep(ctx, &id, new.auth_method, secret)).transpose()?;
    let (permissions, scope) = if for_itself { split_scope(&new.scope) } else { (OAuthScope::empty(), new.scope) };
    let client = Client {
        tenant: ctx.tenant_id(),
        id,
        name: name.as_str().to_owned(),
        description: new.description.filter(|text| !text.is_empty()),
        enabled: true,
        auth_method: new.auth_method,
        secrets,
        jwks: new.jwks,
        grant_types: new.grant_types,
        redirect_uris: new.redirect_uris,
        post_logout_redirect_uris: new.post_logout_redirect_uris,
        scope,
        permissions,
        default_audience: new.default_audience,
        audiences: new.audiences,
        access_token_format: new.access_token_format,
        signing_alg: new.signing_alg,
        access_token_ttl: new.access_token_ttl,
        refresh_token_ttl: new.refresh_token_ttl,
        created_at: ctx.now(),
    };
    Ok(Registered { client, secret })
}

/// Scope names with a colon are permission codes, the others are what it may ask people for.
fn split_scope(scope: &OAuthScope) -> (OAuthScope, OAuthScope) {
    let (codes, names): (Vec<&str>, Vec<&str>) = scope.iter().partition(|name| name.contains(':'));
    (OAuthScope::from_tokens(codes), OAuthScope::from_tokens(names))
}

fn chosen_id(id: &str) -> Result<ClientId, DomainError> {
    // A client's id is the `sub` of its own tokens: it must not be taken for a user's (RFC 9700 §4.15).
    let confusable =
        id.starts_with(crate::model::ids::UserId::PREFIX) || id.contains(':') || id == super::tokens::IDAAS_CLIENT;
    let parsed: Option<ClientId> = id.parse().ok().filter(|_| !confusable);
    let why =
        "must be 1 to 128 printable ASCII characters without space or colon, not begin with usr_, and not be reserved";
    parsed.ok_or_else(|| Invalid::new("client_id", why).into())
}

fn made_up_id(ctx: &Ctx<'_>, prefix: &str) -> Result<ClientId, DomainError> {
    let text = format!("{prefix}{}", ctx.core.entropy.uuid_v4().simple());
    text.parse().map_err(|_| DomainError::Defect("a made-up client id was refused".to_owned()))
}

fn check(method: &AuthMethod, jwks: Option<&str>, grants: &[GrantType]) -> Result<(), Invalid> {
    if let Some(jwks) = jwks {
        KeySet::parse(jwks.as_bytes()).map_err(|why| Invalid::new("jwks", why.to_string()))?;
    } else if *method == AuthMethod::PrivateKeyJwt {
        return Err(Invalid::new("jwks", "is required for private_key_jwt"));
    }
    if *method == AuthMethod::None && grants.contains(&GrantType::ClientCredentials) {
        return Err(Invalid::new("auth_method", "none can't go with client_credentials (RFC 6749 §4.4)"));
    }
    Ok(())
}

/// An absolute URI without fragment (RFC 6749 §3.1.2), of a scheme that can't run script.
fn check_redirect_uri(uri: &str) -> Result<(), Invalid> {
    let refuse = |why: &str| Err(Invalid::new("redirect_uri", format!("{uri:?} {why}")));
    let Ok(parsed) = url::Url::parse(uri) else { return refuse("is not an absolute URI") };
    if uri.contains('#') {
        return refuse("has a fragment (RFC 6749 §3.1.2)");
    }
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) || uri.len() > 2048 {
        return refuse("has white space or is too long");
    }
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => refuse("is http on a host that is not loopback (RFC 9700 §2.6)"),
        // A private-use scheme of a native app names its owner's domain (RFC 8252 §7.1).
        scheme if scheme.contains('.') => Ok(()),
        _ => refuse("has a scheme that is neither https nor a reverse domain name"),
    }
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

/// All clients of the tenant.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>) -> Result<Vec<Client>, DomainError> {
    Ok(clients::list(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// What of a client may be changed; `None` leaves it.
#[derive(Clone, Default)]
pub struct ClientChange {
    /// Its name.
    pub name: Option<String>,
    /// Whether it may act at all; switching it off ends what it holds.
    pub enabled: Option<bool>,
    /// How it may obtain tokens.
    pub grant_types: Option<Vec<GrantType>>,
    /// Where a person may be sent back to.
    pub redirect_uris: Option<Vec<String>>,
    /// Where a person may be sent after sign-out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// What it may ask people for, and the permissions that it is granted.
    pub scope: Option<OAuthScope>,
    /// Its public keys.
    pub jwks: Option<String>,
    /// What its access tokens look like.
    pub access_token_format: Option<AccessTokenFormat>,
    /// What they are signed with.
    pub signing_alg: Option<SigningAlg>,
}

/// Changes a client.
///
/// # Errors
/// As [`create`].
pub async fn update(ctx: &Ctx<'_>, id: &ClientId, change: ClientChange) -> Result<Client, DomainError> {
    for uri in change.redirect_uris.iter().flatten().chain(change.post_logout_redirect_uris.iter().flatten()) {
        check_redirect_uri(uri)?;
    }
    if let Some(name) = &change.name {
        name.parse::<DisplayName>().map_err(|why| Invalid::new("name", why.to_string()))?;
    }
    let entry = ctx.audit("client.update", Some(format!("client:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), id.clone(), change, ctx.actor.describe(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, change, by, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut client = clients::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                let was_enabled = client.enabled;
                let held = client.permissions.clone();
                apply(&mut client, change);
                check(&client.auth_method, client.jwks.as_deref(), &client.grant_types)?;
                clients::update(&of, &client).await?;
                regrant(&of, &client, &held, by, *now).await?;
                if was_enabled && !client.enabled {
                    tokens::revoke_families_of_client(&of, id, *now, RevocationReason::ClientChanged).await?;
                }
                of.changed(ChangeKind::Client, id.as_str()).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(client)
            })
        })
        .await
}

fn apply(client: &mut Client, change: &ClientChange) {
    fn set<T: Clone>(place: &mut T, wish: &Option<T>) {
        if let Some(wish) = wish {
            place.clone_from(wish);
        }
    }
    set(&mut client.name, &change.name);
    set(&mut client.enabled, &change.enabled);
    set(&mut client.grant_types, &change.grant_types);
    set(&mut client.redirect_uris, &change.redirect_uris);
    set(&mut client.post_logout_redirect_uris, &change.post_logout_redirect_uris);
    set(&mut client.access_token_format, &change.access_token_format);
    set(&mut client.signing_alg, &change.signing_alg);
    if change.jwks.is_some() {
        client.jwks.clone_from(&change.jwks);
    }
    if let Some(scope) = &change.scope {
        (client.permissions, client.scope) =
            if client.is_service() { split_scope(scope) } else { (OAuthScope::empty(), scope.clone()) };
    }
}

/// Makes the permissions that a client holds those that its row names.
async fn regrant(
    tx: &TenantTx<'_>,
    client: &Client,
    held: &OAuthScope,
    by: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
    for code in client.permissions.iter().filter(|code| !held.contains(code)) {
        let permission = permissions::require(tx, code).await?;
        clients::grant_permission(tx, &client.id, &permission.id, by, now).await?;
    }
    for code in held.iter().filter(|code| !client.permissions.contains(code)) {
        let permission = permissions::require(tx, code).await?;
        clients::revoke_permission(tx, &client.id, &permission.id).await?;
    }
    Ok(())
}

/// Replaces a client's secret; the one before counts for `overlap` more.
///
/// # Errors
/// [`DomainError::Invalid`] for a client without secret; as [`find`].
pub async fn rotate_secret(ctx: &Ctx<'_>, id: &ClientId, overlap: Duration) -> Result<Secret<String>, DomainError> {
    let client = find(ctx, id).await?;
    if client.secrets.is_none() {
        return Err(Invalid::new("client_id", "names a client that has no secret").into());
    }
    let secret = opaque::generate(TokenKind::ClientSecret, &*ctx.core.entropy);
    let new = keep(ctx, id, client.auth_method, &secret)?;
    let entry = ctx.audit("client.rotate_secret", Some(format!("client:{id}")), Outcome::Success, None);
    let until = ctx.now() + overlap;
    ctx.core
        .db
        .write((ctx.tenant_id(), id.clone(), new, until, entry), |tx, (tenant, id, new, until, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut client = clients::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                let previous = client.secrets.take().map(|old| (old.current, *until));
                client.secrets = Some(ClientSecrets { previous, ..new.clone() });
                clients::update(&of, &client).await?;
                of.changed(ChangeKind::Client, id.as_str()).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(secret)
}

/// Deletes a client and all that it holds.
///
/// # Errors
/// As [`find`].
pub async fn delete(ctx: &Ctx<'_>, id: &ClientId) -> Result<(), DomainError> {
    let entry = ctx.audit("client.delete", Some(format!("client:{id}")), Outcome::Success, None);
    let gone = ctx
        .core
        .db
        .write((ctx.tenant_id(), id.clone(), entry), |tx, (tenant, id, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let gone = clients::delete(&of, id).await?;
                if gone {
                    of.changed(ChangeKind::Client, id.as_str()).await?;
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(gone)
            })
        })
        .await?;
    if gone { Ok(()) } else { Err(DomainError::NotFound(Noun::Client)) }
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
