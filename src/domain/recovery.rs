//! A forgotten password: a link by mail sets a new one.

use super::ctx::Ctx;
use super::error::DomainError;
use super::logout::Ending;
use super::{authn, factors, mail, mail_links, password_policy, passwords};
use crate::model::audit::Outcome;
use crate::model::mail::{LinkPurpose, MailKind};
use crate::model::token::RevocationReason;
use crate::model::user::User;
use crate::storage::identities;

/// Mails a link to whoever has this name. The answer and the work are the same whether anybody does.
///
/// # Errors
/// The database is unavailable.
pub async fn request(ctx: &Ctx<'_>, identifier: &str) -> Result<(), DomainError> {
    mail::ask(ctx, MailKind::ResetPassword, identifier, "user.ask_reset").await
}

/// Uses up a link and sets a new password, in one transaction that ends everything issued so far.
/// Nobody is signed in by it, and second factors and linked sign-ins stay, but those of an account whose
/// address was never proved before.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count; [`DomainError::Invalid`] about the
/// password, and the link still counts; [`DomainError::Busy`]; or the database is unavailable.
pub async fn reset(ctx: &Ctx<'_>, token: &str, password: &str) -> Result<User, DomainError> {
    let digest = mail_links::digest(token)?;
    let user = mail_links::peek(ctx, LinkPurpose::ResetPassword, token).await?;
    password_policy::check(ctx.core, &ctx.tenant, (&user).into(), password).await?;
    let hash = authn::hash_new(ctx, password, 0).await?;
    let change = passwords::Change {
        hash,
        notice: mail::Notice::new(ctx, MailKind::PasswordChanged),
        entry: ctx.audit("user.reset_password", Some(format!("user:{}", user.id)), Outcome::Success, None),
        keep: None,
        ending: Ending::new(ctx.core, RevocationReason::UserChanged),
        now: ctx.now(),
    };
    let written = ctx.core.db.write((user.tenant, digest, change), |tx, (tenant, digest, change)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            let mut user = mail_links::consume(&of, LinkPurpose::ResetPassword, digest, change.now).await?;
            // Only who reads the address's mail has the link. Until somebody has shown that, whoever
            // made the account may have been anybody, and its other ways in may be theirs.
            if user.verification_due {
                factors::forget(&of, &mut user).await?;
                identities::delete_all(&of, user.id).await?;
            }
            user.email_verified = true;
            user.verification_due = false;
            change.write(tx, user).await
        })
    });
    let user = written.await?;
    ctx.core.logouts.notify_one();
    super::lockout::unlock_password(ctx, &user.id.to_string()).await?;
    Ok(user)
}
