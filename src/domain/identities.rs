//! Who people of elsewhere are here: by connection and subject, and by nothing else.
//!
//! An address never links an account: whoever comes for the first time gets one of their own, or, where
//! their address has one already, may link it once they have signed in to that one in the same browser.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::memberships;
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::change::ChangeKind;
use crate::model::connection::{Connection, ConnectionKind, Identity, LinkOffer, SamlSession};
use crate::model::ids::{AssignmentId, ConnectionId, UserId};
use crate::model::organization::{Membership, MembershipRole};
use crate::model::role::{RoleAssignment, RoleScope};
use crate::model::text::{DisplayName, Email, Username};
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{self, TenantTx, Tx, connections, identities, link_offers, organizations, passkeys, roles, users};

/// How long an account of elsewhere may be linked after its owner came by it.
const OFFERED_FOR: Duration = Duration::from_secs(600);
/// The longest subject that a provider may have, in bytes (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// What a provider says of somebody, by the names that its connection maps. Whoever makes one has verified
/// that it was the provider who said it, and to us.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claimed {
    /// Who they are there.
    pub subject: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether the provider says that the address was proved.
    pub email_verified: bool,
    /// Their name.
    pub name: Option<String>,
    /// Their username.
    pub username: Option<String>,
    /// What they are, in words of the provider.
    pub roles: Vec<String>,
    /// Whether the provider asked for a second factor.
    pub second_factor: bool,
    /// Their session there, where it is to end with that here.
    pub saml_session: Option<SamlSession>,
}

impl Claimed {
    /// # Errors
    /// [`DomainError::NotAuthenticated`] for a subject that can't be one.
    fn check_subject(&self) -> Result<(), DomainError> {
        let plain = !self.subject.is_empty() && !self.subject.contains(char::is_control);
        if plain && self.subject.len() <= LONGEST_SUBJECT {
            return Ok(());
        }
        Err(DomainError::NotAuthenticated("the provider's subject is empty, too long or not a text"))
    }
}

/// Somebody who came by a connection, with everything that it may take to let them in.
pub struct Arrived {
    connection: Connection,
    claimed: Claimed,
    /// Who they are here, or would be.
    user: User,
    is_new: bool,
    at: Timestamp,
    membership: Option<Membership>,
    /// The roles that the connection gives them, each with the id of an assignment.
    roles: Vec<(AssignmentId, String)>,
    created: AuditEntry,
}

impl Arrived {
    /// Finds out who it is. Writes nothing.
    ///
    /// # Errors
    /// [`DomainError::NotAuthenticated`] for a subject that can't be one; or the database is unavailable.
    pub async fn of(ctx: &Ctx<'_>, connection: &Connection, claimed: Claimed) -> Result<Self, DomainError> {
        claimed.check_subject()?;
        let rows = ctx.core.db.read().of(ctx.tenant_id());
        let known = match identities::find(&rows, connection.id, &claimed.subject).await? {
            Some(identity) => users::find(&rows, identity.user).await?,
            None => None,
        };
        let (is_new, user) = (known.is_none(), known.unwrap_or_else(|| newcomer(ctx, connection, &claimed)));
        let role = |organization| memberships::draft(ctx, organization, user.id, member_role(connection, &claimed));
        let at = ctx.now();
        let given = mapped(&connection.settings.mapping.roles, &claimed);
        let given = given.map(|code| (AssignmentId::from_uuid(ctx.core.entropy.uuid_v7(at)), code.clone())).collect();
        let detail = Some(format!("connection:{} {}", connection.id, claimed.subject));
        Ok(Self {
            membership: connection.organization.map(role),
            roles: given,
            created: ctx.audit("user.create", Some(format!("user:{}", user.id)), Outcome::Success, detail),
            connection: connection.clone(),
            claimed,
            user,
            is_new,
            at,
        })
    }

    /// Who they are here, or would be.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// Whether the provider asked for a second factor, and is trusted in that.
    #[must_use]
    pub const fn proves_second_factor(&self) -> bool {
        self.claimed.second_factor && self.connection.settings.trusts_second_factor
    }

    /// Their session there, where it is to end with that here.
    #[must_use]
    pub const fn saml_session(&self) -> Option<&SamlSession> {
        self.claimed.saml_session.as_ref()
    }

    /// By which connection they came.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Lets them in as far as the connection goes: makes their account if it may, joins them to its
    /// organization, gives and takes the roles that it maps. The user as they are now, whom nobody else
    /// changes until the transaction ends.
    ///
    /// # Errors
    /// [`DomainError::NotAuthenticated`] for a connection or account that is gone or disabled;
    /// [`DomainError::NotAllowed`] where no account is made for newcomers, or not for this one;
    /// [`DomainError::Taken`] for a newcomer whose address has an account; [`DomainError::Conflict`] if what was
    /// found in the beginning is so no longer, and all of it may be tried once more; or the database is
    /// unavailable.
    pub(super) async fn settle(&self, tx: &Tx) -> Result<User, DomainError> {
        let of = tx.of(self.connection.tenant);
        let live = connections::find(&of, self.connection.id).await?.filter(|connection| connection.enabled);
        let live = live.ok_or(DomainError::NotAuthenticated("the connection is gone or disabled"))?;
        // What was believed, and what is given for it, was read before somebody elsewhere was asked.
        if live.updated_at != self.connection.updated_at {
            return Err(DomainError::NotAuthenticated("the connection changed meanwhile"));
        }
        if let Some(organization) = live.organization {
            let found = organizations::find(&of, organization).await?.filter(|organization| organization.enabled);
            found.ok_or(DomainError::NotAuthenticated("the connection's organization is disabled"))?;
        }
        let user = match identities::find(&of, live.id, &self.claimed.subject).await? {
            Some(identity) if !self.is_new && identity.user == self.user.id => {
                let user = users::find_for_update(&of, identity.user).await?.filter(|user| user.enabled);
                let user = user.ok_or(DomainError::NotAuthenticated("account is gone or disabled"))?;
                identities::note_use(&of, live.id, &self.claimed.subject, self.at).await?;
                user
            }
            None if self.is_new => self.make(tx, &of, &live).await?,
            _ => return Err(DomainError::Conflict(MEANWHILE)),
        };
        self.join(&of, &live).await?;
        self.give(&of).await?;
        Ok(user)
    }

    async fn make(&self, tx: &Tx, of: &TenantTx<'_>, live: &Connection) -> Result<User, DomainError> {
        let mut user = self.user.clone();
        let email: Option<Email> = user.email.as_deref().and_then(|email| email.parse().ok());
        if !is_of_company(live, &self.claimed) {
            return Err(DomainError::NotAllowed("their address is of none of the connection's domains"));
        }
        if !live.settings.just_in_time {
            // Who has an account may link it all the same.
            let known = match &email {
                Some(email) => users::find_by_identifier(of, &email.canonical()).await?.is_some(),
                None => false,
            };
            let refused = DomainError::NotAllowed("no account is made for who comes by this connection");
            return Err(if known { DomainError::Taken(Noun::Identifier) } else { refused });
        }
        let username: Option<Username> = user.username.as_deref().and_then(|name| name.parse().ok());
        // Somebody else's username is no reason to turn anybody away, but neither is it theirs.
        let username = match username.map(|name| name.canonical()) {
            Some(canonical) if users::find_by_identifier(of, &canonical).await?.is_none() => Some(canonical),
            _ => None,
        };
        if username.is_none() {
            user.username = None;
        }
        users::insert(of, &user).await?;
        for canonical in email.map(|email| email.canonical()).into_iter().chain(username) {
            users::insert_identifier(of, &canonical, user.id).await.map_err(|error| match error {
                storage::StorageError::Duplicate(_) => DomainError::Taken(Noun::Identifier),
                other => other.into(),
            })?;
        }
        if !identities::insert(of, &self.identity(user.id)).await? {
            return Err(DomainError::Conflict(MEANWHILE));
        }
        of.changed(ChangeKind::User, &user.id.to_string()).await?;
        storage::audit::append(tx, &self.created).await?;
        Ok(user)
    }

    fn identity(&self, user: UserId) -> Identity {
        let (connection, subject) = (self.connection.id, self.claimed.subject.clone());
        Identity { connection, subject, user, created_at: self.at, used_at: self.at }
    }

    /// A member from now on, or what the provider says they are there; owners are never made less by that.
    async fn join(&self, tx: &TenantTx<'_>, live: &Connection) -> Result<(), DomainError> {
        let Some(wanted) = &self.membership else { return Ok(()) };
        organizations::find_for_update(tx, wanted.organization).await?;
        match storage::memberships::find(tx, wanted.organization, self.user.id).await? {
            None if live.settings.just_in_time && is_of_company(live, &self.claimed) => {
                memberships::insert(tx, wanted).await
            }
            Some(is)
                if is.role != wanted.role
                    && is.role != MembershipRole::Owner
                    && mapped(&self.connection.settings.mapping.memberships, &self.claimed).next().is_some() =>
            {
                storage::memberships::set_role(tx, is.id, wanted.role).await?;
                Ok(tx.changed(ChangeKind::User, &self.user.id.to_string()).await?)
            }
            _ => Ok(()),
        }
    }

    /// Gives the roles that are mapped, and takes those that this connection gave and gives no longer.
    async fn give(&self, tx: &TenantTx<'_>) -> Result<(), DomainError> {
        let (user, by) = (self.user.id, format!("connection:{}", self.connection.id));
        let held = roles::assignments_of(tx, user).await?;
        let mut changed = false;
        for (assignment, role) in &held {
            if assignment.granted_by == by && !self.roles.iter().any(|(_, code)| *code == role.code) {
                changed |= roles::unassign(tx, user, &role.id).await?;
            }
        }
        for (id, code) in &self.roles {
            let found = roles::find_by_code(tx, code).await?;
            let Some(role) = found.filter(|role| role.scope != RoleScope::System) else { continue };
            if !held.iter().any(|(assignment, _)| assignment.role == role.id) {
                let granted_by = by.clone();
                let (id, role, granted_at) = (*id, role.id, self.at);
                let given = RoleAssignment { id, user, role, granted_by, granted_at, expires_at: None };
                roles::assign(tx, &[given]).await?;
                changed = true;
            }
        }
        if changed {
            tx.changed(ChangeKind::User, &user.to_string()).await?;
        }
        Ok(())
    }
}

const MEANWHILE: &str = "the account of elsewhere was linked or unlinked meanwhile";

/// The account that somebody would get.
fn newcomer(ctx: &Ctx<'_>, connection: &Connection, claimed: &Claimed) -> User {
    let now = ctx.now();
    let email: Option<Email> = proved_email(connection, claimed);
    let username: Option<Username> = claimed.username.as_deref().and_then(|name| name.parse().ok());
    let name: Option<DisplayName> = claimed.name.as_deref().and_then(|name| name.parse().ok());
    User {
        tenant: ctx.tenant_id(),
        id: UserId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        external_sub: None,
        email_verified: email.is_some(),
        email: email.map(|email| email.as_str().to_owned()),
        verification_due: false,
        username: username.map(|name| name.as_str().to_owned()),
        name: name.map(|name| name.as_str().to_owned()),
        password_hash: None,
        profile: serde_json::json!({}),
        enabled: true,
        has_second_factor: false,
        token_epoch: 0,
        created_at: now,
        updated_at: now,
    }
}

/// Their address, if it is theirs by all that we know; any other is nobody's.
fn proved_email(connection: &Connection, claimed: &Claimed) -> Option<Email> {
    let proved = claimed.email_verified || connection.settings.trusts_email;
    claimed.email.as_deref().filter(|_| proved).and_then(|email| email.parse().ok())
}

/// Whether a connection of an organization speaks for somebody: where it names domains, by a proved address of
/// one of them. At many a provider everybody has an account, not the company's people alone. Who has a SAML
/// provider has it to themselves.
fn is_of_company(connection: &Connection, claimed: &Claimed) -> bool {
    let everybody = connection.organization.is_none() || connection.domains.is_empty();
    let domain = || super::connections::domain_of(&proved_email(connection, claimed)?.canonical());
    everybody
        || connection.provider.kind() == ConnectionKind::Saml
        || domain().is_some_and(|domain| connection.domains.contains(&domain))
}

/// What a table makes of what somebody is.
fn mapped<'c, T>(
    table: &'c std::collections::BTreeMap<String, T>,
    claimed: &'c Claimed,
) -> impl Iterator<Item = &'c T> {
    table.iter().filter(|(value, _)| claimed.roles.contains(value)).map(|(_, made)| made)
}

/// The highest that they are mapped to.
fn member_role(connection: &Connection, claimed: &Claimed) -> MembershipRole {
    let all = mapped(&connection.settings.mapping.memberships, claimed).copied();
    all.fold(MembershipRole::Member, |highest, role| if role.reaches(highest) { role } else { highest })
}

/// Remembers that an account of elsewhere may be linked by who signs in in this browser.
///
/// # Errors
/// The database is unavailable.
pub async fn offer(
    ctx: &Ctx<'_>,
    connection: &Connection,
    claimed: &Claimed,
    browser: [u8; 32],
) -> Result<(), DomainError> {
    let offer = LinkOffer {
        digest: ctx.core.entropy.bytes(),
        connection: connection.id,
        subject: claimed.subject.clone(),
        browser,
        label: claimed.email.clone().or_else(|| claimed.name.clone()),
        expires_at: ctx.now() + OFFERED_FOR,
    };
    let written = ctx.core.db.write((ctx.tenant_id(), offer), |tx, (tenant, offer)| {
        Box::pin(async move { Ok::<_, DomainError>(link_offers::insert(&tx.of(*tenant), offer).await?) })
    });
    written.await
}

/// What may be linked in this browser.
///
/// # Errors
/// The database is unavailable.
pub async fn offers(ctx: &Ctx<'_>, browser: &[u8; 32]) -> Result<Vec<LinkOffer>, DomainError> {
    Ok(link_offers::of_browser(&ctx.core.db.read().of(ctx.tenant_id()), browser, ctx.now()).await?)
}

/// Links what was offered in this browser to a user.
///
/// # Errors
/// [`DomainError::NotFound`] for an offer that does not stand; [`DomainError::Taken`] for an account that is
/// somebody's already; or the database is unavailable.
pub async fn accept(ctx: &Ctx<'_>, user: UserId, digest: &[u8; 32], browser: &[u8; 32]) -> Result<(), DomainError> {
    let gone = || DomainError::NotFound(Noun::Connection);
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    let offer = link_offers::find(&rows, digest, browser, ctx.now()).await?.ok_or_else(gone)?;
    let identity = Identity {
        connection: offer.connection,
        subject: offer.subject.clone(),
        user,
        created_at: ctx.now(),
        used_at: ctx.now(),
    };
    let entry = link_entry(ctx, "identity.link", &identity);
    ctx.core
        .db
        .write((ctx.tenant_id(), offer, identity, entry), |tx, (tenant, offer, identity, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                if !link_offers::take(&of, offer, identity.created_at).await? {
                    return Err(DomainError::NotFound(Noun::Connection));
                }
                link_in(tx, &of, identity, entry).await
            })
        })
        .await
}

/// Links the account of elsewhere that somebody came back with to who is signed in.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] for a subject that can't be one; [`DomainError::Taken`] for an account that
/// is somebody's already; [`DomainError::NotFound`] for a user or connection that is gone or disabled; or the
/// database is unavailable.
pub async fn link(ctx: &Ctx<'_>, user: UserId, connection: &Connection, claimed: &Claimed) -> Result<(), DomainError> {
    let identity = Identity {
        connection: connection.id,
        subject: claimed.subject.clone(),
        user,
        created_at: ctx.now(),
        used_at: ctx.now(),
    };
    let mut entry = link_entry(ctx, "identity.link", &identity);
    let input = (ctx.tenant_id(), identity, entry.clone());
    let linked = async {
        claimed.check_subject()?;
        let written = ctx.core.db.write(input, |tx, (tenant, identity, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                link_in(tx, &of, identity, entry).await
            })
        });
        written.await
    };
    let linked = linked.await;
    if let Err(DomainError::NotAuthenticated(_) | DomainError::Taken(_) | DomainError::NotFound(_)) = &linked {
        entry.outcome = Outcome::Failure;
        super::audit::append(ctx.core, entry).await?;
    }
    linked
}

async fn link_in(tx: &Tx, of: &TenantTx<'_>, identity: &Identity, entry: &AuditEntry) -> Result<(), DomainError> {
    let connection = connections::find(of, identity.connection).await?.filter(|connection| connection.enabled);
    connection.ok_or(DomainError::NotFound(Noun::Connection))?;
    let user = users::find_for_update(of, identity.user).await?.filter(|user| user.enabled);
    user.ok_or(DomainError::NotFound(Noun::User))?;
    if !identities::insert(of, identity).await? {
        return Err(DomainError::Taken(Noun::Identifier));
    }
    Ok(storage::audit::append(tx, entry).await?)
}

fn link_entry(ctx: &Ctx<'_>, action: &'static str, identity: &Identity) -> AuditEntry {
    let detail = Some(format!("connection:{} {}", identity.connection, identity.subject));
    ctx.audit(action, Some(format!("user:{}", identity.user)), Outcome::Success, detail)
}

/// What is linked to a user.
///
/// # Errors
/// The database is unavailable.
pub async fn of_user(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<Identity>, DomainError> {
    Ok(identities::of_user(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

/// Unlinks an account of elsewhere, unless its user has no other way in.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Conflict`] for the last way in; or the database is unavailable.
pub async fn unlink(ctx: &Ctx<'_>, user: UserId, connection: ConnectionId, subject: &str) -> Result<(), DomainError> {
    let at = ctx.now();
    let identity = Identity { connection, subject: subject.to_owned(), user, created_at: at, used_at: at };
    let entry = link_entry(ctx, "identity.unlink", &identity);
    let input = (ctx.tenant_id(), identity, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, identity, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let user =
                    users::find_for_update(&of, identity.user).await?.ok_or(DomainError::NotFound(Noun::User))?;
                if !identities::delete(&of, user.id, identity.connection, &identity.subject).await? {
                    return Err(DomainError::NotFound(Noun::Connection));
                }
                if !has_way_in(&of, &user).await? {
                    return Err(DomainError::Conflict("it is the last way into the account"));
                }
                storage::audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// Whether somebody can sign in by a password, a passkey or a connection that lets people in.
async fn has_way_in(tx: &TenantTx<'_>, user: &User) -> Result<bool, DomainError> {
    let has_name = user.email.is_some() || user.username.is_some();
    if user.password_hash.is_some() && has_name || passkeys::count(tx, user.id).await? > 0 {
        return Ok(true);
    }
    for identity in identities::of_user(tx, user.id).await? {
        if connections::find(tx, identity.connection).await?.is_some_and(|connection| connection.enabled) {
            return Ok(true);
        }
    }
    Ok(false)
}
