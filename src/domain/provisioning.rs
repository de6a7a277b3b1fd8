//! Accounts that another system keeps: it knows a person by a `sub` of its own, makes the account when it
//! first speaks of them, and changes it from then on (`handoff.md`, `member.md`).
//!
//! An account made this way has no password until its owner sets one through the reset page.

use super::access;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::logout::Ending;
use super::users::{self, invalid};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::ids::{TenantId, UserId};
use crate::model::text::{DisplayName, Email, Username};
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::model::user::{ExternalSub, User};
use crate::storage::{self, StorageError, TenantRows, TenantTx, Tx};

/// What another system says of a person; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account<'a> {
    /// Its own name for them, or our id.
    pub sub: &'a str,
    /// A name to sign in with.
    pub username: Option<&'a str>,
    /// Their address.
    pub email: Option<&'a str>,
    /// For people to read.
    pub name: Option<&'a str>,
    /// Whether the account counts.
    pub enabled: Option<bool>,
}

/// The user whom others know by this `sub`: one of our ids, or a name that another system gave.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_by_sub(ctx: &Ctx<'_>, sub: &str) -> Result<User, DomainError> {
    let found = of_sub(&ctx.core.db.read().of(ctx.tenant_id()), sub).await?;
    found.ok_or(DomainError::NotFound(Noun::User))
}

/// See [`find_by_sub`].
pub(super) async fn of_sub(rows: &TenantRows<'_>, sub: &str) -> Result<Option<User>, StorageError> {
    match (sub.parse::<UserId>(), sub.parse::<ExternalSub>()) {
        (Ok(id), _) => storage::users::find(rows, id).await,
        (_, Ok(sub)) => storage::users::find_by_external_sub(rows, sub.as_str()).await,
        _ => Ok(None),
    }
}

/// Makes an account or brings it up to date; doing it again changes nothing, and two at once make one. Says
/// whether it was made.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::NotFound`] for an id of ours that there is not;
/// [`DomainError::Taken`] for another one's address or username; [`DomainError::NotAllowed`] for the last super
/// administrator, and for the names of an account that administers the installation; or the database is
/// unavailable.
pub async fn upsert(ctx: &Ctx<'_>, account: Account<'_>) -> Result<(User, bool), DomainError> {
    let draft = Draft::prepare(ctx, account)?;
    let done = ctx
        .core
        .db
        .write(draft, |tx, draft| {
            Box::pin(async move {
                match of_sub(&tx.of(draft.tenant), &draft.sub).await? {
                    Some(user) => Ok::<_, DomainError>((draft.update(tx, user.id).await?, false)),
                    None => Ok((draft.create(tx).await?, true)),
                }
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(done)
}

/// What is said of a person, read and ready to be written.
pub(super) struct Draft {
    pub(super) tenant: TenantId,
    sub: String,
    username: Option<Username>,
    email: Option<Email>,
    name: Option<DisplayName>,
    enabled: Option<bool>,
    /// The id of the account if it is made.
    id: UserId,
    now: Timestamp,
    ending: Ending,
    made: AuditEntry,
    /// Whose target is known once the account is.
    changed: AuditEntry,
}

impl Draft {
    /// Reads what is said.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] names the field.
    pub(super) fn prepare(ctx: &Ctx<'_>, account: Account<'_>) -> Result<Self, DomainError> {
        let now = ctx.now();
        let id = UserId::from_uuid(ctx.core.entropy.uuid_v7(now));
        Ok(Self {
            tenant: ctx.tenant_id(),
            sub: account.sub.to_owned(),
            username: account.username.map(str::parse).transpose().map_err(invalid("username"))?,
            email: account.email.map(str::parse).transpose().map_err(invalid("email"))?,
            name: account.name.map(str::parse).transpose().map_err(invalid("name"))?,
            enabled: account.enabled,
            id,
            now,
            ending: Ending::new(ctx.core, RevocationReason::UserChanged),
            made: ctx.audit(
                "user.create",
                Some(format!("user:{id}")),
                Outcome::Success,
                Some("provisioned".to_owned()),
            ),
            changed: ctx.audit("user.update", None, Outcome::Success, Some("provisioned".to_owned())),
        })
    }

    /// The account, made now if there is none and it `may_be_made`.
    ///
    /// # Errors
    /// As [`upsert`]; [`DomainError::NotFound`] for one that may not be made.
    pub(super) async fn find_or_create(&self, tx: &Tx, may_be_made: bool) -> Result<User, DomainError> {
        match of_sub(&tx.of(self.tenant), &self.sub).await? {
            Some(user) => Ok(user),
            None if may_be_made => self.create(tx).await,
            None => Err(DomainError::NotFound(Noun::User)),
        }
    }

    async fn create(&self, tx: &Tx) -> Result<User, DomainError> {
        if self.sub.parse::<UserId>().is_ok() {
            // Our own ids are not given away.
            return Err(DomainError::NotFound(Noun::User));
        }
        let of = tx.of(self.tenant);
        let sub: ExternalSub = self.sub.parse().map_err(invalid("sub"))?;
        let user = User {
            tenant: self.tenant,
            id: self.id,
            external_sub: Some(sub.as_str().to_owned()),
            email: self.email.as_ref().map(|email| email.as_str().to_owned()),
            email_verified: false,
            verification_due: false,
            username: self.username.as_ref().map(|name| name.as_str().to_owned()),
            name: self.name.as_ref().map(|name| name.as_str().to_owned()),
            password_hash: None,
            profile: serde_json::Value::Object(serde_json::Map::new()),
            enabled: self.enabled.unwrap_or(true),
            has_second_factor: false,
            token_epoch: 0,
            created_at: self.now,
            updated_at: self.now,
        };
        storage::users::insert(&of, &user).await.map_err(|error| match error {
            // Another one made it at this moment: now it is there to be brought up to date.
            StorageError::Duplicate(_) => DomainError::Contended("another request made the account".to_owned()),
            other => other.into(),
        })?;
        self.reserve_names(&of, user.id).await?;
        storage::audit::append(tx, &self.made).await?;
        Ok(user)
    }

    async fn reserve_names(&self, tx: &TenantTx<'_>, user: UserId) -> Result<(), DomainError> {
        let email = self.email.as_ref().map(Email::canonical);
        for canonical in email.into_iter().chain(self.username.as_ref().map(Username::canonical)) {
            storage::users::insert_identifier(tx, &canonical, user).await.map_err(|error| match error {
                StorageError::Duplicate(_) => DomainError::Taken(Noun::Identifier),
                other => other.into(),
            })?;
        }
        Ok(())
    }

    async fn update(&self, tx: &Tx, id: UserId) -> Result<User, DomainError> {
        let of = tx.of(self.tenant);
        let found = storage::users::find_for_update(&of, id).await?;
        let before =
            found.ok_or_else(|| DomainError::Contended("the account was deleted at this moment".to_owned()))?;
        let user = self.applied_to(before.clone());
        let is_renamed = user.email != before.email || user.username != before.username;
        if !is_renamed && user.name == before.name && user.enabled == before.enabled {
            return Ok(before);
        }
        if is_renamed {
            access::require_not_of_system(&of, id, self.now).await?;
        }
        users::write(&of, &before, &user, &self.ending).await?;
        let entry = AuditEntry { target: Some(format!("user:{id}")), ..self.changed.clone() };
        storage::audit::append(tx, &entry).await?;
        Ok(user)
    }

    fn applied_to(&self, mut user: User) -> User {
        if let Some(email) = &self.email {
            let proved = |known: &str| known.parse().is_ok_and(|known: Email| known.canonical() == email.canonical());
            user.email_verified &= user.email.as_deref().is_some_and(proved);
            user.email = Some(email.as_str().to_owned());
        }
        if let Some(username) = &self.username {
            user.username = Some(username.as_str().to_owned());
        }
        if let Some(name) = &self.name {
            user.name = Some(name.as_str().to_owned());
        }
        if let Some(enabled) = self.enabled {
            users::enable(&mut user, enabled);
        }
        user.updated_at = self.now;
        user
    }
}
