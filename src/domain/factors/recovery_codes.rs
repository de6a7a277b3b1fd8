//! Recovery codes: each signs in once in place of the app or passkey that is lost.
//!
//! Eighty random bits each, so that a digest is enough to keep: there is nothing to guess them by.

use super::super::ctx::Ctx;
use super::super::error::DomainError;
use super::super::lockout;
use super::{Change, owner, refused};
use crate::crypto::digest::Digest;
use crate::domain::Invalid;
use crate::model::audit::Outcome;
use crate::model::entropy::Entropy;
use crate::model::ids::{TenantId, UserId};
use crate::model::mail::MailKind;
use crate::model::secret::Secret;
use crate::storage::{self, lockouts};

/// How many a person gets.
const HOW_MANY: usize = 10;
/// Characters of a code, without the hyphens.
const LENGTH: usize = 16;
/// Crockford's base 32: no `i`, `l`, `o` or `u`, which are read as others.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// New codes as they are shown, and the digests under which they are kept.
pub(super) struct Codes {
    pub(super) shown: Vec<Secret<String>>,
    pub(super) digests: Vec<[u8; 32]>,
}

pub(super) fn make(ctx: &Ctx<'_>, user: UserId) -> Codes {
    let shown: Vec<Secret<String>> = (0..HOW_MANY).map(|_| code(&*ctx.core.entropy)).collect();
    let digests = shown.iter().filter_map(|code| digest(ctx.tenant_id(), user, code.expose())).collect();
    Codes { shown, digests }
}

/// `xxxx-xxxx-xxxx-xxxx`.
fn code(entropy: &dyn Entropy) -> Secret<String> {
    let random = Secret::new(entropy.bytes::<LENGTH>());
    let letters = random.expose().iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    let mut text = String::with_capacity(LENGTH + LENGTH / 4);
    for (at, letter) in letters.enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(*letter));
    }
    Secret::new(text)
}

/// What a code is kept under, however it was typed; none if it can't be one.
fn digest(tenant: TenantId, user: UserId, typed: &str) -> Option<[u8; 32]> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_lowercase() {
        'i' | 'l' => '1',
        'o' => '0',
        other => other,
    });
    let code = Secret::new(letters.take(LENGTH + 1).collect::<String>());
    let known = code.expose().len() == LENGTH && code.expose().bytes().all(|b| ALPHABET.contains(&b));
    let (tenant, user) = (tenant.uuid(), user.uuid());
    let parts: [&[u8]; 3] = [tenant.as_bytes(), user.as_bytes(), code.expose().as_bytes()];
    known.then(|| *Digest::of_parts("gatehouse recovery code", &parts).as_bytes())
}

/// Gives a person new codes, shown this once; the old ones count no more.
///
/// # Errors
/// [`DomainError::Invalid`] for who has no second factor; [`DomainError::NotFound`]; or the database
/// is unavailable.
pub async fn replace(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<Secret<String>>, DomainError> {
    let Codes { shown, digests } = make(ctx, user);
    let change = Change::new(ctx, user, "factor.recovery_codes.renew", MailKind::RecoveryCodesRenewed);
    ctx.core
        .db
        .write((ctx.tenant_id(), user, change.with_codes(digests)), |tx, (tenant, user, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, *user).await?;
                if !owner.has_second_factor {
                    return Err(Invalid::new("recovery_codes", "need a second factor that they stand in for").into());
                }
                storage::recovery_codes::replace(&of, *user, &change.codes, change.now).await?;
                change.settle(tx, owner).await
            })
        })
        .await?;
    Ok(shown)
}

/// Uses a code up; whether it was one of this person's that had not been used. A wrong one counts
/// like a wrong code of an app.
///
/// # Errors
/// [`DomainError::Busy`], or the database is unavailable.
pub async fn check_and_use(ctx: &Ctx<'_>, user: UserId, code: &str) -> Result<bool, DomainError> {
    let Some(attempt) = lockout::attempt_second_factor(ctx, user).await? else {
        refused(ctx, user, "second factor is locked").await?;
        return Ok(false);
    };
    let used = match digest(ctx.tenant_id(), user, code) {
        None => false,
        Some(digest) => {
            let entry = ctx.audit("factor.recovery_codes.use", Some(format!("user:{user}")), Outcome::Success, None);
            let input = (ctx.tenant_id(), user, digest, attempt.account(), ctx.now(), entry);
            ctx.core
                .db
                .write(input, |tx, (tenant, user, digest, account, now, entry)| {
                    Box::pin(async move {
                        let of = tx.of(*tenant);
                        let used = storage::recovery_codes::use_once(&of, *user, digest, *now).await?;
                        if used {
                            lockouts::clear(&of, account).await?;
                            storage::audit::append(tx, entry).await?;
                        }
                        Ok::<_, DomainError>(used)
                    })
                })
                .await?
        }
    };
    if !used {
        refused(ctx, user, "wrong recovery code").await?;
    }
    Ok(used)
}

/// How many codes a person has left.
///
/// # Errors
/// The database is unavailable.
pub async fn left(ctx: &Ctx<'_>, user: UserId) -> Result<u64, DomainError> {
    Ok(storage::recovery_codes::left(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;
    use uuid::Uuid;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let (tenant, user) = (TenantId::from_uuid(Uuid::from_u128(1)), UserId::from_uuid(Uuid::from_u128(2)));
        let code = code(&SeededEntropy::new(7));
        let text = code.expose();
        assert_eq!(text.len(), 19);
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
        let kept = digest(tenant, user, text).unwrap();
        let sloppy = text.to_uppercase().replace('-', " ").replace('1', "l").replace('0', "O");
        for typed in [text.replace('-', ""), format!(" {sloppy} ")] {
            assert_eq!(digest(tenant, user, &typed), Some(kept), "{typed}");
        }
        assert_ne!(digest(tenant, UserId::from_uuid(Uuid::from_u128(3)), text), Some(kept), "another person's");
        assert_ne!(digest(TenantId::from_uuid(Uuid::from_u128(3)), user, text), Some(kept), "another tenant's");
    }

    #[test]
    fn what_can_be_no_code_has_no_digest() {
        let (tenant, user) = (TenantId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
        for typed in ["", "0", "0123-4567-89ab-cde", "0123-4567-89ab-cdef0", "0123-4567-89ab-cdeu", "０123456789abcde"]
        {
            assert_eq!(digest(tenant, user, typed), None, "{typed}");
        }
        assert!(digest(tenant, user, "0123-4567-89ab-cdef").is_some());
    }
}
