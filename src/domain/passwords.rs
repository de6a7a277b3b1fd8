//! A new password in the place of the present one: whatever was issued or begun under that ends.

use super::authn::{self, Authenticated};
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::logout::{self, Ending};
use super::mail::Notice;
use super::{lockout, password_policy};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::change::ChangeKind;
use crate::model::ids::{SessionId, UserId};
use crate::model::mail::MailKind;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::model::user::User;
use crate::storage::{Tx, audit, known_browsers, sessions, tokens, users};

/// A new password, ready to be written.
pub(super) struct Change {
    pub(super) hash: String,
    pub(super) notice: Notice,
    pub(super) entry: AuditEntry,
    /// The session that goes on.
    pub(super) keep: Option<SessionId>,
    pub(super) ending: Ending,
    pub(super) now: Timestamp,
}

impl Change {
    /// Writes it to a user's row as [`users::find_for_update`] gave it, and ends what was before.
    pub(super) async fn write(&self, tx: &Tx, mut user: User) -> Result<User, DomainError> {
        let of = tx.of(user.tenant);
        user.password_hash = Some(self.hash.clone());
        user.token_epoch += 1;
        user.updated_at = self.now;
        users::update(&of, &user).await?;
        tokens::revoke_families_of_user(&of, user.id, self.now, RevocationReason::UserChanged).await?;
        logout::end_all_of_user(&of, user.id, self.keep, &self.ending).await?;
        known_browsers::distrust_all(&of, user.id).await?;
        self.notice.queue(&of, &user).await?;
        of.changed(ChangeKind::User, &user.id.to_string()).await?;
        audit::append(tx, &self.entry).await?;
        Ok(user)
    }
}

/// Changes a person's own password; the present one, if there is one, is asked for like at a sign-in
/// and counts like one. All sessions but `keep` end, and everything issued so far.
///
/// # Errors
/// [`DomainError::Invalid`] about `current` or `password`; [`DomainError::NotFound`];
/// [`DomainError::Busy`]; or the database is unavailable.
pub async fn change(
    ctx: &Ctx<'_>,
    user: UserId,
    current: &str,
    new: &str,
    keep: Option<SessionId>,
) -> Result<(), DomainError> {
    let user = super::users::find(ctx, user).await?;
    password_policy::check(ctx.core, &ctx.tenant, (&user).into(), new).await?;
    let proved = if user.password_hash.is_some() { Some(prove(ctx, &user, current, keep).await?) } else { None };
    let change = Change {
        hash: authn::hash_new(ctx, new, 0).await?,
        notice: Notice::new(ctx, MailKind::PasswordChanged),
        entry: ctx.audit("user.change_password", Some(format!("user:{}", user.id)), Outcome::Success, None),
        keep,
        ending: Ending::new(ctx.core, RevocationReason::UserChanged),
        now: ctx.now(),
    };
    let id = user.id;
    let written = ctx.core.db.write((user.tenant, id, proved, change), |tx, (tenant, id, proved, change)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            let user = match proved {
                Some(proved) => proved.settle(&of).await?,
                None => {
                    let user = users::find_for_update(&of, *id).await?;
                    let without = |user: &User| user.enabled && user.password_hash.is_none();
                    user.filter(without).ok_or(DomainError::NotFound(Noun::User))?
                }
            };
            change.write(tx, user).await.map(|_| ())
        })
    });
    written.await?;
    ctx.core.logouts.notify_one();
    lockout::unlock(ctx, &id.to_string()).await
}

/// Checks the present password; in a browser that is known, also while strangers have the account
/// locked.
async fn prove(
    ctx: &Ctx<'_>,
    user: &User,
    current: &str,
    session: Option<SessionId>,
) -> Result<Authenticated, DomainError> {
    let browser = match session {
        Some(id) => sessions::find(&ctx.core.db.read().of(user.tenant), id).await?.and_then(|session| session.browser),
        None => None,
    };
    let name = user.email.as_deref().or(user.username.as_deref()).unwrap_or_default();
    match authn::password(ctx, name, current, browser.as_ref()).await {
        Err(DomainError::NotAuthenticated(_)) => Err(Invalid::new("current", "is not your password").into()),
        other => other,
    }
}
