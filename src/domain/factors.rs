//! Second factors: authenticator apps, passkeys, and recovery codes for who has lost both.
//!
//! Whoever calls a verb that changes them has checked that the person signed in a moment ago.
//! `users.has_second_factor` is true exactly while an app is confirmed or a passkey is there: each
//! change locks the user's row first and settles that in its own transaction.

pub mod passkeys;
pub mod recovery_codes;
pub mod totp;

use super::access::Powers;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::mail::Notice;
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::change::ChangeKind;
use crate::model::factors::Passkey;
use crate::model::ids::UserId;
use crate::model::mail::MailKind;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{self, StorageError, TenantTx, Tx};

/// What somebody can prove a sign-in with beside the password.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Whether there is a confirmed authenticator app.
    pub totp: bool,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes have not been used.
    pub recovery_codes_left: u64,
}

/// What came with a factor that was just added.
pub struct Enrolled {
    /// The recovery codes, if it was the first factor: shown once.
    pub recovery_codes: Option<Vec<Secret<String>>>,
}

/// What a person can prove a sign-in with beside the password.
///
/// # Errors
/// The database is unavailable.
pub async fn of(ctx: &Ctx<'_>, user: UserId) -> Result<Factors, DomainError> {
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    Ok(Factors {
        totp: storage::totp::is_confirmed(&rows, user).await?,
        passkeys: storage::passkeys::list(&rows, user).await?,
        recovery_codes_left: storage::recovery_codes::left(&rows, user).await?,
    })
}

/// The user whose factors change, whom nobody else changes until the transaction ends.
async fn owner(tx: &TenantTx<'_>, user: UserId) -> Result<User, DomainError> {
    storage::users::find_for_update(tx, user).await?.ok_or(DomainError::NotFound(Noun::User))
}

/// A change of somebody's factors, ready to be written.
struct Change {
    /// Digests of recovery codes, should the factor be the first one.
    codes: Vec<[u8; 32]>,
    notice: Notice,
    entry: AuditEntry,
    now: Timestamp,
}

impl Change {
    fn new(ctx: &Ctx<'_>, user: UserId, action: &'static str, kind: MailKind) -> Self {
        let entry = ctx.audit(action, Some(format!("user:{user}")), Outcome::Success, None);
        Self { codes: Vec::new(), notice: Notice::new(ctx, kind), entry, now: ctx.now() }
    }

    fn with_codes(self, codes: Vec<[u8; 32]>) -> Self {
        Self { codes, ..self }
    }

    /// Writes what follows from it, for a user as [`owner`] gave them; says whether the recovery codes
    /// came into force. The last factor takes them with it.
    async fn settle(&self, tx: &Tx, mut user: User) -> Result<bool, DomainError> {
        let of = tx.of(user.tenant);
        let has = storage::totp::is_confirmed(&of, user.id).await? || storage::passkeys::count(&of, user.id).await? > 0;
        let first = has && !user.has_second_factor;
        if first {
            storage::recovery_codes::replace(&of, user.id, &self.codes, self.now).await?;
        } else if !has {
            storage::recovery_codes::delete_all(&of, user.id).await?;
        }
        user.has_second_factor = has;
        user.updated_at = self.now;
        storage::users::update(&of, &user).await?;
        storage::known_browsers::distrust_all(&of, user.id).await?;
        self.notice.queue(&of, &user).await?;
        of.changed(ChangeKind::User, &user.id.to_string()).await?;
        storage::audit::append(tx, &self.entry).await?;
        Ok(first)
    }
}

/// Takes every factor from somebody who has lost theirs, by somebody who may do as much as they.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for a user who may do more; or the database is
/// unavailable.
pub(super) async fn remove_all_by(ctx: &Ctx<'_>, by: Powers, user: UserId) -> Result<(), DomainError> {
    let change = Change::new(ctx, user, "factor.remove_all", MailKind::FactorsRemoved);
    ctx.core
        .db
        .write((ctx.tenant_id(), user, by, change), |tx, (tenant, user, by, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut owner = owner(&of, *user).await?;
                by.require_above_user(tx, *tenant, *user, change.now).await?;
                if owner.has_second_factor {
                    forget(&of, &mut owner).await?;
                    change.settle(tx, owner).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Takes every factor from a user as [`owner`] gave them; whoever calls this writes the user.
pub(super) async fn forget(tx: &TenantTx<'_>, user: &mut User) -> Result<(), StorageError> {
    storage::totp::delete(tx, user.id).await?;
    for passkey in storage::passkeys::list(tx, user.id).await? {
        storage::passkeys::delete(tx, user.id, &passkey.credential_id).await?;
    }
    storage::recovery_codes::delete_all(tx, user.id).await?;
    user.has_second_factor = false;
    Ok(())
}

/// Records that a code of a second factor did not count, and why.
async fn refused(ctx: &Ctx<'_>, user: UserId, cause: &'static str) -> Result<(), DomainError> {
    ctx.core.metrics.login_failed();
    let target = Some(format!("user:{user}"));
    let entry = ctx.audit("user.second_factor", target, Outcome::Failure, Some(cause.to_owned()));
    super::audit::append(ctx.core, entry).await
}
