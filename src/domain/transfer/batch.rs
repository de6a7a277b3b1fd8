//! So many lines, written in one transaction.

use std::collections::HashMap;

use super::TransferError;
use super::reading::{Person, Row};
use crate::domain::access::LastSuperAdmin;
use crate::domain::logout::{self, Ending};
use crate::domain::{Core, DomainError, Noun, catalogue, organizations, permissions, roles, scoped_grants};
use crate::model::audit::{Actor, AuditEntry, Outcome};
use crate::model::catalogue::number_of;
use crate::model::change::ChangeKind;
use crate::model::ids::TenantId;
use crate::model::role::SEEDED;
use crate::model::signing_key::SigningKey;
use crate::model::tenant::{Tenant, TenantKey};
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::model::transfer::OnConflict;
use crate::model::user::User;
use crate::storage::installation::{self, Installation};
use crate::storage::{
    Retryable, StorageError, TenantTx, Tx, audit, catalogue_numbers, connections, known_browsers, saml_keys,
    signing_keys, tenants, tokens, transfer, unscoped, users,
};

/// A tenant that a file brings.
pub(super) struct NewTenant {
    pub(super) tenant: Tenant,
    pub(super) tenant_keys: Vec<TenantKey>,
    /// What it signs with, where the file does not bring that.
    pub(super) signing_keys: Vec<SigningKey>,
    /// The installation that it makes.
    pub(super) installation: Option<Installation>,
    /// Whether it is no conflict that it is there: it is the default one, or the one that was asked for.
    pub(super) may_be_there: bool,
}

/// What a line comes to.
pub(super) enum What {
    Tenant(Box<NewTenant>),
    Row(Box<Row>),
}

/// A line, with its number, its kind, and whose it is here.
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) kind: &'static str,
    pub(super) tenant: TenantId,
    pub(super) what: What,
}

/// Which kind each line was of, and whether it was written or passed over.
pub(super) type Outcomes = Vec<(&'static str, bool)>;

/// Why a transaction was not committed.
pub(super) enum Stop {
    /// It was refused.
    Refused(TransferError),
    /// It was a rehearsal.
    Rehearsed(Outcomes),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<DomainError> for Stop {
    fn from(error: DomainError) -> Self {
        Self::Refused(error.into())
    }
}

impl Retryable for Stop {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_contention())
    }
}

/// So many lines.
pub(super) struct Batch {
    items: Vec<Item>,
    on: OnConflict,
    rehearse: bool,
    now: Timestamp,
    ending: Ending,
}

impl Batch {
    pub(super) fn new(core: &Core, items: Vec<Item>, on: OnConflict, rehearse: bool) -> Self {
        let ending = Ending::new(core, RevocationReason::UserChanged);
        Self { items, on, rehearse, now: core.clock.now(), ending }
    }

    pub(super) async fn write(&self, tx: &Tx) -> Result<Outcomes, Stop> {
        let mut guards = HashMap::new();
        let mut outcomes = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let of = tx.of(item.tenant);
            if let std::collections::hash_map::Entry::Vacant(place) = guards.entry(item.tenant) {
                place.insert(LastSuperAdmin::before(&of).await?);
            }
            let written = self.put(tx, &of, &item.what).await.map_err(TransferError::at(item.line));
            outcomes.push((item.kind, written.map_err(Stop::Refused)?));
        }
        for (tenant, guard) in guards {
            let of = tx.of(tenant);
            guard.after(&of).await?;
            of.changed(ChangeKind::Roles, "").await?;
            audit::append(tx, &self.entry(tenant)).await?;
        }
        if self.rehearse { Err(Stop::Rehearsed(outcomes)) } else { Ok(outcomes) }
    }

    fn entry(&self, tenant: TenantId) -> AuditEntry {
        let lines = self.items.iter().filter(|item| item.tenant == tenant).count();
        AuditEntry {
            tenant,
            at: self.now,
            actor: Actor::Operator.describe(),
            action: "tenant.import",
            target: Some(format!("tenant:{tenant}")),
            address: None,
            request_id: None,
            outcome: Outcome::Success,
            detail: Some(format!("{lines} lines")),
        }
    }

    /// Writes what a line says; false if it was passed over.
    async fn put(&self, tx: &Tx, of: &TenantTx<'_>, what: &What) -> Result<bool, DomainError> {
        let row = match what {
            What::Tenant(new) => return self.put_tenant(tx, of, new).await,
            What::Row(row) => &**row,
        };
        let on = self.on;
        let done = match row {
            Row::SigningKey(key) => {
                signing_keys::insert(of, key).await?;
                of.changed(ChangeKind::Keys, "").await?;
                true
            }
            Row::Permission(permission) => {
                let on = if permission.is_system { seeded(on) } else { on };
                transfer::put(of, permission, on).await.map_err(taken(Noun::Permission))?
            }
            Row::Role(role, permissions) => {
                let is_seeded = SEEDED.iter().any(|seeded| seeded.id == role.id.as_str());
                let on = if is_seeded { seeded(on) } else { on };
                let done = transfer::put(of, role, on).await.map_err(taken(Noun::Role))?;
                if done {
                    transfer::set_role_permissions(of, &role.id, permissions).await.map_err(missing)?;
                }
                done
            }
            Row::Client(client) => {
                let done = transfer::put(of, &**client, on).await.map_err(taken(Noun::Client))?;
                if done {
                    let mut held = Vec::new();
                    for code in client.permissions.iter() {
                        held.push(permissions::require(of, code).await?.id);
                    }
                    let by = Actor::Operator.describe();
                    transfer::set_client_permissions(of, &client.id, &held, &by, self.now).await?;
                    of.changed(ChangeKind::Client, client.id.as_str()).await?;
                }
                done
            }
            Row::User(person) => self.put_user(tx, of, person).await?,
            Row::RoleAssignment(held) => transfer::put(of, held, on).await.map_err(taken(Noun::Role))?,
            Row::Passkey(passkey) => {
                let done = transfer::put(of, passkey, on).await.map_err(taken(Noun::Passkey))?;
                transfer::protect(of, passkey.user).await?;
                done
            }
            Row::Totp(factor) => {
                let done = transfer::put(of, factor, on).await.map_err(taken(Noun::User))?;
                if factor.confirmed_at.is_some() {
                    transfer::protect(of, factor.user).await?;
                }
                done
            }
            Row::RecoveryCode(code) => transfer::put(of, code, on).await.map_err(taken(Noun::User))?,
            Row::Organization(organization) => {
                self.reserve(of, &organization.key).await?;
                let done = transfer::put(of, organization, on).await.map_err(taken(Noun::Organization))?;
                if done {
                    organizations::link(of, organization).await?;
                }
                done
            }
            Row::Membership(membership) => transfer::put(of, membership, on).await.map_err(taken(Noun::Membership))?,
            Row::SamlKey { sealed, certificate } => {
                saml_keys::insert(of, sealed, certificate, self.now).await?;
                true
            }
            Row::Connection(connection) => {
                let done = transfer::put(of, &**connection, on).await.map_err(taken(Noun::Connection))?;
                if done {
                    connections::set_domains(of, connection).await.map_err(taken(Noun::Domain))?;
                    of.changed(ChangeKind::Connection, "").await?;
                }
                done
            }
            Row::Identity(identity) => transfer::put(of, identity, on).await.map_err(taken(Noun::Identity))?,
            Row::System(system) => {
                self.reserve(of, &system.key).await?;
                transfer::put(of, system, on).await.map_err(taken(Noun::System))?
            }
            Row::Module(module) => {
                self.reserve(of, &module.key).await?;
                let done = transfer::put(of, module, on).await.map_err(taken(Noun::Module))?;
                if done {
                    catalogue::link_all(of, module).await?;
                }
                done
            }
            Row::Site(site) => {
                self.reserve(of, &site.key).await?;
                let done = transfer::put(of, site, on).await.map_err(taken(Noun::Site))?;
                if done {
                    catalogue::link_all(of, site).await?;
                }
                done
            }
            Row::ApiClient(client) => {
                of.changed(ChangeKind::ApiClient, &client.client_key).await?;
                transfer::put(of, client, on).await.map_err(taken(Noun::ApiClient))?
            }
            Row::ScopedGrant(grant) => {
                let grant = scoped_grants::settled(of, grant.clone()).await?;
                transfer::put(of, &grant, on).await.map_err(taken(Noun::ScopedGrant))?
            }
        };
        Ok(done)
    }

    /// No key that is made later is this one.
    async fn reserve(&self, of: &TenantTx<'_>, key: &str) -> Result<(), DomainError> {
        if let Some((prefix, number)) = number_of(key) {
            catalogue_numbers::reserve(of, prefix, number + 1).await?;
        }
        Ok(())
    }

    async fn put_tenant(&self, tx: &Tx, of: &TenantTx<'_>, new: &NewTenant) -> Result<bool, DomainError> {
        let NewTenant { tenant, tenant_keys, .. } = new;
        let is_there = tenants::find_for_update(of).await?.is_some();
        match (is_there, self.on) {
            (false, _) => {
                tenants::insert(of, tenant).await?;
                permissions::seed(of, tenant.created_at).await?;
                roles::seed(of, tenant.created_at).await?;
                for key in &new.signing_keys {
                    signing_keys::insert(of, key).await?;
                }
                if let Some(installation) = &new.installation {
                    installation::insert(tx, installation).await.map_err(taken(Noun::Tenant))?;
                }
            }
            (true, OnConflict::Update) => tenants::update(of, tenant).await?,
            (true, OnConflict::Fail) if !new.may_be_there => return Err(DomainError::Taken(Noun::Tenant)),
            (true, _) => return Ok(false),
        }
        let held = tenants::keys(of).await?;
        for key in tenant_keys.iter().filter(|key| held.iter().all(|held| held.digest != key.digest)) {
            tenants::insert_key(of, key).await.map_err(taken(Noun::Key))?;
        }
        of.changed(ChangeKind::Tenant, "").await?;
        Ok(true)
    }

    async fn put_user(&self, tx: &Tx, of: &TenantTx<'_>, person: &Person) -> Result<bool, DomainError> {
        let Person { user, names, has_id } = person;
        let mut there = None;
        if *has_id {
            // Some contracts name a user by the id alone, so no two tenants have one of the same.
            there = unscoped::find_user(tx.rows(), user.id).await?;
        } else {
            for name in names {
                there = there.or(users::find_by_identifier(of, name).await?);
            }
        }
        let Some(before) = there else {
            users::insert(of, user).await.map_err(taken(Noun::User))?;
            self.name(of, user, names).await?;
            return Ok(true);
        };
        match self.on {
            _ if before.tenant != of.tenant() => Err(DomainError::Taken(Noun::User)),
            OnConflict::Fail => Err(DomainError::Taken(Noun::User)),
            OnConflict::Skip => Ok(false),
            OnConflict::Update => self.update(of, &before, user, names).await.map(|()| true),
        }
    }

    async fn name(&self, of: &TenantTx<'_>, user: &User, names: &[String]) -> Result<(), DomainError> {
        for name in names {
            users::insert_identifier(of, name, user.id).await.map_err(taken(Noun::Identifier))?;
        }
        Ok(())
    }

    /// The user becomes what the file says; a password that it does not mention stays, and so does a
    /// second factor. What a changed password or a disabled account ends, ends here too.
    async fn update(
        &self,
        of: &TenantTx<'_>,
        before: &User,
        wanted: &User,
        names: &[String],
    ) -> Result<(), DomainError> {
        let before = users::find_for_update(of, before.id).await?.ok_or(DomainError::NotFound(Noun::User))?;
        let mut user = User { id: before.id, updated_at: self.now, ..wanted.clone() };
        user.password_hash = user.password_hash.or_else(|| before.password_hash.clone());
        user.has_second_factor |= before.has_second_factor;
        let ends = user.password_hash != before.password_hash || (before.enabled && !user.enabled);
        user.token_epoch = user.token_epoch.max(before.token_epoch).saturating_add(i32::from(ends));
        users::update(of, &user).await.map_err(taken(Noun::User))?;
        users::delete_identifiers(of, user.id).await?;
        self.name(of, &user, names).await?;
        if ends {
            tokens::revoke_families_of_user(of, user.id, self.now, RevocationReason::UserChanged).await?;
            known_browsers::distrust_all(of, user.id).await?;
            logout::end_all_of_user(of, user.id, None, &self.ending).await?;
        }
        Ok(of.changed(ChangeKind::User, &user.id.to_string()).await?)
    }
}

/// What every tenant has from the start is there, which is no conflict.
const fn seeded(on: OnConflict) -> OnConflict {
    match on {
        OnConflict::Fail => OnConflict::Update,
        other => other,
    }
}

fn taken(noun: Noun) -> impl Fn(StorageError) -> DomainError {
    move |error| match error {
        StorageError::Duplicate(_) => DomainError::Taken(noun),
        other => missing(other),
    }
}

fn missing(error: StorageError) -> DomainError {
    match error {
        StorageError::DanglingReference(_) => {
            DomainError::NotAllowed("what this line refers to is not there: it must stand before it")
        }
        other => other.into(),
    }
}
