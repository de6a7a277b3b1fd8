//! Changing a client.

use std::time::Duration;

use super::rules::{check, settle, split_scope};
use super::{Registered, find, keep, sector};
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::access::Powers;
use crate::domain::{Ctx, DomainError, Invalid, Noun, permissions};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::client::{AccessTokenFormat, AuthMethod, Client, ClientSecrets, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::ClientId;
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::storage::{TenantTx, clients, tokens};

/// What of a client may be changed; `None` leaves it. Where a value may be absent, the inner `None`
/// takes it away.
#[derive(Clone, Default, PartialEq)]
pub struct ClientChange {
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// Whether it may act at all; switching it off ends what it holds.
    pub enabled: Option<bool>,
    /// How it authenticates; a way that needs a secret which it does not have gives it a new one.
    pub auth_method: Option<AuthMethod>,
    /// How it may obtain tokens.
    pub grant_types: Option<Vec<GrantType>>,
    /// Where a person may be sent back to.
    pub redirect_uris: Option<Vec<String>>,
    /// Where a person may be sent after sign-out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// What it may ask people for, and the permissions that it is granted.
    pub scope: Option<OAuthScope>,
    /// Its public keys by value.
    pub jwks: Option<Option<String>>,
    /// Audience of its tokens where the request names none.
    pub default_audience: Option<Option<String>>,
    /// Audiences that it may name.
    pub audiences: Option<Vec<String>>,
    /// What its access tokens look like.
    pub access_token_format: Option<AccessTokenFormat>,
    /// What they are signed with.
    pub signing_alg: Option<SigningAlg>,
    /// Life of its access tokens.
    pub access_token_ttl: Option<Option<Duration>>,
    /// Life of its refresh tokens.
    pub refresh_token_ttl: Option<Option<Duration>>,
    /// What OpenID Connect and registration say about it.
    pub settings: Option<ClientSettings>,
    /// The digest of the registration token that whoever changes it has shown: of two changes under
    /// one token, one is made.
    pub held_registration_token: Option<String>,
}

impl ClientChange {
    /// Whether it is about more than what it is called and whether it may act: a client that does not
    /// fit newer rules can still be switched off.
    fn is_ruled(&self) -> bool {
        Self { name: None, description: None, enabled: None, ..self.clone() } != Self::default()
    }
}

/// Changes a client; with the secret in the clear if it got a new one.
///
/// # Errors
/// As [`super::create`].
pub async fn update(ctx: &Ctx<'_>, id: &ClientId, change: ClientChange) -> Result<Registered, DomainError> {
    update_by(ctx, Powers::operator(), id, change).await
}

/// The same by somebody who may do as much as the client, before and after.
pub(in crate::domain) async fn update_by(
    ctx: &Ctx<'_>,
    by: Powers,
    id: &ClientId,
    change: ClientChange,
) -> Result<Registered, DomainError> {
    let mut wished = find(ctx, id).await?;
    apply(&mut wished, &change);
    if change.is_ruled() {
        check(&wished)?;
        sector::confirm(ctx, &wished).await?;
    }
    let secret = opaque::generate(TokenKind::ClientSecret, &*ctx.core.entropy);
    let secrets = keep(ctx, id, wished.auth_method, &secret)?;
    let entry = ctx.audit("client.update", Some(format!("client:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), id.clone(), change, secrets, (by, ctx.actor.describe()), ctx.now(), entry);
    let (client, renewed) = ctx
        .core
        .db
        .write(input, |tx, (tenant, id, change, secrets, (powers, by), now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut client = clients::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                powers.require_above_client(tx, &client, *now).await?;
                if change.held_registration_token.is_some()
                    && change.held_registration_token != client.settings.registration_token
                {
                    return Err(DomainError::NotAuthenticated("replaced registration token"));
                }
                let was_enabled = client.enabled;
                let held = client.permissions.clone();
                apply(&mut client, change);
                if change.is_ruled() {
                    check(&client)?;
                }
                let renewed = change.auth_method.is_some() && lacks_secret(&client);
                if renewed {
                    client.secrets = Some(secrets.clone());
                }
                clients::update(&of, &client).await?;
                regrant(&of, &client, &held, by, *now).await?;
                powers.require_above_client(tx, &client, *now).await?;
                if was_enabled && !client.enabled {
                    tokens::revoke_families_of_client(&of, id, *now, RevocationReason::ClientChanged).await?;
                }
                of.changed(ChangeKind::Client, id.as_str()).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>((client, renewed))
            })
        })
        .await?;
    Ok(Registered { client, secret: renewed.then_some(secret) })
}

/// Whether its way of authentication needs more than is kept of a secret.
fn lacks_secret(client: &Client) -> bool {
    let kept = |secrets: &ClientSecrets| client.auth_method != AuthMethod::ClientSecretJwt || secrets.sealed.is_some();
    client.auth_method.has_secret() && !client.secrets.as_ref().is_some_and(kept)
}

fn apply(client: &mut Client, change: &ClientChange) {
    fn set<T: Clone>(place: &mut T, wish: &Option<T>) {
        if let Some(wish) = wish {
            place.clone_from(wish);
        }
    }
    set(&mut client.name, &change.name);
    set(&mut client.description, &change.description);
    set(&mut client.enabled, &change.enabled);
    set(&mut client.auth_method, &change.auth_method);
    set(&mut client.grant_types, &change.grant_types);
    set(&mut client.redirect_uris, &change.redirect_uris);
    set(&mut client.post_logout_redirect_uris, &change.post_logout_redirect_uris);
    set(&mut client.jwks, &change.jwks);
    set(&mut client.default_audience, &change.default_audience);
    set(&mut client.audiences, &change.audiences);
    set(&mut client.access_token_format, &change.access_token_format);
    set(&mut client.signing_alg, &change.signing_alg);
    set(&mut client.access_token_ttl, &change.access_token_ttl);
    set(&mut client.refresh_token_ttl, &change.refresh_token_ttl);
    set(&mut client.settings, &change.settings);
    if let Some(scope) = &change.scope {
        (client.permissions, client.scope) =
            if client.is_service() { split_scope(scope) } else { (OAuthScope::empty(), scope.clone()) };
    }
    if !client.auth_method.has_secret() {
        client.secrets = None;
    }
    settle(client);
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
    rotate_secret_by(ctx, Powers::operator(), id, overlap).await
}

/// The same by somebody who may do as much as the client.
pub(in crate::domain) async fn rotate_secret_by(
    ctx: &Ctx<'_>,
    by: Powers,
    id: &ClientId,
    overlap: Duration,
) -> Result<Secret<String>, DomainError> {
    let client = find(ctx, id).await?;
    if client.secrets.is_none() {
        return Err(Invalid::new("client_id", "names a client that has no secret").into());
    }
    let secret = opaque::generate(TokenKind::ClientSecret, &*ctx.core.entropy);
    let new = keep(ctx, id, client.auth_method, &secret)?;
    let entry = ctx.audit("client.rotate_secret", Some(format!("client:{id}")), Outcome::Success, None);
    let now = ctx.now();
    let input = (ctx.tenant_id(), id.clone(), by, new, (now, now + overlap), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, by, new, (now, until), entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut client = clients::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Client))?;
                by.require_above_client(tx, &client, *now).await?;
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
