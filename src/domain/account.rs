//! What people do with their own account: say who they are, and leave.

use super::access::{LastSuperAdmin, Powers};
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::logout::{self, Ending};
use super::mail::Notice;
use super::memberships;
use super::users::invalid;
use crate::model::audit::{Actor, Outcome};
use crate::model::change::ChangeKind;
use crate::model::ids::UserId;
use crate::model::mail::MailKind;
use crate::model::profile;
use crate::model::text::{DisplayName, Email, Username};
use crate::model::token::RevocationReason;
use crate::storage::{self, StorageError, users};

/// What somebody says of themselves.
#[derive(Clone, Debug, Default)]
pub struct Said<'a> {
    /// Their name; empty for none.
    pub name: &'a str,
    /// What they sign in with beside the address; empty for none.
    pub username: &'a str,
    /// Claims and members of an address by name (`model/profile.rs`), each of which fits.
    pub claims: Vec<(&'static str, String)>,
}

/// Writes down what somebody says of themselves.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for another one's username;
/// [`DomainError::NotFound`]; or the database is unavailable.
pub async fn describe(ctx: &Ctx<'_>, user: UserId, said: Said<'_>) -> Result<(), DomainError> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    let name: Option<DisplayName> = given(said.name).map(|name| name.parse()).transpose().map_err(invalid("name"))?;
    let username: Option<Username> =
        given(said.username).map(|name| name.parse()).transpose().map_err(invalid("username"))?;
    if let Some((field, _)) = said.claims.iter().find(|(name, value)| !profile::fits(name, value)) {
        return Err(super::Invalid::new(field, "is not written as it must be").into());
    }
    let entry = ctx.audit("user.describe", Some(format!("user:{user}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), user, name, username, said.claims, ctx.now(), entry);
    let written = ctx.core.db.write(input, |tx, (tenant, user, name, username, claims, now, entry)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            let mut user = users::find_for_update(&of, *user).await?.ok_or(DomainError::NotFound(Noun::User))?;
            user.name = name.as_ref().map(|name| name.as_str().to_owned());
            profile::put(&mut user.profile, claims);
            user.updated_at = *now;
            let username = username.as_ref().map(|name| name.as_str().to_owned());
            if username != user.username {
                user.username = username;
                rename(&of, &user).await?;
            }
            users::update(&of, &user).await?;
            of.changed(ChangeKind::User, &user.id.to_string()).await?;
            storage::audit::append(tx, entry).await?;
            Ok::<_, DomainError>(())
        })
    });
    written.await
}

/// Writes anew what a user signs in with, of which there must be something.
pub(super) async fn rename(tx: &storage::TenantTx<'_>, user: &crate::model::user::User) -> Result<(), DomainError> {
    let email: Option<Email> = user.email.as_deref().and_then(|email| email.parse().ok());
    let username: Option<Username> = user.username.as_deref().and_then(|name| name.parse().ok());
    let names: Vec<String> =
        email.as_ref().map(Email::canonical).into_iter().chain(username.as_ref().map(Username::canonical)).collect();
    if names.is_empty() {
        return Err(super::Invalid::new("username", "is required").into());
    }
    users::delete_identifiers(tx, user.id).await?;
    for canonical in &names {
        users::insert_identifier(tx, canonical, user.id).await.map_err(|error| match error {
            StorageError::Duplicate(_) => DomainError::Taken(Noun::Identifier),
            other => other.into(),
        })?;
    }
    Ok(())
}

/// Ends an account for good: its sessions, so that clients hear of it, its tokens, and everything that
/// is its own. What the audit log says about it stays.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for the last super administrator;
/// [`DomainError::Conflict`] for the last owner of an organization that has other members; or the database
/// is unavailable.
pub async fn delete(ctx: &Ctx<'_>, user: UserId) -> Result<(), DomainError> {
    delete_by(ctx, Powers::operator(), user).await
}

/// The same by somebody who may do as much as the user.
pub(super) async fn delete_by(ctx: &Ctx<'_>, by: Powers, user: UserId) -> Result<(), DomainError> {
    let entry = ctx.audit("user.delete", Some(format!("user:{user}")), Outcome::Success, None);
    let notice = Notice::new(ctx, MailKind::AccountDeleted);
    let ending = Ending::new(ctx.core, RevocationReason::UserChanged);
    let by_themselves = matches!(ctx.actor, Actor::User(actor) if actor == user);
    let input = (ctx.tenant_id(), user, by_themselves, ctx.now(), by, notice, ending, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, user, by_themselves, now, by, notice, ending, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                // In the order in which every change of members takes its locks.
                memberships::end_all(&of, *user, *by_themselves, *now).await?;
                let user = users::find_for_update(&of, *user).await?.ok_or(DomainError::NotFound(Noun::User))?;
                by.require_above_user(tx, *tenant, user.id, *now).await?;
                let guard = LastSuperAdmin::before(&of).await?;
                logout::end_all_of_user(&of, user.id, None, ending).await?;
                storage::tokens::revoke_families_of_user(&of, user.id, *now, RevocationReason::UserChanged).await?;
                notice.queue(&of, &user).await?;
                users::delete(&of, user.id).await?;
                guard.after(&of).await?;
                of.changed(ChangeKind::User, &user.id.to_string()).await?;
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(())
}
