//! People who make an account of their own. Whether an address has one already is told to nobody
//! but its owner, by mail.

use std::sync::Arc;

use super::ctx::Ctx;
use super::error::DomainError;
use super::mail::{self, Notice};
use super::password_policy::{self, Owner};
use super::{authn, invitations, users};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::ids::UserId;
use crate::model::mail::{Mail, MailKind};
use crate::model::text::{DisplayName, Email};
use crate::model::user::User;
use crate::storage;

/// Whether people may make an account of their own here: as the tenant says, else as the
/// installation does.
#[must_use]
pub fn is_open(ctx: &Ctx<'_>) -> bool {
    let installation = ctx.core.config.registration.self_registration;
    ctx.tenant.tenant.settings.self_registration.unwrap_or(installation)
}

/// Makes an account that counts once its address is proved, and mails the link that does so. An
/// address that has an account is mailed a notice instead: the answer and the work are the same, and so
/// the id that is answered is then nobody's.
///
/// # Errors
/// [`DomainError::Forbidden`] where nobody may; [`DomainError::Invalid`] names the field;
/// [`DomainError::Busy`]; or the database is unavailable.
pub async fn register(ctx: &Ctx<'_>, email: &str, name: Option<&str>, password: &str) -> Result<UserId, DomainError> {
    if !is_open(ctx) {
        return Err(DomainError::Forbidden("self-registration"));
    }
    let (email, draft) = account(ctx, email, name, password, false).await?;
    let id = draft.user.id;
    let wish = Arc::new(Wish {
        address: email.canonical(),
        link: mail::to_name(ctx, MailKind::VerifyEmail, email.as_str()),
        notice: Notice::new(ctx, MailKind::AddressTaken),
        entry: ctx.audit("user.register", Some(format!("user:{id}")), Outcome::Success, None),
        draft,
    });
    match make_or_tell(ctx, &wish).await {
        // Somebody made it at the same moment.
        Err(DomainError::Taken(_)) => make_or_tell(ctx, &wish).await?,
        other => other?,
    }
    Ok(id)
}

/// Somebody wants an account.
struct Wish {
    draft: users::Draft,
    /// Its address, in canonical form.
    address: String,
    /// To whoever wants it.
    link: Mail,
    /// To whoever has it.
    notice: Notice,
    /// What the audit log says if it is made.
    entry: AuditEntry,
}

/// Makes the account, or tells the owner of its address that somebody wanted to: one transaction either way,
/// so that neither takes longer.
async fn make_or_tell(ctx: &Ctx<'_>, wish: &Arc<Wish>) -> Result<(), DomainError> {
    ctx.core
        .db
        .write(Arc::clone(wish), |tx, wish| {
            Box::pin(async move {
                let of = tx.of(wish.draft.user.tenant);
                let Some(owner) = storage::users::find_by_identifier(&of, &wish.address).await? else {
                    wish.draft.insert(&of).await?;
                    mail::queue(&of, &wish.link).await?;
                    return Ok(storage::audit::append(tx, &wish.entry).await?);
                };
                wish.notice.queue(&of, &owner).await?;
                let refused = AuditEntry {
                    target: Some(format!("user:{}", owner.id)),
                    outcome: Outcome::Failure,
                    detail: Some("the address has an account".to_owned()),
                    ..wish.entry.clone()
                };
                Ok::<_, DomainError>(storage::audit::append(tx, &refused).await?)
            })
        })
        .await
}

/// Makes an account for whoever follows an invitation, which has proved the address. It is not used up:
/// they have not joined yet. Whoever asked them vouches for them, so this is open where the rest is closed.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count; [`DomainError::Taken`]; as [`register`].
pub async fn register_invited(ctx: &Ctx<'_>, token: &str, name: &str, password: &str) -> Result<(), DomainError> {
    let invited = invitations::look(ctx, token).await?;
    let (_, draft) = account(ctx, &invited.invitation.email, Some(name), password, true).await?;
    let detail = Some(format!("invitation:{}", invited.invitation.id));
    let entry = ctx.audit("user.register", Some(format!("user:{}", draft.user.id)), Outcome::Success, detail);
    ctx.core
        .db
        .write((draft, entry), |tx, (draft, entry)| {
            Box::pin(async move {
                draft.insert(&tx.of(draft.user.tenant)).await?;
                Ok::<_, DomainError>(storage::audit::append(tx, entry).await?)
            })
        })
        .await
}

/// An account as it will be, its address proved or to be proved.
async fn account(
    ctx: &Ctx<'_>,
    email: &str,
    name: Option<&str>,
    password: &str,
    proved: bool,
) -> Result<(Email, users::Draft), DomainError> {
    let email: Email = email.parse().map_err(users::invalid("email"))?;
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name: Option<DisplayName> = name.map(str::parse).transpose().map_err(users::invalid("name"))?;
    let owner = Owner { email: Some(email.as_str()), username: None, name: name.as_ref().map(DisplayName::as_str) };
    password_policy::check(ctx.core, &ctx.tenant, owner, password).await?;
    let hash = authn::hash_new(ctx, password, 0).await?;
    let now = ctx.now();
    let user = User {
        tenant: ctx.tenant_id(),
        id: UserId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        email: Some(email.as_str().to_owned()),
        email_verified: proved,
        verification_due: !proved,
        username: None,
        name: name.map(|name| name.as_str().to_owned()),
        password_hash: Some(hash),
        profile: serde_json::json!({}),
        enabled: true,
        external_sub: None,
        has_second_factor: false,
        token_epoch: 0,
        created_at: now,
        updated_at: now,
    };
    let draft = users::Draft::prepare(ctx, user, vec![email.canonical()], &[]);
    Ok((email, draft))
}
