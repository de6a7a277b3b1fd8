//! Users: made, found, listed, changed, and what of their state decides about their tokens.

use std::collections::HashMap;
use std::sync::Arc;

use super::access::{self, LastSuperAdmin, Powers};
use super::authn;
use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::logout::{self, Ending};
use super::{account, lockout, roles};
use crate::crypto::password_hash::HashScheme;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::{AssignmentId, TenantId, UserId};
use crate::model::page::{Counted, PageNumber, Window};
use crate::model::text::{DisplayName, Email, InvalidText, Username};
use crate::model::token::RevocationReason;
use crate::model::user::User;
use crate::storage::{StorageError, TenantTx, known_browsers, tokens, unscoped, users};

pub use crate::storage::users::UserFilter;

/// The largest `profile`, in bytes of JSON.
pub const MAX_PROFILE: usize = 16 * 1024;

/// What of a user's row decides whether their tokens count.
#[derive(Clone, Copy, Debug)]
pub struct UserState {
    /// Whether the account counts at all.
    pub enabled: bool,
    /// Which epoch their tokens must be of.
    pub token_epoch: i32,
}

/// The password of a user who is made.
pub enum NewPassword<'a> {
    /// In the clear, at least this many characters.
    Plain(&'a str, usize),
    /// A hash from another system (see `crypto/password_hash.rs`), hashed anew at the next sign-in.
    Imported(&'a str),
    /// None: they sign in in another way, or set one by a link.
    None,
}

/// A user who is to be made.
pub struct NewUser<'a> {
    /// Their address.
    pub email: Option<&'a str>,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// Their username.
    pub username: Option<&'a str>,
    /// Their name, for people to read.
    pub name: Option<&'a str>,
    /// How they will prove who they are.
    pub password: NewPassword<'a>,
    /// Any JSON object.
    pub profile: serde_json::Value,
    /// Codes of the roles that they start with.
    pub roles: &'a [String],
}

pub(super) fn invalid(field: &'static str) -> impl Fn(InvalidText) -> DomainError {
    move |why| Invalid::new(field, why.to_string()).into()
}

/// Makes a user.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`]; [`DomainError::NotFound`] for
/// a role; [`DomainError::Busy`]; or the database is unavailable.
pub async fn create(ctx: &Ctx<'_>, new: NewUser<'_>) -> Result<User, DomainError> {
    create_by(ctx, Powers::operator(), new).await
}

/// The same by somebody who can't make a user who may do more than they.
pub(super) async fn create_by(ctx: &Ctx<'_>, by: Powers, new: NewUser<'_>) -> Result<User, DomainError> {
    let email: Option<Email> = new.email.map(str::parse).transpose().map_err(invalid("email"))?;
    let username: Option<Username> = new.username.map(str::parse).transpose().map_err(invalid("username"))?;
    let name: Option<DisplayName> = new.name.map(str::parse).transpose().map_err(invalid("name"))?;
    check_profile(&new.profile)?;
    let mut identifiers: Vec<String> = Vec::new();
    identifiers.extend(email.as_ref().map(Email::canonical));
    identifiers.extend(username.as_ref().map(Username::canonical));
    if identifiers.is_empty() {
        return Err(Invalid::new("email", "is required").into());
    }
    let password_hash = match new.password {
        NewPassword::Plain(password, min) => Some(authn::hash_new(ctx, password, min).await?),
        NewPassword::Imported(hash) => {
            HashScheme::recognise(hash).map_err(|why| Invalid::new("password_hash", why.to_string()))?;
            Some(hash.to_owned())
        }
        NewPassword::None => None,
    };
    let now = ctx.now();
    let user = User {
        tenant: ctx.tenant_id(),
        id: UserId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        email: email.map(|email| email.as_str().to_owned()),
        email_verified: new.email_verified,
        username: username.map(|name| name.as_str().to_owned()),
        name: name.map(|name| name.as_str().to_owned()),
        password_hash,
        profile: new.profile,
        enabled: true,
        external_sub: None,
        has_second_factor: false,
        verification_due: false,
        token_epoch: 0,
        created_at: now,
        updated_at: now,
    };
    let draft = Draft::prepare(ctx, user, identifiers, new.roles);
    let entry = ctx.audit("user.create", Some(format!("user:{}", draft.user.id)), Outcome::Success, None);
    ctx.core
        .db
        .write((draft, by, entry), |tx, (draft, by, entry)| {
            Box::pin(async move {
                let user = &draft.user;
                draft.insert(&tx.of(user.tenant)).await?;
                by.require_above_user(tx, user.tenant, user.id, user.created_at).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(draft.user.clone())
            })
        })
        .await
}

pub(super) fn check_profile(profile: &serde_json::Value) -> Result<(), Invalid> {
    if !profile.is_object() {
        return Err(Invalid::new("profile", "must be an object"));
    }
    if profile.to_string().len() > MAX_PROFILE {
        return Err(Invalid::new("profile", format!("must be at most {MAX_PROFILE} bytes of JSON")));
    }
    Ok(())
}

/// A user with names and roles, ready to be written in one transaction.
pub(super) struct Draft {
    pub(super) user: User,
    identifiers: Vec<String>,
    roles: Vec<(AssignmentId, String)>,
    granted_by: String,
}

impl Draft {
    pub(super) fn prepare(ctx: &Ctx<'_>, user: User, identifiers: Vec<String>, roles: &[String]) -> Self {
        let id = |code: &String| (AssignmentId::from_uuid(ctx.core.entropy.uuid_v7(user.created_at)), code.clone());
        Self { roles: roles.iter().map(id).collect(), granted_by: ctx.actor.describe(), user, identifiers }
    }

    pub(super) async fn insert(&self, tx: &TenantTx<'_>) -> Result<(), DomainError> {
        users::insert(tx, &self.user).await?;
        for canonical in &self.identifiers {
            users::insert_identifier(tx, canonical, self.user.id).await.map_err(|error| match error {
                StorageError::Duplicate(_) => DomainError::Taken(Noun::Identifier),
                other => other.into(),
            })?;
        }
        for (id, code) in &self.roles {
            roles::assign_in(tx, *id, self.user.id, code, &self.granted_by, self.user.created_at).await?;
        }
        Ok(())
    }
}

/// The user of this id.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: UserId) -> Result<User, DomainError> {
    let found = users::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    found.ok_or(DomainError::NotFound(Noun::User))
}

/// The user who has this address or username.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_by_identifier(ctx: &Ctx<'_>, identifier: &str) -> Result<User, DomainError> {
    let canonical = crate::model::text::canonical_identifier(identifier);
    let found = users::find_by_identifier(&ctx.core.db.read().of(ctx.tenant_id()), &canonical).await?;
    found.ok_or(DomainError::NotFound(Noun::User))
}

/// At most `limit` users after `after`, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>, after: Option<UserId>, limit: u64) -> Result<Vec<User>, DomainError> {
    Ok(users::list_after(&ctx.core.db.read().of(ctx.tenant_id()), after, limit).await?)
}

/// A page of users: of one tenant, or of all for the control plane.
///
/// # Errors
/// The database is unavailable.
pub async fn page(
    core: &Core,
    tenant: Option<TenantId>,
    filter: &UserFilter,
    page: PageNumber,
) -> Result<Counted<User>, DomainError> {
    let rows = core.db.read();
    Ok(match tenant {
        Some(tenant) => users::page(&rows.of(tenant), filter, page).await?,
        None => unscoped::users(rows, filter, page).await?,
    })
}

/// Part of the users whose address, username or name holds a text, in the order in which they were made; and
/// how many there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn search(ctx: &Ctx<'_>, keyword: Option<&str>, window: Window) -> Result<Counted<User>, DomainError> {
    let search = keyword.map(str::to_owned);
    let filter = UserFilter { search, role: None, none_of: &[], is_active: None, organization: None, now: ctx.now() };
    Ok(users::window(&ctx.core.db.read().of(ctx.tenant_id()), &filter, window).await?)
}

/// The user of this id, whosever tenant: for the control plane.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_anywhere(core: &Core, id: UserId) -> Result<User, DomainError> {
    unscoped::find_user(core.db.read(), id).await?.ok_or(DomainError::NotFound(Noun::User))
}

/// What decides about a user's tokens at this moment.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn state(core: &Core, tenant: TenantId, id: UserId) -> Result<Arc<UserState>, DomainError> {
    core.users
        .get((tenant, id), async |(tenant, id)| {
            let user = users::find(&core.db.read().of(*tenant), *id).await?.ok_or(DomainError::NotFound(Noun::User))?;
            Ok::<_, DomainError>(Arc::new(UserState { enabled: user.enabled, token_epoch: user.token_epoch }))
        })
        .await
}

/// Sets a password; everything issued so far ends.
///
/// # Errors
/// As [`create`].
pub async fn set_password(ctx: &Ctx<'_>, id: UserId, password: &str, min: usize) -> Result<(), DomainError> {
    set_password_by(ctx, Powers::operator(), id, password, min).await
}

/// The same by somebody who may do as much as the user.
pub(super) async fn set_password_by(
    ctx: &Ctx<'_>,
    by: Powers,
    id: UserId,
    password: &str,
    min: usize,
) -> Result<(), DomainError> {
    find(ctx, id).await?;
    let hash = authn::hash_new(ctx, password, min).await?;
    change(ctx, by, id, "user.set_password", move |user| {
        user.password_hash = Some(hash.clone());
        user.token_epoch += 1;
    })
    .await?;
    lockout::unlock(ctx, &id.to_string()).await
}

/// Lets a user in, or no longer; then everything issued so far ends.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for the last super administrator; or the
/// database is unavailable.
pub async fn set_enabled(ctx: &Ctx<'_>, id: UserId, enabled: bool) -> Result<(), DomainError> {
    let action = if enabled { "user.enable" } else { "user.disable" };
    change(ctx, Powers::operator(), id, action, move |user| enable(user, enabled)).await?;
    Ok(())
}

/// Lets a user in, or no longer.
pub(super) fn enable(user: &mut User, enabled: bool) {
    user.token_epoch += i32::from(user.enabled && !enabled);
    user.enabled = enabled;
}

/// Opens an account that too many wrong passwords have locked.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn unlock(ctx: &Ctx<'_>, id: UserId) -> Result<(), DomainError> {
    find(ctx, id).await?;
    lockout::unlock(ctx, &id.to_string()).await?;
    let entry = ctx.audit("user.unlock", Some(format!("user:{id}")), Outcome::Success, None);
    super::audit::append(ctx.core, entry).await
}

/// Changes a row and the names that go with it, ends what a raised epoch ends, and tells every copy.
pub(super) async fn change(
    ctx: &Ctx<'_>,
    by: Powers,
    id: UserId,
    action: &'static str,
    mend: impl Fn(&mut User) + Send + Sync + 'static,
) -> Result<User, DomainError> {
    let entry = ctx.audit(action, Some(format!("user:{id}")), Outcome::Success, None);
    let ending = Ending::new(ctx.core, RevocationReason::UserChanged);
    let input = (ctx.tenant_id(), id, ctx.now(), by, mend, ending, entry);
    let user = ctx
        .core
        .db
        .write(input, |tx, (tenant, id, now, by, mend, ending, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let before = users::find_for_update(&of, *id).await?.ok_or(DomainError::NotFound(Noun::User))?;
                by.require_above_user(tx, *tenant, *id, *now).await?;
                let mut user = before.clone();
                mend(&mut user);
                user.updated_at = *now;
                write(&of, &before, &user, ending).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(user)
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(user)
}

/// Writes a user's row as it is to be in place of what [`users::find_for_update`] gave, in a transaction
/// that is open already. Whoever calls this rings `core.logouts` after the commit.
pub(super) async fn write(tx: &TenantTx<'_>, before: &User, user: &User, ending: &Ending) -> Result<(), DomainError> {
    if user.email != before.email || user.username != before.username {
        account::rename(tx, user).await?;
    }
    let guard = if before.enabled && !user.enabled { Some(LastSuperAdmin::before(tx).await?) } else { None };
    users::update(tx, user).await?;
    if let Some(guard) = guard {
        guard.after(tx).await?;
    }
    if user.token_epoch != before.token_epoch {
        tokens::revoke_families_of_user(tx, user.id, user.updated_at, RevocationReason::UserChanged).await?;
        known_browsers::distrust_all(tx, user.id).await?;
        logout::end_all_of_user(tx, user.id, None, ending).await?;
    }
    Ok(tx.changed(ChangeKind::User, &user.id.to_string()).await?)
}

/// The highest of the three roles that stand in an order, for each user who holds one of them.
///
/// # Errors
/// The database is unavailable.
pub async fn highest_roles(core: &Core, ids: &[UserId]) -> Result<HashMap<UserId, &'static str>, DomainError> {
    let held = roles::codes_of_users(core, ids).await?;
    let highest = |codes: Vec<String>| RANKED.into_iter().find(|ranked| codes.iter().any(|code| code == ranked));
    Ok(held.into_iter().filter_map(|(user, codes)| Some((user, highest(codes)?))).collect())
}

/// The same for one user, a second old at most; `user` for who holds none.
///
/// # Errors
/// The database is unavailable.
pub async fn highest_role(core: &Core, user: &User) -> Result<&'static str, DomainError> {
    let held = access::held(core, user.tenant, user.id).await?;
    let codes = held.codes(core.clock.now());
    Ok(RANKED.into_iter().find(|ranked| codes.contains(ranked)).unwrap_or(PLAIN_ROLE))
}

/// What somebody is shown as who holds none of them.
pub const PLAIN_ROLE: &str = "user";

/// The codes of the roles that stand in an order, highest first.
static RANKED: [&str; 3] = [crate::model::role::SUPER_ADMIN, "admin", PLAIN_ROLE];

/// What somebody holds who is shown as this role, and what they don't: the higher ones, of those that stand in
/// an order. Any other role is shown of nobody; then it is who holds it.
#[must_use]
pub fn shown_as(role: &str) -> (Option<String>, &'static [&'static str]) {
    let place = RANKED.iter().position(|ranked| *ranked == role);
    let higher = place.and_then(|place| RANKED.get(..place)).unwrap_or_default();
    ((role != PLAIN_ROLE).then(|| role.to_owned()), higher)
}
