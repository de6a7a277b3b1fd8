//! Authenticator apps: six digits that change every thirty seconds (RFC 6238), each good once.

use std::time::Duration;

use super::super::core::Core;
use super::super::ctx::Ctx;
use super::super::error::{DomainError, Invalid};
use super::super::lockout;
use super::{Change, Enrolled, owner, recovery_codes, refused};
use crate::crypto::sealing::SealContext;
use crate::model::factors::TotpFactor;
use crate::model::ids::{TenantId, UserId};
use crate::model::mail::MailKind;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{self, lockouts};

/// How long a begun enrolment waits for its first code: who saw the secret of one that was given up
/// must not have it in the hand when it is taken up again.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// An app that is being set up.
pub struct Enrolment {
    /// The secret in base 32, for typing in.
    pub secret: Secret<String>,
    /// The same as an `otpauth` address, for a QR code.
    pub uri: Secret<String>,
}

/// Begins to set an app up for a person, in place of one that was never confirmed.
///
/// # Errors
/// [`DomainError::Invalid`] for who has one already; or the database is unavailable.
pub async fn begin(ctx: &Ctx<'_>, user: &User) -> Result<Enrolment, DomainError> {
    // 160 bits, as RFC 4226 §4 recommends.
    let secret = Secret::new(ctx.core.entropy.bytes::<20>().to_vec());
    let factor = TotpFactor {
        user: user.id,
        sealed_secret: seal(ctx.core, ctx.tenant_id(), user.id, &secret)?,
        last_step: None,
        created_at: ctx.now(),
        confirmed_at: None,
    };
    let begun = ctx
        .core
        .db
        .write((ctx.tenant_id(), factor), |tx, (tenant, factor)| {
            Box::pin(async move { Ok::<_, DomainError>(storage::totp::begin(&tx.of(*tenant), factor).await?) })
        })
        .await?;
    if begun { shown(ctx, user, secret) } else { Err(Invalid::new("totp", "is set up already").into()) }
}

/// The app that a person has begun to set up, to be shown again.
///
/// # Errors
/// The database is unavailable.
pub async fn pending(ctx: &Ctx<'_>, user: &User) -> Result<Option<Enrolment>, DomainError> {
    match find(ctx, user.id).await?.filter(|factor| waits(factor, ctx.now())) {
        Some(factor) => Ok(Some(shown(ctx, user, open(ctx.core, ctx.tenant_id(), &factor)?)?)),
        None => Ok(None),
    }
}

/// Confirms an app by a first code; nothing if it is a wrong one, or none was begun in the last
/// quarter of an hour.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn confirm(ctx: &Ctx<'_>, user: UserId, code: &str) -> Result<Option<Enrolled>, DomainError> {
    let now = ctx.now();
    let Some(factor) = find(ctx, user).await?.filter(|factor| waits(factor, now)) else { return Ok(None) };
    let Some(step) = step_of(open(ctx.core, ctx.tenant_id(), &factor)?, code, now) else { return Ok(None) };
    let recovery_codes::Codes { shown, digests } = recovery_codes::make(ctx, user);
    let change = Change::new(ctx, user, "factor.totp.enrol", MailKind::TotpAdded).with_codes(digests);
    let first = ctx
        .core
        .db
        .write((ctx.tenant_id(), factor, step, change), |tx, (tenant, factor, step, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, factor.user).await?;
                if !storage::totp::confirm(&of, factor, *step, change.now).await? {
                    return Ok(None);
                }
                Ok::<_, DomainError>(Some(change.settle(tx, owner).await?))
            })
        })
        .await?;
    Ok(first.map(|first| Enrolled { recovery_codes: first.then_some(shown) }))
}

/// Checks a code at sign-in: of this time step or one beside it, and of a later one than any that
/// counted before. A wrong one counts towards a lock of the second factor.
///
/// # Errors
/// [`DomainError::Busy`], or the database is unavailable.
pub async fn check(ctx: &Ctx<'_>, user: UserId, code: &str) -> Result<bool, DomainError> {
    let Some(attempt) = lockout::attempt_second_factor(ctx, user).await? else {
        refused(ctx, user, "second factor is locked").await?;
        return Ok(false);
    };
    let factor = find(ctx, user).await?.filter(|factor| factor.confirmed_at.is_some());
    let step = match &factor {
        Some(factor) => step_of(open(ctx.core, ctx.tenant_id(), factor)?, code, ctx.now()),
        None => None,
    };
    let counted = match (factor, step) {
        (Some(factor), Some(step)) => {
            let input = (ctx.tenant_id(), factor, step, attempt.account());
            ctx.core
                .db
                .write(input, |tx, (tenant, factor, step, account)| {
                    Box::pin(async move {
                        let of = tx.of(*tenant);
                        let counted = storage::totp::use_step(&of, factor, *step).await?;
                        if counted {
                            lockouts::clear(&of, account).await?;
                        }
                        Ok::<_, DomainError>(counted)
                    })
                })
                .await?
        }
        _ => false,
    };
    if !counted {
        let cause = if step.is_some() { "code of the app was used before" } else { "wrong code of the app" };
        refused(ctx, user, cause).await?;
    }
    Ok(counted)
}

/// Removes a person's app, confirmed or not.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn remove(ctx: &Ctx<'_>, user: UserId) -> Result<(), DomainError> {
    let change = Change::new(ctx, user, "factor.totp.remove", MailKind::TotpRemoved);
    ctx.core
        .db
        .write((ctx.tenant_id(), user, change), |tx, (tenant, user, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, *user).await?;
                if storage::totp::delete(&of, *user).await? {
                    change.settle(tx, owner).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Since when a person has a confirmed app.
///
/// # Errors
/// The database is unavailable.
pub async fn since(ctx: &Ctx<'_>, user: UserId) -> Result<Option<Timestamp>, DomainError> {
    Ok(find(ctx, user).await?.and_then(|factor| factor.confirmed_at))
}

async fn find(ctx: &Ctx<'_>, user: UserId) -> Result<Option<TotpFactor>, DomainError> {
    Ok(storage::totp::find(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

fn waits(factor: &TotpFactor, now: Timestamp) -> bool {
    factor.confirmed_at.is_none() && now < factor.created_at + PATIENCE
}

/// The secret of a person's app as it is kept.
pub(in crate::domain) fn seal(
    core: &Core,
    tenant: TenantId,
    user: UserId,
    secret: &Secret<Vec<u8>>,
) -> Result<Vec<u8>, DomainError> {
    let name = user.to_string();
    let context = SealContext { purpose: "totp secret", tenant: tenant.uuid(), name: &name };
    Ok(core.sealer.seal(context, secret.expose(), &*core.entropy)?)
}

/// The secret itself.
pub(in crate::domain) fn open(
    core: &Core,
    tenant: TenantId,
    factor: &TotpFactor,
) -> Result<Secret<Vec<u8>>, DomainError> {
    let name = factor.user.to_string();
    let context = SealContext { purpose: "totp secret", tenant: tenant.uuid(), name: &name };
    Ok(core.sealer.open(context, &factor.sealed_secret)?)
}

/// SHA-1, six digits, thirty seconds, one step to either side: what every app understands.
fn algorithm(secret: Secret<Vec<u8>>) -> totp_rs::Builder {
    totp_rs::Builder::new().with_secret(secret.expose().clone())
}

/// The time step that a code is of; the digits may be typed with spaces between.
fn step_of(secret: Secret<Vec<u8>>, code: &str, now: Timestamp) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    let seconds = u64::try_from(now.seconds()).ok()?;
    let step = algorithm(secret).build_noncompliant().check(&digits, seconds)?;
    i64::try_from(step).ok()
}

fn shown(ctx: &Ctx<'_>, user: &User, secret: Secret<Vec<u8>>) -> Result<Enrolment, DomainError> {
    // A colon parts the two in an otpauth address.
    let plain = |text: &str| text.replace(':', " ");
    let account = user.email.as_deref().or(user.username.as_deref());
    let totp = algorithm(secret)
        .with_issuer(Some(plain(ctx.tenant.tenant.title())))
        .with_account_name(account.map_or_else(|| user.id.to_string(), plain))
        .build_noncompliant();
    let uri = totp.to_url().map_err(|why| DomainError::Defect(why.to_string()))?;
    Ok(Enrolment { secret: Secret::new(totp.secret().to_base32()), uri: Secret::new(uri) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    /// The secret of RFC 6238 Appendix B.
    fn step(code: &str, seconds: i64) -> Option<i64> {
        step_of(Secret::new(b"12345678901234567890".to_vec()), code, Timestamp::from_seconds(seconds))
    }

    #[test]
    fn the_vectors_of_rfc_6238() {
        // The last six of the eight digits that stand there.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(step(code, seconds), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn one_step_to_either_side_counts() {
        // 005924 is of step 41152263, which begins at 1234567890.
        for (seconds, counts) in
            [(1_234_567_859, false), (1_234_567_860, true), (1_234_567_949, true), (1_234_567_950, false)]
        {
            assert_eq!(step("005924", seconds), counts.then_some(41_152_263), "{seconds}");
        }
    }

    #[test]
    fn six_digits_and_nothing_else() {
        let at = 1_234_567_890;
        for typed in ["005924", " 005 924 ", "005\u{a0}924"] {
            assert!(step(typed, at).is_some(), "{typed}");
        }
        for typed in ["", "5924", "+05924", "0059240", "00592", "005924x", "٠٠٥٩٢٤", "005-924", "0 0 5 9 2 4 0"] {
            assert_eq!(step(typed, at), None, "{typed}");
        }
        assert_eq!(step("287082", -1), None, "before the epoch there are no steps");
    }
}
