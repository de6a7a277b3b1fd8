//! Users, in the hands of administrators.

use crate::domain::access::Powers;
use crate::domain::users::{self, NewUser, invalid};
use crate::domain::{Ctx, DomainError, Noun, account, factors, logout, recovery, sessions, verification};
use crate::model::ids::{SessionId, UserId};
use crate::model::mail::LinkPurpose;
use crate::model::session::Session;
use crate::model::text::{DisplayName, Email, Username};
use crate::model::user::User;

pub use crate::domain::factors::Factors;
pub use crate::domain::lockout::locked;
pub use crate::domain::users::UserFilter;

/// What of a user may be changed; `None` leaves it. Where a value may be absent, the inner `None` takes
/// it away.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Their address; a new one is not proved.
    pub email: Option<Option<String>>,
    /// Whether the address was proved.
    pub email_verified: Option<bool>,
    /// What they sign in with beside the address.
    pub username: Option<Option<String>>,
    /// Their name, for people to read.
    pub name: Option<Option<String>>,
    /// Any JSON object.
    pub profile: Option<serde_json::Value>,
    /// Whether they may sign in; switching it off ends what they hold.
    pub enabled: Option<bool>,
}

/// Makes a user, who may do no more than whoever makes them.
///
/// # Errors
/// As [`users::create`]; [`DomainError::NotAllowed`] for a role that permits too much.
pub async fn create(ctx: &Ctx<'_>, by: &Powers, new: NewUser<'_>) -> Result<User, DomainError> {
    users::create_by(ctx, by.clone(), new).await
}

/// At most `limit` users after `after`, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(
    ctx: &Ctx<'_>,
    filter: &UserFilter,
    after: Option<UserId>,
    limit: u64,
) -> Result<Vec<User>, DomainError> {
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    Ok(crate::storage::users::filtered_after(&rows, filter, after, limit).await?)
}

/// Changes a user.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`]; [`DomainError::NotFound`];
/// [`DomainError::NotAllowed`] for who may do more, and for the last super administrator; or the
/// database is unavailable.
pub async fn update(ctx: &Ctx<'_>, by: &Powers, id: UserId, change: UserChange) -> Result<User, DomainError> {
    let email: Option<Option<Email>> = parsed(change.email, "email")?;
    let username: Option<Option<Username>> = parsed(change.username, "username")?;
    let name: Option<Option<DisplayName>> = parsed(change.name, "name")?;
    change.profile.as_ref().map(users::check_profile).transpose()?;
    let email = email.map(|email| email.map(|email| email.as_str().to_owned()));
    let username = username.map(|name| name.map(|name| name.as_str().to_owned()));
    let name = name.map(|name| name.map(|name| name.as_str().to_owned()));
    let UserChange { email_verified, profile, enabled, .. } = change;
    users::change(ctx, by.clone(), id, "user.update", move |user| {
        if let Some(email) = &email
            && *email != user.email
        {
            user.email.clone_from(email);
            user.email_verified = false;
        }
        if let Some(verified) = email_verified {
            user.email_verified = verified && user.email.is_some();
            user.verification_due &= !verified;
        }
        if let Some(username) = &username {
            user.username.clone_from(username);
        }
        if let Some(name) = &name {
            user.name.clone_from(name);
        }
        if let Some(profile) = &profile {
            user.profile.clone_from(profile);
        }
        if let Some(enabled) = enabled {
            users::enable(user, enabled);
        }
    })
    .await
}

fn parsed<T: std::str::FromStr<Err = crate::model::text::InvalidText>>(
    wish: Option<Option<String>>,
    field: &'static str,
) -> Result<Option<Option<T>>, DomainError> {
    wish.map(|text| text.map(|text| text.parse()).transpose()).transpose().map_err(invalid(field))
}

/// Sets a password; everything issued so far ends.
///
/// # Errors
/// As [`update`]; [`DomainError::Busy`].
pub async fn set_password(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: UserId,
    password: &str,
    min: usize,
) -> Result<(), DomainError> {
    users::set_password_by(ctx, by.clone(), id, password, min).await
}

/// Deletes an account and all that is its own.
///
/// # Errors
/// As [`update`].
pub async fn delete(ctx: &Ctx<'_>, by: &Powers, id: UserId) -> Result<(), DomainError> {
    account::delete_by(ctx, by.clone(), id).await
}

/// Opens an account that too many wrong passwords have locked.
///
/// # Errors
/// As [`update`].
pub async fn unlock(ctx: &Ctx<'_>, by: &Powers, id: UserId) -> Result<(), DomainError> {
    reach(ctx, by, id).await?;
    users::unlock(ctx, id).await
}

/// Mails a user a link, which proves their address or sets a new password.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Conflict`] for who has no address, or has proved it; or the
/// database is unavailable.
pub async fn mail_link(ctx: &Ctx<'_>, id: UserId, purpose: LinkPurpose) -> Result<(), DomainError> {
    let user = users::find(ctx, id).await?;
    let email = user.email.ok_or(DomainError::Conflict("the user has no address"))?;
    match purpose {
        LinkPurpose::VerifyEmail if user.email_verified => Err(DomainError::Conflict("the address is proved already")),
        LinkPurpose::VerifyEmail => verification::resend(ctx, &email).await,
        LinkPurpose::ResetPassword => recovery::request(ctx, &email).await,
    }
}

/// What a user can prove a sign-in with beside the password.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn factors(ctx: &Ctx<'_>, id: UserId) -> Result<Factors, DomainError> {
    users::find(ctx, id).await?;
    factors::of(ctx, id).await
}

/// Takes every second factor from a user.
///
/// # Errors
/// As [`update`].
pub async fn remove_factors(ctx: &Ctx<'_>, by: &Powers, id: UserId) -> Result<(), DomainError> {
    factors::remove_all_by(ctx, by.clone(), id).await
}

/// Ends all sessions of a user.
///
/// # Errors
/// As [`update`].
pub async fn end_sessions(ctx: &Ctx<'_>, by: &Powers, id: UserId) -> Result<(), DomainError> {
    reach(ctx, by, id).await?;
    logout::sign_out_everywhere(ctx, id, None).await
}

/// The open sessions of a user.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn sessions(ctx: &Ctx<'_>, id: UserId) -> Result<Vec<Session>, DomainError> {
    users::find(ctx, id).await?;
    sessions::of_user(ctx, id).await
}

/// Ends one session.
///
/// # Errors
/// As [`update`].
pub async fn end_session(ctx: &Ctx<'_>, by: &Powers, id: SessionId) -> Result<(), DomainError> {
    let found = crate::storage::sessions::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    let open = found.filter(|session| session.ended_at.is_none());
    let session = open.ok_or(DomainError::NotFound(Noun::Session))?;
    reach(ctx, by, session.user).await?;
    logout::sign_out(ctx, &session).await
}

/// Whether a user is there, and may do no more than whoever asks.
async fn reach(ctx: &Ctx<'_>, by: &Powers, id: UserId) -> Result<(), DomainError> {
    users::find(ctx, id).await?;
    ctx.core
        .db
        .write((ctx.tenant_id(), id, by.clone(), ctx.now()), |tx, (tenant, id, by, now)| {
            Box::pin(async move { by.require_above_user(tx, *tenant, *id, *now).await })
        })
        .await
}
