//! Guessing: one attempt at a time for each account, counted before the password is looked at.
//!
//! The count is a row, so it is exact over all copies and all ways to sign in. Attempts on one
//! account wait for each other in this process, so that honest sign-ins at the same moment are
//! never counted as guesses of one another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::digest::Digest;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;
use crate::storage::lockouts;

/// How long one waits for those before it on the same account.
const PATIENCE: Duration = Duration::from_secs(5);

/// A gate for each account that somebody signs in to at this moment.
#[derive(Default)]
pub(super) struct Turnstile(Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>);

/// One attempt that is under way.
pub(super) struct Attempt {
    account: [u8; 32],
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

impl Turnstile {
    async fn pass(&self, account: [u8; 32]) -> Result<tokio::sync::OwnedMutexGuard<()>, DomainError> {
        let gate = {
            let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if gates.len() > 1024 {
                gates.retain(|_, gate| Arc::strong_count(gate) > 1);
            }
            Arc::clone(gates.entry(account).or_default())
        };
        tokio::time::timeout(PATIENCE, gate.lock_owned()).await.map_err(|_| DomainError::Busy { retry_after: PATIENCE })
    }
}

/// What wrong passwords for an account are counted under: a digest, so that guessed names are not stored.
const PASSWORD: &str = "gatehouse account";
/// What wrong codes of its second factor are counted under: apart, or a right password, which forgets
/// the wrong ones, would give new guesses at the code.
const SECOND_FACTOR: &str = "gatehouse second factor";

fn account_key(ctx: &Ctx<'_>, what: &str, account: &str) -> [u8; 32] {
    *Digest::of_parts(what, &[ctx.tenant_id().uuid().as_bytes(), account.as_bytes()]).as_bytes()
}

/// Takes a turn and counts it as a failure until it proves to be none; `None` while the account is
/// locked. `account` is the user's id, or the canonical name if nobody has it: one count for all the
/// names of an account, and no difference whether it exists.
pub(super) async fn attempt(ctx: &Ctx<'_>, account: &str) -> Result<Option<Attempt>, DomainError> {
    take_turn(ctx, account_key(ctx, PASSWORD, account)).await
}

/// The same for a code of a second factor.
pub(super) async fn attempt_second_factor(ctx: &Ctx<'_>, user: UserId) -> Result<Option<Attempt>, DomainError> {
    take_turn(ctx, account_key(ctx, SECOND_FACTOR, &user.to_string())).await
}

async fn take_turn(ctx: &Ctx<'_>, account: [u8; 32]) -> Result<Option<Attempt>, DomainError> {
    let turn = ctx.core.turnstile.pass(account).await?;
    let rules = &ctx.core.config.lockout;
    let attempt = Attempt { account, _turn: turn };
    if rules.failures == 0 {
        return Ok(Some(attempt));
    }
    let now = ctx.now();
    let input = (ctx.tenant_id(), account, now, now + rules.window, now + rules.duration, i32::from(rules.failures));
    let open = ctx
        .core
        .db
        .write(input, |tx, (tenant, account, now, window_ends, lock_until, limit)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let count = lockouts::count_attempt(&of, account, *now, *window_ends).await?;
                if count.locked_until > *now {
                    return Ok(false);
                }
                if count.failures > *limit {
                    lockouts::lock(&of, account, *lock_until).await?;
                    return Ok(false);
                }
                Ok::<_, DomainError>(true)
            })
        })
        .await?;
    Ok(open.then_some(attempt))
}

impl Attempt {
    /// The account's key, for clearing the count in the transaction that records the success.
    pub(super) const fn account(&self) -> [u8; 32] {
        self.account
    }
}

/// Until when accounts are locked, each under the later of its two locks; those that are open are not named.
///
/// # Errors
/// The database is unavailable.
pub async fn locked(ctx: &Ctx<'_>, users: &[UserId]) -> Result<HashMap<UserId, Timestamp>, DomainError> {
    let keys = |user: &UserId| {
        let (user, name) = (*user, user.to_string());
        [PASSWORD, SECOND_FACTOR].map(|what| (account_key(ctx, what, &name), user))
    };
    let accounts: HashMap<[u8; 32], UserId> = users.iter().flat_map(keys).collect();
    let found = lockouts::locked(&ctx.core.db.read().of(ctx.tenant_id()), accounts.keys(), ctx.now()).await?;
    let mut locked = HashMap::new();
    for (account, until) in found {
        if let Some(user) = accounts.get(account.as_slice()) {
            let latest = locked.entry(*user).or_insert(until);
            *latest = until.max(*latest);
        }
    }
    Ok(locked)
}

/// Opens a locked account.
///
/// # Errors
/// The database is unavailable.
pub async fn unlock(ctx: &Ctx<'_>, account: &str) -> Result<(), DomainError> {
    forget(ctx, account, &[PASSWORD, SECOND_FACTOR]).await
}

/// Forgets wrong passwords of an account that has a new one. Wrong codes of the second factor still
/// count: whoever reads the mail would get new guesses at it with each link.
///
/// # Errors
/// The database is unavailable.
pub(super) async fn unlock_password(ctx: &Ctx<'_>, account: &str) -> Result<(), DomainError> {
    forget(ctx, account, &[PASSWORD]).await
}

async fn forget(ctx: &Ctx<'_>, account: &str, what: &[&str]) -> Result<(), DomainError> {
    let counts: Vec<[u8; 32]> = what.iter().map(|what| account_key(ctx, what, account)).collect();
    ctx.core
        .db
        .write((ctx.tenant_id(), counts), |tx, (tenant, counts)| {
            Box::pin(async move {
                for count in counts {
                    lockouts::clear(&tx.of(*tenant), count).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}
