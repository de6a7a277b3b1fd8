//! Authorization requests that wait: pushed by a client (RFC 9126), or under way in a browser while
//! its person signs in. The second kind is bound to the browser in which it began.

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::authorization_request::{AuthorizationRequest, PATIENCE, Progress, RequestKind};
use crate::model::ids::ClientId;
use crate::model::secret::Secret;
use crate::storage::authorization_requests as rows;

/// A request's parameters as they count.
pub type Parameters = Vec<(String, String)>;

async fn store(
    ctx: &Ctx<'_>,
    kind: RequestKind,
    client: &ClientId,
    browser: Option<[u8; 32]>,
    parameters: Parameters,
    progress: Progress,
) -> Result<Secret<String>, DomainError> {
    let (token, life) = match kind {
        RequestKind::Pushed => (TokenKind::RequestUri, ctx.core.config.tokens.pushed_request),
        RequestKind::Login => (TokenKind::LoginTransaction, PATIENCE),
    };
    let reference = opaque::generate(token, &*ctx.core.entropy);
    let now = ctx.now();
    let request = AuthorizationRequest {
        digest: *opaque::digest_of_secret(reference.expose()).as_bytes(),
        kind,
        client: client.clone(),
        browser,
        parameters,
        progress,
        created_at: now,
        expires_at: now + life,
        used: false,
    };
    ctx.core
        .db
        .write((ctx.tenant_id(), request), |tx, (tenant, request)| {
            Box::pin(async move { Ok::<_, DomainError>(rows::insert(&tx.of(*tenant), request).await?) })
        })
        .await?;
    Ok(reference)
}

/// Keeps a request that a client pushed; the reference is what its `request_uri` ends in.
///
/// # Errors
/// The database is unavailable.
pub async fn push(ctx: &Ctx<'_>, client: &ClientId, parameters: Parameters) -> Result<Secret<String>, DomainError> {
    store(ctx, RequestKind::Pushed, client, None, parameters, Progress::default()).await
}

/// Keeps a request while its person signs in in this browser.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    client: &ClientId,
    browser: [u8; 32],
    parameters: Parameters,
    progress: Progress,
) -> Result<Secret<String>, DomainError> {
    store(ctx, RequestKind::Login, client, Some(browser), parameters, progress).await
}

async fn find(
    ctx: &Ctx<'_>,
    kind: RequestKind,
    token: TokenKind,
    reference: &str,
) -> Result<Option<AuthorizationRequest>, DomainError> {
    let Some(digest) = opaque::recognise(token, reference) else { return Ok(None) };
    let found = rows::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes()).await?;
    let now = ctx.now();
    Ok(found.filter(|request| request.kind == kind && !request.used && request.expires_at > now))
}

/// The pushed request of a reference, if it still counts.
///
/// # Errors
/// The database is unavailable.
pub async fn pushed(ctx: &Ctx<'_>, reference: &str) -> Result<Option<AuthorizationRequest>, DomainError> {
    find(ctx, RequestKind::Pushed, TokenKind::RequestUri, reference).await
}

/// The sign-in of a reference, if it is under way in this browser.
///
/// # Errors
/// The database is unavailable.
pub async fn under_way(
    ctx: &Ctx<'_>,
    reference: &str,
    browser: &[u8; 32],
) -> Result<Option<AuthorizationRequest>, DomainError> {
    let found = find(ctx, RequestKind::Login, TokenKind::LoginTransaction, reference).await?;
    Ok(found.filter(|request| request.browser.as_ref() == Some(browser)))
}

/// Writes down how far the person has come.
///
/// # Errors
/// The database is unavailable.
pub async fn note(ctx: &Ctx<'_>, request: &AuthorizationRequest, progress: Progress) -> Result<(), DomainError> {
    ctx.core
        .db
        .write((ctx.tenant_id(), request.digest, progress), |tx, (tenant, digest, progress)| {
            Box::pin(async move {
                rows::set_progress(&tx.of(*tenant), digest, progress).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}
