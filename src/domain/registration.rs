//! People who make an account of their own. Whether an address has one already is told to nobody
//! but its owner, by mail.

use super::ctx::Ctx;
use super::error::DomainError;
use super::password_policy::{self, Owner};
use super::{authn, invitations, mail, users};
use crate::model::audit::Outcome;
use crate::model::ids::UserId;
use crate::model::mail::MailKind;
use crate::model::text::{DisplayName, Email};
use crate::model::user::User;

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
    let (id, link) = (draft.user.id, mail::to_name(ctx, MailKind::VerifyEmail, email.as_str()));
    let entry = ctx.audit("user.register", Some(format!("user:{id}")), Outcome::Success, None);
    let made = ctx.core.db.write((draft, link, entry), |tx, (draft, link, entry)| {
        Box::pin(async move {
            let of = tx.of(draft.user.tenant);
            draft.insert(&of).await?;
            mail::queue(&of, link).await?;
            crate::storage::audit::append(tx, entry).await?;
            Ok::<_, DomainError>(())
        })
    });
    match made.await {
        Err(DomainError::Taken(_)) => tell_owner(ctx, &email).await.map(|()| id),
        other => other.map(|()| id),
    }
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
                Ok::<_, DomainError>(crate::storage::audit::append(tx, entry).await?)
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

async fn tell_owner(ctx: &Ctx<'_>, email: &Email) -> Result<(), DomainError> {
    let owner = match users::find_by_identifier(ctx, email.as_str()).await {
        Err(DomainError::NotFound(_)) => return Ok(()),
        other => other?,
    };
    let detail = Some("the address has an account".to_owned());
    let entry = ctx.audit("user.register", Some(format!("user:{}", owner.id)), Outcome::Failure, detail);
    let input = (mail::Notice::new(ctx, MailKind::AddressTaken), owner, entry);
    let told = ctx.core.db.write(input, |tx, (notice, owner, entry)| {
        Box::pin(async move {
            notice.queue(&tx.of(owner.tenant), owner).await?;
            crate::storage::audit::append(tx, entry).await?;
            Ok::<_, DomainError>(())
        })
    });
    told.await
}
