//! Requests that may come twice and shall be done once: the first one with a key is done, and its answer
//! is given again to whoever asks the same with it for a day.
//!
//! What dies between its work and its answer leaves the key taken for a minute; whoever asks after that
//! does the work again, and hears what came of the first time from the verb itself.

use std::time::Duration;

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::digest::{Digest, hex};
use crate::crypto::sealing::SealContext;
use crate::storage::idempotent_requests as rows;

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(86_400);
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose turn it is.
pub enum Turn {
    /// This request is to be done; then [`Ticket::answered`], or [`Ticket::failed`].
    First(Ticket),
    /// It was done: status and body of the answer.
    Again(u16, Vec<u8>),
    /// The key came with another request.
    Another,
    /// It is being done.
    UnderWay,
}

/// The right to do a request.
#[derive(Clone, Copy)]
pub struct Ticket {
    key: [u8; 32],
}

/// Asks whose turn it is: a request that consists of these parts, by somebody under a key of their choice.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(ctx: &Ctx<'_>, by: &str, key: &str, request: &[&[u8]]) -> Result<Turn, DomainError> {
    let key = *Digest::of_parts("gatehouse idempotency key", &[by.as_bytes(), key.as_bytes()]).as_bytes();
    let request = *Digest::of_parts("gatehouse idempotent request", request).as_bytes();
    let now = ctx.now();
    let known = ctx
        .core
        .db
        .write((ctx.tenant_id(), key, request, now), |tx, (tenant, key, request, now)| {
            Box::pin(async move {
                Ok::<_, DomainError>(rows::take(&tx.of(*tenant), key, request, *now, *now + PATIENCE).await?)
            })
        })
        .await?;
    Ok(match known {
        None => Turn::First(Ticket { key }),
        Some(known) if known.request != request => Turn::Another,
        Some(rows::Known { answer: None, .. }) => Turn::UnderWay,
        Some(rows::Known { answer: Some((status, sealed)), .. }) => {
            let name = hex(&key);
            Turn::Again(status, ctx.core.sealer.open(seal_context(ctx, &name), &sealed)?.expose().clone())
        }
    })
}

fn seal_context<'a>(ctx: &Ctx<'_>, name: &'a str) -> SealContext<'a> {
    SealContext { purpose: "idempotent answer", tenant: ctx.tenant_id().uuid(), name }
}

impl Ticket {
    /// Keeps the answer.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn answered(self, ctx: &Ctx<'_>, status: u16, body: &[u8]) -> Result<(), DomainError> {
        let name = hex(&self.key);
        let sealed = ctx.core.sealer.seal(seal_context(ctx, &name), body, &*ctx.core.entropy)?;
        let input = (ctx.tenant_id(), self.key, status, sealed, ctx.now() + KEPT);
        ctx.core
            .db
            .write(input, |tx, (tenant, key, status, sealed, until)| {
                Box::pin(async move {
                    Ok::<_, DomainError>(rows::answer(&tx.of(*tenant), key, *status, sealed, *until).await?)
                })
            })
            .await
    }

    /// Frees the key: nothing was done.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn failed(self, ctx: &Ctx<'_>) -> Result<(), DomainError> {
        ctx.core
            .db
            .write((ctx.tenant_id(), self.key), |tx, (tenant, key)| {
                Box::pin(async move { Ok::<_, DomainError>(rows::free(&tx.of(*tenant), key).await?) })
            })
            .await
    }
}
