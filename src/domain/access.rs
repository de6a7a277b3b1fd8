//! What somebody may do: the one place that decides.
//!
//! A person may do what their roles permit, a service what its scopes name. A token that an app of
//! somebody else holds for a person carries of that only what its scope names: who lets an app read
//! their name has not made it an administrator (`docs/decisions/0011-what-a-token-may-do.md`).
//!
//! Faces ask a [`Powers`] before they call a verb. A verb that hands something on (a role, a
//! permission, a scope) asks it again inside its transaction, with what is true there
//! ([`Powers::renewed`]): nobody gives what they lack.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::core::Core;
use super::error::{DomainError, Noun};
use super::tenants::LiveTenant;
use super::tokens::{Principal, Verified};
use crate::model::client::Client;
use crate::model::ids::{ClientId, OrganizationId, RoleId, TenantId, UserId};
use crate::model::permission::code;
use crate::model::role::{ADMINISTRATIVE, HeldRole, Role, RoleScope, SUPER_ADMIN_ID};
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;
use crate::storage::{TenantRows, TenantTx, Tx, clients, memberships, roles, users};

/// The roles that somebody held when it was read; what has run out since is left out at each look.
#[derive(Debug)]
pub struct Held(Vec<HeldRole>);

impl Held {
    fn at(&self, now: Timestamp) -> impl Iterator<Item = &HeldRole> {
        self.0.iter().filter(move |role| role.expires_at.is_none_or(|end| end > now))
    }

    /// The codes of those that have not run out.
    pub(super) fn codes(&self, now: Timestamp) -> Vec<&str> {
        self.at(now).map(|role| role.code.as_str()).collect()
    }
}

/// The roles that a user holds, a second old at most.
///
/// # Errors
/// The database is unavailable.
pub async fn held(core: &Core, tenant: TenantId, user: UserId) -> Result<Arc<Held>, DomainError> {
    core.held
        .get((tenant, user), async |(tenant, user)| {
            let found = roles::held_by_user(&core.db.read().of(*tenant), *user, core.clock.now()).await?;
            Ok::<_, DomainError>(Arc::new(Held(found)))
        })
        .await
}

/// What a token says about what its person may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Codes of their roles, sorted.
    pub roles: Vec<String>,
    /// Codes of what those permit, sorted.
    pub permissions: Vec<String>,
    /// The organization in which they act: the one that they signed in to, or the only one of theirs.
    pub organization: Option<OrganizationId>,
}

impl Carried {
    fn new<'a>(held: impl Iterator<Item = &'a HeldRole>, organization: Option<OrganizationId>) -> Self {
        let (mut roles, mut permissions) = (Vec::new(), BTreeSet::new());
        for role in held {
            roles.push(role.code.clone());
            permissions.extend(role.permissions.iter().cloned());
        }
        Self { roles, permissions: permissions.into_iter().collect(), organization }
    }
}

/// Whether a user administers the installation (`rbac.md`, `ADMIN`): one of the default tenant who holds an
/// administrative role.
///
/// # Errors
/// The database is unavailable.
pub async fn is_administrator(core: &Core, tenant: &LiveTenant, user: UserId) -> Result<bool, DomainError> {
    let (tenant, is_default) = (tenant.tenant.id, tenant.tenant.is_default);
    let held = held(core, tenant, user).await?;
    Ok(Powers::user(tenant, user, is_default, None, held.at(core.clock.now())).is_admin())
}

/// What goes into a token that is made in this transaction. Who signed in to an organization acts there
/// while they belong to it; anybody else where they belong, if that is one place.
///
/// # Errors
/// The database is unavailable.
pub(super) async fn carried(
    rows: &TenantRows<'_>,
    user: UserId,
    signed_in_to: Option<OrganizationId>,
    now: Timestamp,
) -> Result<Carried, DomainError> {
    let held = roles::held_by_user(rows, user, now).await?;
    let organization = match still_of(rows, user, signed_in_to).await? {
        None => memberships::only_organization(rows, user).await?,
        still => still,
    };
    Ok(Carried::new(held.iter(), organization))
}

/// The organization, if the user belongs to it at this moment.
async fn still_of(
    rows: &TenantRows<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
) -> Result<Option<OrganizationId>, DomainError> {
    match organization {
        Some(id) if memberships::is_member(rows, id, user).await? => Ok(Some(id)),
        _ => Ok(None),
    }
}

/// What a token that was issued before says of its person by now: roles and permissions.
///
/// # Errors
/// The database is unavailable.
pub async fn carried_now(core: &Core, tenant: TenantId, user: UserId) -> Result<Carried, DomainError> {
    Ok(Carried::new(held(core, tenant, user).await?.at(core.clock.now()), None))
}

/// The organization that a token names, if its person still belongs there.
///
/// # Errors
/// The database is unavailable.
pub async fn organization_now(core: &Core, token: &Verified) -> Result<Option<OrganizationId>, DomainError> {
    let Principal::User(user) = token.principal else { return Ok(None) };
    let named = token.claims.organization_id.as_deref().and_then(|id| uuid::Uuid::try_parse(id).ok());
    let rows = core.db.read().of(token.tenant.tenant.id);
    still_of(&rows, user, named.map(OrganizationId::from_uuid)).await
}

/// Why the last super administrator stays one.
pub const LAST_SUPER_ADMIN: &str = "the last super administrator can't lose that role";
/// Why something is not handed on.
const LACKING: &str = "nobody can hand on what they do not hold, nor for longer than they hold it";
/// Why somebody is not administered.
const BEYOND: &str = "nobody administers or makes who may do more than they may themselves";

/// Whose powers they are.
#[derive(Clone, Debug)]
enum Holder {
    /// Whoever has the command line.
    Operator,
    User(TenantId, UserId),
    Service(TenantId, ClientId),
}

/// What a caller may do at this moment.
#[derive(Clone, Debug)]
pub struct Powers {
    holder: Holder,
    /// Whether they belong to the default tenant, which administers the installation.
    is_of_control_plane: bool,
    /// What a token is limited to, if it does not carry all that its person may do.
    limit: Option<OAuthScope>,
    roles: Vec<String>,
    /// Codes, each with the moment from which on it is held no longer.
    permissions: BTreeMap<String, Timestamp>,
    /// Until when they reach over the whole installation, if they do.
    system_until: Option<Timestamp>,
}

impl Powers {
    /// Those of a token.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn of(core: &Core, token: &Verified) -> Result<Self, DomainError> {
        let (tenant, is_default) = (token.tenant.tenant.id, token.tenant.tenant.is_default);
        Ok(match &token.principal {
            Principal::User(user) => {
                let limit = (!token.is_whole).then(|| token.scope.clone());
                let held = held(core, tenant, *user).await?;
                let now = core.clock.now();
                Self::user(tenant, *user, is_default, limit, held.at(now))
            }
            Principal::Service(client) => {
                Self::service(tenant, client.client.id.clone(), is_default, token.scope.clone())
            }
        })
    }

    /// Those of whoever has the command line: there is nothing that they may not do.
    #[must_use]
    pub const fn operator() -> Self {
        Self {
            holder: Holder::Operator,
            is_of_control_plane: true,
            limit: None,
            roles: Vec::new(),
            permissions: BTreeMap::new(),
            system_until: Some(Timestamp::NEVER),
        }
    }

    fn user<'a>(
        tenant: TenantId,
        user: UserId,
        is_of_control_plane: bool,
        limit: Option<OAuthScope>,
        held: impl Iterator<Item = &'a HeldRole>,
    ) -> Self {
        let (mut roles, mut permissions, mut system_until) = (Vec::new(), BTreeMap::new(), None);
        let reaches = |code: &str| limit.as_ref().is_none_or(|limit| limit.contains(code));
        for role in held {
            let end = role.expires_at.unwrap_or(Timestamp::NEVER);
            roles.push(role.code.clone());
            for code in role.permissions.iter().filter(|code| reaches(code)) {
                let until = permissions.entry(code.clone()).or_insert(end);
                *until = end.max(*until);
            }
            if role.scope == RoleScope::System && reaches(code::SYSTEM_ADMIN) {
                system_until = system_until.max(Some(end));
            }
        }
        Self { holder: Holder::User(tenant, user), is_of_control_plane, limit, roles, permissions, system_until }
    }

    fn service(tenant: TenantId, client: ClientId, is_of_control_plane: bool, scope: OAuthScope) -> Self {
        Self {
            holder: Holder::Service(tenant, client),
            is_of_control_plane,
            permissions: scope
                .iter()
                .filter(|name| name.contains(':'))
                .map(|name| (name.to_owned(), Timestamp::NEVER))
                .collect(),
            system_until: scope.contains(code::SYSTEM_ADMIN).then_some(Timestamp::NEVER),
            limit: Some(scope),
            roles: Vec::new(),
        }
    }

    /// The same as they are inside a transaction, to hand something on.
    ///
    /// # Errors
    /// [`DomainError::NotAuthenticated`] if the holder is gone or disabled; or the database is unavailable.
    pub async fn renewed(&self, tx: &Tx, now: Timestamp) -> Result<Self, DomainError> {
        let gone = || DomainError::NotAuthenticated("who hands on is gone or disabled");
        Ok(match &self.holder {
            Holder::Operator => self.clone(),
            Holder::User(tenant, user) => {
                let of = tx.of(*tenant);
                users::find(&of, *user).await?.filter(|user| user.enabled).ok_or_else(gone)?;
                let held = roles::held_by_user(&of, *user, now).await?;
                Self::user(*tenant, *user, self.is_of_control_plane, self.limit.clone(), held.iter())
            }
            Holder::Service(tenant, client) => {
                let found = clients::find(&tx.of(*tenant), client).await?.filter(|client| client.enabled);
                let granted = found.ok_or_else(gone)?.permissions;
                let scope = self.limit.as_ref().map_or_else(|| granted.clone(), |limit| limit.intersection(&granted));
                Self::service(*tenant, client.clone(), self.is_of_control_plane, scope)
            }
        })
    }

    /// Whether they hold a permission.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        matches!(self.holder, Holder::Operator) || self.permissions.contains_key(permission)
    }

    /// # Errors
    /// [`DomainError::Forbidden`] if they lack it.
    pub fn require(&self, permission: &'static str) -> Result<(), DomainError> {
        if self.may(permission) { Ok(()) } else { Err(DomainError::Forbidden(permission)) }
    }

    /// Whether they administer the installation and may do this there (`rbac.md`, `ADMIN`): an administrator
    /// or a service of the default tenant, or the operator.
    ///
    /// # Errors
    /// [`DomainError::Forbidden`] if not.
    pub fn require_everywhere(&self, permission: &'static str) -> Result<(), DomainError> {
        if self.reaches_all_tenants() { self.require(permission) } else { Err(DomainError::Forbidden(permission)) }
    }

    /// Whether they may make, change, give and take what belongs to the installation.
    ///
    /// # Errors
    /// [`DomainError::NotAllowed`] if they do not reach over all of it.
    pub(super) fn require_system(&self) -> Result<(), DomainError> {
        if self.is_system() {
            return Ok(());
        }
        Err(DomainError::NotAllowed("only who administers the whole installation may do that"))
    }

    /// Whether they hold this until then: permissions, and, if so asked, reach over the whole installation.
    fn covers<'a>(&self, is_system: bool, permissions: impl IntoIterator<Item = &'a str>, end: Timestamp) -> bool {
        matches!(self.holder, Holder::Operator)
            || (!is_system || self.system_until >= Some(end))
                && permissions.into_iter().all(|code| self.permissions.get(code) >= Some(&end))
    }

    /// Whether all of this could be handed on for good: nobody gives what they lack.
    ///
    /// # Errors
    /// [`DomainError::NotAllowed`] if some of it could not.
    pub fn require_all<'a>(&self, permissions: impl IntoIterator<Item = &'a str>) -> Result<(), DomainError> {
        if self.covers(false, permissions, Timestamp::NEVER) { Ok(()) } else { Err(DomainError::NotAllowed(LACKING)) }
    }

    /// Whether roles that permit this could be given until then, or for good: nobody gives what they lack, nor
    /// for longer than they hold it.
    ///
    /// # Errors
    /// [`DomainError::NotAllowed`] if they could not.
    pub(super) fn require_giving(
        &self,
        roles: &[Role],
        permissions: &[String],
        end: Option<Timestamp>,
    ) -> Result<(), DomainError> {
        let is_system = roles.iter().any(|role| role.scope == RoleScope::System);
        let permissions = permissions.iter().map(String::as_str);
        let may = self.covers(is_system, permissions, end.unwrap_or(Timestamp::NEVER));
        if may { Ok(()) } else { Err(DomainError::NotAllowed(LACKING)) }
    }

    /// Whether this user's account may be administered by them, as it is inside a transaction: by its
    /// password or address, its powers would be theirs.
    ///
    /// # Errors
    /// [`DomainError::NotAllowed`] if it may do more than they, or for longer; as [`Powers::renewed`].
    pub(super) async fn require_above_user(
        &self,
        tx: &Tx,
        tenant: TenantId,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), DomainError> {
        if matches!(self.holder, Holder::Operator) {
            return Ok(());
        }
        let (own, held) = (self.renewed(tx, now).await?, roles::held_by_user(&tx.of(tenant), user, now).await?);
        let covered = |role: &HeldRole| {
            let permissions = role.permissions.iter().map(String::as_str);
            own.covers(role.scope == RoleScope::System, permissions, role.expires_at.unwrap_or(Timestamp::NEVER))
        };
        if held.iter().all(covered) { Ok(()) } else { Err(DomainError::NotAllowed(BEYOND)) }
    }

    /// The same for a client. Who has an app of ours in their hands has whatever the people may do who sign in
    /// there.
    ///
    /// # Errors
    /// As [`Powers::require_above_user`].
    pub(super) async fn require_above_client(
        &self,
        tx: &Tx,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), DomainError> {
        let own = self.renewed(tx, now).await?;
        let covered = own.covers(client.is_trusted(), client.permissions.iter(), Timestamp::NEVER);
        if covered { Ok(()) } else { Err(DomainError::NotAllowed(BEYOND)) }
    }

    /// Whether they hold a role that reaches over the whole installation, or are a service that
    /// administers it.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        self.system_until.is_some()
    }

    /// Whether they administer the installation: somebody of the default tenant with an administrative
    /// role (`rbac.md`, `ADMIN`), or the operator. Not a service.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        let administrative = |role: &String| ADMINISTRATIVE.contains(&role.as_str());
        match self.holder {
            Holder::Operator => true,
            Holder::User(..) => self.is_of_control_plane && (self.is_system() || self.roles.iter().any(administrative)),
            Holder::Service(..) => false,
        }
    }

    /// Whether they are a person with an administrative role in their own tenant, whose token carries that:
    /// one of an app of somebody else must name this scope.
    #[must_use]
    pub fn administers(&self, scope: &str) -> bool {
        let carried = self.limit.as_ref().is_none_or(|limit| limit.contains(scope));
        let administrative = self.is_system() || self.roles.iter().any(|role| ADMINISTRATIVE.contains(&role.as_str()));
        carried && administrative && matches!(self.holder, Holder::User(..))
    }

    /// Whether they are a service.
    #[must_use]
    pub const fn is_service(&self) -> bool {
        matches!(self.holder, Holder::Service(..))
    }

    /// Whether what they may do, they may do in every tenant: administrators and services of the default
    /// tenant, and the operator.
    #[must_use]
    pub fn reaches_all_tenants(&self) -> bool {
        self.is_admin() || (self.is_of_control_plane && self.is_service())
    }

    /// Whether what they may do, they may do in this tenant.
    ///
    /// # Errors
    /// [`DomainError::NotFound`]: what belongs to another tenant does not exist for them.
    pub fn require_reach(&self, tenant: TenantId) -> Result<(), DomainError> {
        let own = matches!(&self.holder, Holder::User(own, _) | Holder::Service(own, _) if *own == tenant);
        if own || self.reaches_all_tenants() { Ok(()) } else { Err(DomainError::NotFound(Noun::Tenant)) }
    }

    /// Codes of the roles that they hold, sorted.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Codes of what they may do, sorted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.permissions.keys().map(String::as_str)
    }
}

/// That a user administers no installation: by a new address or name their account would be somebody else's.
///
/// # Errors
/// [`DomainError::NotAllowed`] if they do; or the database is unavailable.
pub(super) async fn require_not_of_system(
    rows: &TenantRows<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(), DomainError> {
    let held = roles::held_by_user(rows, user, now).await?;
    if held.iter().any(|role| role.scope == RoleScope::System) { Err(DomainError::NotAllowed(BEYOND)) } else { Ok(()) }
}

/// That a tenant which had a super administrator for good keeps one through a change. Made before it,
/// asked after it, in one transaction; others that do the same wait.
pub(super) struct LastSuperAdmin {
    role: Option<RoleId>,
}

impl LastSuperAdmin {
    /// Before the change.
    pub(super) async fn before(tx: &TenantTx<'_>) -> Result<Self, DomainError> {
        let Ok(role) = SUPER_ADMIN_ID.parse::<RoleId>() else { return Ok(Self { role: None }) };
        let guarded = roles::lock(tx, &role).await? && roles::lasting_holders(tx, &role).await? > 0;
        Ok(Self { role: guarded.then_some(role) })
    }

    /// After it.
    ///
    /// # Errors
    /// [`DomainError::NotAllowed`] if nobody is left; then nothing must be committed.
    pub(super) async fn after(self, tx: &TenantTx<'_>) -> Result<(), DomainError> {
        match self.role {
            Some(role) if roles::lasting_holders(tx, &role).await? == 0 => {
                Err(DomainError::NotAllowed(LAST_SUPER_ADMIN))
            }
            _ => Ok(()),
        }
    }
}
