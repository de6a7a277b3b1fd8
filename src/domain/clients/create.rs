//! Making a client.

use std::time::Duration;

use super::keep;
use super::rules::{check, settle, split_scope};
use super::sector;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::access::Powers;
use crate::domain::{Ctx, DomainError, Invalid, Noun, api_sign_in, permissions, tokens};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::client::{AccessTokenFormat, AuthMethod, Client, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::{ClientId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;
use crate::model::text::{DisplayName, InvalidText};
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantTx, clients};

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
    /// What OpenID Connect and registration say about it.
    pub settings: ClientSettings,
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
            settings: ClientSettings::default(),
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
    create_by(ctx, Powers::operator(), new).await
}

/// The same by somebody who may do as much as the client.
pub(in crate::domain) async fn create_by(ctx: &Ctx<'_>, by: Powers, new: NewClient) -> Result<Registered, DomainError> {
    let registered = draft(ctx, new)?;
    sector::confirm(ctx, &registered.client).await?;
    let entry = ctx.audit("client.create", Some(format!("client:{}", registered.client.id)), Outcome::Success, None);
    let input = (registered.client.clone(), by, ctx.actor.describe(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (client, powers, by, now, entry)| {
            Box::pin(async move {
                insert(&tx.of(client.tenant), client, by, *now).await?;
                powers.require_above_client(tx, client, *now).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(registered)
}

/// Writes a client and grants it the permissions in `client.permissions`.
pub(in crate::domain) async fn insert(
    tx: &TenantTx<'_>,
    client: &Client,
    by: &str,
    now: Timestamp,
) -> Result<(), DomainError> {
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
pub(in crate::domain) fn draft(ctx: &Ctx<'_>, new: NewClient) -> Result<Registered, DomainError> {
    let name: DisplayName = new.name.parse().map_err(|why: InvalidText| Invalid::new("name", why.to_string()))?;
    let for_itself = new.grant_types.contains(&GrantType::ClientCredentials);
    let id = match new.id {
        Some(id) => chosen_id(&id)?,
        None => made_up_id(ctx, if for_itself { "svc_" } else { "app_" })?,
    };
    let secret = new.auth_method.has_secret().then(|| opaque::generate(TokenKind::ClientSecret, &*ctx.core.entropy));
    let secrets = secret.as_ref().map(|secret| keep(ctx, &id, new.auth_method, secret)).transpose()?;
    let (permissions, scope) = if for_itself { split_scope(&new.scope) } else { (OAuthScope::empty(), new.scope) };
    let mut client = Client {
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
        settings: new.settings,
        created_at: ctx.now(),
    };
    settle(&mut client);
    check(&client)?;
    Ok(Registered { client, secret })
}

pub(super) fn chosen_id(id: &str) -> Result<ClientId, DomainError> {
    // A client's id is the `sub` of its own tokens: it must not be taken for a user's (RFC 9700 §4.15).
    let is_ours = [tokens::IDAAS_CLIENT, api_sign_in::CLIENT].contains(&id);
    let confusable = id.starts_with(UserId::PREFIX) || id.contains(':') || is_ours;
    let parsed: Option<ClientId> = id.parse().ok().filter(|_| !confusable);
    let why =
        "must be 1 to 128 printable ASCII characters without space or colon, not begin with usr_, and not be reserved";
    parsed.ok_or_else(|| Invalid::new("client_id", why).into())
}

fn made_up_id(ctx: &Ctx<'_>, prefix: &str) -> Result<ClientId, DomainError> {
    let text = format!("{prefix}{}", ctx.core.entropy.uuid_v4().simple());
    text.parse().map_err(|_| DomainError::Defect("a made-up client id was refused".to_owned()))
}
