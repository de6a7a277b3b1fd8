//! Proving that an address is one's own: by a link that was mailed to it.

use super::ctx::Ctx;
use super::error::DomainError;
use super::{mail, mail_links};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::mail::{LinkPurpose, MailKind};
use crate::model::user::User;
use crate::storage::users;

/// Uses up a link: its address is proved. Nobody is signed in by it.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count, or the database is unavailable.
pub async fn verify_email(ctx: &Ctx<'_>, token: &str) -> Result<User, DomainError> {
    let digest = mail_links::digest(token)?;
    let entry = ctx.audit("user.verify_email", None, Outcome::Success, None);
    let input = (ctx.tenant_id(), digest, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, digest, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut user = mail_links::consume(&of, LinkPurpose::VerifyEmail, digest, *now).await?;
                user.email_verified = true;
                user.verification_due = false;
                user.updated_at = *now;
                users::update(&of, &user).await?;
                of.changed(ChangeKind::User, &user.id.to_string()).await?;
                let mut entry = entry.clone();
                entry.target = Some(format!("user:{}", user.id));
                crate::storage::audit::append(tx, &entry).await?;
                Ok::<_, DomainError>(user)
            })
        })
        .await
}

/// Mails a fresh link to whoever has this name, if they have not proved their address yet. The answer
/// and the work are the same whether anybody does.
///
/// # Errors
/// The database is unavailable.
pub async fn resend(ctx: &Ctx<'_>, identifier: &str) -> Result<(), DomainError> {
    mail::ask(ctx, MailKind::VerifyEmail, identifier, "user.ask_verification").await
}
