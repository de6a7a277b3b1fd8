//! Links in mails: a secret that does one thing for one user, once, while they are still who it was
//! mailed to.

use std::time::Duration;

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use crate::crypto::digest::Digest;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::mail::{LinkPurpose, MailLink};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{TenantTx, mail_links, users};

const NO_LINK: DomainError = DomainError::NotFound(Noun::Link);

/// How long a link counts.
pub(super) fn life(core: &Core, purpose: LinkPurpose) -> Duration {
    match purpose {
        LinkPurpose::VerifyEmail => core.config.tokens.verify_email_link,
        LinkPurpose::ResetPassword => core.config.tokens.reset_password_link,
    }
}

/// Makes a link for a user who has an address; the secret is shown this one time.
pub(super) async fn issue(
    core: &Core,
    user: &User,
    purpose: LinkPurpose,
    life: Duration,
) -> Result<Secret<String>, DomainError> {
    let token = opaque::generate(TokenKind::MailLink, &*core.entropy);
    let now = core.clock.now();
    let link = MailLink {
        purpose,
        user: user.id,
        address: user.email.clone().ok_or(DomainError::NotFound(Noun::Identifier))?,
        epoch: user.token_epoch,
        expires_at: now + life,
    };
    let input = (user.tenant, opaque::digest_of_secret(token.expose()), link, now);
    let written = core.db.write(input, |tx, (tenant, digest, link, now)| {
        Box::pin(async move {
            Ok::<_, DomainError>(mail_links::insert(&tx.of(*tenant), digest.as_bytes(), link, *now).await?)
        })
    });
    written.await?;
    Ok(token)
}

/// The digest of what has the form of a link's secret.
pub(super) fn digest(token: &str) -> Result<Digest, DomainError> {
    opaque::recognise(TokenKind::MailLink, token).ok_or(NO_LINK)
}

/// Whose link it is, if it would count now. Changes nothing: it is for showing a page.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count, or the database is unavailable.
pub async fn peek(ctx: &Ctx<'_>, purpose: LinkPurpose, token: &str) -> Result<User, DomainError> {
    let digest = digest(token)?;
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    let link = mail_links::find(&rows, purpose, digest.as_bytes(), ctx.now()).await?.ok_or(NO_LINK)?;
    users::find(&rows, link.user).await?.ok_or(NO_LINK)
}

/// Uses up a link in the transaction that does what it is for, and gives its user, whom nobody else
/// changes until that ends.
pub(super) async fn consume(
    tx: &TenantTx<'_>,
    purpose: LinkPurpose,
    digest: &Digest,
    now: Timestamp,
) -> Result<User, DomainError> {
    let link = mail_links::use_once(tx, purpose, digest.as_bytes(), now).await?.ok_or(NO_LINK)?;
    // Two links of one user may be used at the same moment: the second one waits here and finds
    // the epoch raised by the first.
    let user = users::find_for_update(tx, link.user).await?;
    let same = |user: &User| user.enabled && user.token_epoch == link.epoch && user.email == Some(link.address);
    user.filter(same).ok_or(NO_LINK)
}
