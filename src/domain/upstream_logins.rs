//! People on their way to a provider elsewhere and back: what the answer must fit, used up by the first
//! answer that comes to the right connection in the right browser.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::digest::base64url;
use crate::crypto::opaque::{self, TokenKind};
use crate::crypto::sealing::SealContext;
use crate::model::connection::{Connection, UpstreamLogin};
use crate::model::ids::{ConnectionId, TenantId, UserId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::storage::upstream_logins as rows;

/// How long a person may take at the provider.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why they went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// The sign-in that waits for them (`t`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Which page of ours comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Who wants to link the account that they come back with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linking: Option<UserId>,
}

/// What only we may read of a journey.
#[derive(Serialize, Deserialize)]
struct Kept {
    verifier: String,
    errand: Errand,
    /// Whether they are to show that it is still them.
    #[serde(default)]
    again: bool,
}

/// A journey that begins.
pub struct Begun {
    /// `ghu_…`, the OAuth `state`.
    pub state: Secret<String>,
    /// What the ID token must say (OpenID Connect Core §3.1.2.1).
    pub nonce: String,
    /// The code verifier (RFC 7636 §4.1).
    pub verifier: Secret<String>,
}

/// A journey that ended.
pub struct Returned {
    /// What the ID token must say.
    pub nonce: String,
    /// The code verifier.
    pub verifier: Secret<String>,
    /// Why they went.
    pub errand: Errand,
    /// What the protocol made of an answer that came before.
    pub pending: Option<String>,
    /// When they went to show that it is still them, if they did.
    pub again_since: Option<Timestamp>,
}

/// Somebody sets out from this browser; with `again`, to show that it is still them.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    connection: &Connection,
    browser: [u8; 32],
    errand: Errand,
    again: bool,
) -> Result<Begun, DomainError> {
    let entropy = &*ctx.core.entropy;
    let begun = Begun {
        state: opaque::generate(TokenKind::UpstreamState, entropy),
        nonce: base64url(&entropy.bytes::<32>()),
        verifier: Secret::new(base64url(&entropy.bytes::<32>())),
    };
    let digest = *opaque::digest_of_secret(begun.state.expose()).as_bytes();
    let kept = Kept { verifier: begun.verifier.expose().clone(), errand, again };
    let kept = serde_json::to_vec(&kept).map_err(|why| DomainError::Defect(why.to_string()))?;
    let name = base64url(&digest);
    let now = ctx.now();
    let login = UpstreamLogin {
        digest,
        connection: connection.id,
        browser: Some(browser),
        goal: None,
        nonce: Some(begun.nonce.clone()),
        sealed_verifier: Some(ctx.core.sealer.seal(seal_context(ctx.tenant_id(), &name), &kept, entropy)?),
        request_id: None,
        pending: None,
        created_at: now,
        expires_at: now + PATIENCE,
    };
    let written = ctx.core.db.write((ctx.tenant_id(), login), |tx, (tenant, login)| {
        Box::pin(async move { Ok::<_, DomainError>(rows::insert(&tx.of(*tenant), login).await?) })
    });
    written.await.map(|()| begun)
}

fn seal_context(tenant: TenantId, name: &str) -> SealContext<'_> {
    SealContext { purpose: "upstream sign-in", tenant: tenant.uuid(), name }
}

/// Somebody comes back; `None` for a state that does not count: unknown, used, too old, another browser's,
/// or given to another connection.
///
/// # Errors
/// The database is unavailable.
pub async fn end(
    ctx: &Ctx<'_>,
    connection: ConnectionId,
    state: &str,
    browser: &[u8; 32],
) -> Result<Option<Returned>, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::UpstreamState, state) else { return Ok(None) };
    let now = ctx.now();
    let found = rows::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes(), now).await?;
    let fits = |login: &UpstreamLogin| login.connection == connection && login.browser.as_ref() == Some(browser);
    let Some(login) = found.filter(fits) else { return Ok(None) };
    let used = ctx.core.db.write((ctx.tenant_id(), login.clone(), now), |tx, (tenant, login, now)| {
        Box::pin(async move { Ok::<_, DomainError>(rows::use_once(&tx.of(*tenant), login, *now).await?) })
    });
    if !used.await? {
        return Ok(None);
    }
    let (Some(nonce), Some(kept)) = (login.nonce.clone(), opened(ctx, &login)?) else { return Ok(None) };
    let again_since = kept.again.then_some(login.created_at);
    Ok(Some(Returned {
        nonce,
        verifier: Secret::new(kept.verifier),
        errand: kept.errand,
        pending: login.pending,
        again_since,
    }))
}

fn opened(ctx: &Ctx<'_>, login: &UpstreamLogin) -> Result<Option<Kept>, DomainError> {
    let Some(sealed) = &login.sealed_verifier else { return Ok(None) };
    let name = base64url(&login.digest);
    let kept = ctx.core.sealer.open(seal_context(ctx.tenant_id(), &name), sealed)?;
    serde_json::from_slice(kept.expose()).map(Some).map_err(|why| DomainError::Defect(why.to_string()))
}

/// The rest of a journey whose answer another site posts, without the browser's cookie: under a state of its
/// own, which nobody hears but the browser that brought the answer. Whoever began the journey and had
/// somebody else finish it does not know it; whoever finished it has another cookie.
pub(super) fn handed_over(
    ctx: &Ctx<'_>,
    login: &UpstreamLogin,
    pending: String,
) -> Result<(Secret<String>, UpstreamLogin), DomainError> {
    let gone = || DomainError::Defect("the journey is none of a page".to_owned());
    let state = opaque::generate(TokenKind::UpstreamState, &*ctx.core.entropy);
    let digest = *opaque::digest_of_secret(state.expose()).as_bytes();
    let kept = opened(ctx, login)?.ok_or_else(gone)?;
    let kept = serde_json::to_vec(&kept).map_err(|why| DomainError::Defect(why.to_string()))?;
    let name = base64url(&digest);
    let sealed = ctx.core.sealer.seal(seal_context(ctx.tenant_id(), &name), &kept, &*ctx.core.entropy)?;
    Ok((state, UpstreamLogin { digest, sealed_verifier: Some(sealed), pending: Some(pending), ..login.clone() }))
}
