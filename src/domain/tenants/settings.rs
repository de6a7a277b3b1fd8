//! What a tenant sets for itself.

use std::time::Duration;

use crate::crypto::opaque::{self, TokenKind};
use crate::domain::clients::check_web_uri;
use crate::domain::{Ctx, DomainError, Invalid, Noun, keys};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::secret::Secret;
use crate::model::tenant::{InitialAccessToken, Tenant};
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::tenants;

/// How short a tenant may let passwords be (NIST SP 800-63B-4 §3.1.1.2 for those with a second factor).
const SHORTEST_PASSWORD: u32 = 8;
/// How long it may demand them to be: what people can be asked to type.
const LONGEST_PASSWORD: u32 = 128;
/// How many initial access tokens count at once.
const MOST_TOKENS: usize = 100;

/// Changes a tenant's name and settings.
///
/// # Errors
/// [`DomainError::Invalid`] names the setting; or the database is unavailable.
pub async fn update(ctx: &Ctx<'_>, mend: impl Fn(&mut Tenant) + Send + Sync + 'static) -> Result<Tenant, DomainError> {
    change(ctx, "tenant.update", mend).await
}

/// A new token that opens client registration (RFC 7591 §3), for ever or until a moment. Those that
/// have expired are forgotten.
///
/// # Errors
/// [`DomainError::Invalid`] if there are too many that count; or the database is unavailable.
pub async fn issue_initial_token(ctx: &Ctx<'_>, expires_at: Option<Timestamp>) -> Result<Secret<String>, DomainError> {
    let token = opaque::generate(TokenKind::InitialAccessToken, &*ctx.core.entropy);
    let kept = InitialAccessToken { digest: opaque::digest_of_secret(token.expose()).hex(), expires_at };
    let now = ctx.now();
    change(ctx, "tenant.issue_initial_token", move |tenant| {
        let tokens = &mut tenant.settings.initial_access_tokens;
        tokens.retain(|token| token.expires_at.is_none_or(|end| end > now));
        tokens.push(kept.clone());
    })
    .await?;
    Ok(token)
}

/// Has every initial access token cease to count.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_initial_tokens(ctx: &Ctx<'_>) -> Result<(), DomainError> {
    change(ctx, "tenant.revoke_initial_tokens", |tenant| tenant.settings.initial_access_tokens.clear()).await?;
    Ok(())
}

async fn change(
    ctx: &Ctx<'_>,
    action: &'static str,
    mend: impl Fn(&mut Tenant) + Send + Sync + 'static,
) -> Result<Tenant, DomainError> {
    let entry = ctx.audit(action, Some(format!("tenant:{}", ctx.tenant_id())), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), mend, entry), |tx, (id, mend, entry)| {
            Box::pin(async move {
                let of = tx.of(*id);
                let mut tenant = tenants::find_for_update(&of).await?.ok_or(DomainError::NotFound(Noun::Tenant))?;
                mend(&mut tenant);
                check(&tenant)?;
                tenants::update(&of, &tenant).await?;
                of.changed(ChangeKind::Tenant, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(tenant)
            })
        })
        .await
}

fn check(tenant: &Tenant) -> Result<(), Invalid> {
    let settings = &tenant.settings;
    if tenant.is_default && !tenant.enabled {
        return Err(Invalid::new("enabled", "can't be false for the tenant that serves every path that names none"));
    }
    tenant.name.parse::<DisplayName>().map_err(|why| Invalid::new("name", why.to_string()))?;
    let lengths = SHORTEST_PASSWORD..=LONGEST_PASSWORD;
    if settings.password_min_length.is_some_and(|length| !lengths.contains(&length)) {
        let why = format!("must be between {SHORTEST_PASSWORD} and {LONGEST_PASSWORD}");
        return Err(Invalid::new("password_min_length", why));
    }
    let life = settings.access_token_ttl.map(|seconds| Duration::from_secs(seconds.into()));
    if life.is_some_and(|life| life.is_zero() || life > keys::MAX_ACCESS_TOKEN_TTL) {
        return Err(Invalid::new("access_token_ttl", "must be between 1 s and one day"));
    }
    if settings.refresh_token_ttl == Some(0) {
        return Err(Invalid::new("refresh_token_ttl", "must be at least 1 s"));
    }
    if settings.initial_access_tokens.len() > MOST_TOKENS {
        return Err(Invalid::new("initial_access_tokens", format!("at most {MOST_TOKENS} may count at once")));
    }
    settings.logo.as_deref().map(|uri| check_web_uri("logo", uri)).transpose()?;
    Ok(())
}
