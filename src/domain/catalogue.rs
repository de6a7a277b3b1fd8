//! The catalogue: systems with modules, organizations with sites. Entries are added, changed and listed, never
//! deleted: their keys are stable for life, and an inactive entry contributes nothing to any decision.
//! Organizations have a file of their own.

use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::organizations::next_key;
use super::users::invalid;
use crate::model::audit::Outcome;
use crate::model::catalogue::{Code, KeyKind, Module, Site, System};
use crate::model::ids::{ModuleId, OrganizationId, SiteId, SystemId};
use crate::model::page::{Counted, Window};
use crate::model::text::DisplayName;
use crate::storage::scoped_grants::{self, Named};
use crate::storage::{StorageError, TenantRows, TenantTx, modules, sites, systems};

/// A system, module or site: what they have in common.
pub trait Entry: Clone + Send + Sync + 'static {
    /// Its id.
    type Id: Copy + Send + Sync + std::fmt::Display + 'static;
    /// What it is.
    const NOUN: Noun;
    /// What the audit log calls its making and its change.
    const ACTIONS: (&'static str, &'static str);
    /// The letters of its key.
    const KIND: KeyKind;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Its key.
    fn key(&mut self) -> &mut String;
    /// Its code.
    fn code(&mut self) -> &mut Option<String>;
    /// Its name.
    fn name(&mut self) -> &mut String;
    /// Whether it contributes to decisions.
    fn enabled(&mut self) -> &mut bool;
    /// How grants name it, if they do.
    fn named(&self) -> Option<Named>;
    /// See `storage/catalogue.rs`.
    fn insert(&self, tx: &TenantTx<'_>) -> impl Future<Output = Result<(), StorageError>> + Send;
    /// See `storage/catalogue.rs`.
    fn update(&self, tx: &TenantTx<'_>) -> impl Future<Output = Result<(), StorageError>> + Send;
    /// See `storage/catalogue.rs`.
    fn find_for_update(
        tx: &TenantTx<'_>,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Self>, StorageError>> + Send;
    /// See `storage/catalogue.rs`.
    fn find(rows: &TenantRows<'_>, id: Self::Id) -> impl Future<Output = Result<Option<Self>, StorageError>> + Send;
    /// See `storage/catalogue.rs`.
    fn find_by_key(rows: &TenantRows<'_>, key: &str)
    -> impl Future<Output = Result<Option<Self>, StorageError>> + Send;
    /// See `storage/catalogue.rs`.
    fn list_after(
        rows: &TenantRows<'_>,
        after: Option<Self::Id>,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<Self>, StorageError>> + Send;
}

macro_rules! entry {
    ($noun:ident, $id:ident, $rows:ident, $kind:expr, $name:literal, $named:expr) => {
        impl Entry for $noun {
            type Id = $id;
            const NOUN: Noun = Noun::$noun;
            const ACTIONS: (&'static str, &'static str) = (concat!($name, ".create"), concat!($name, ".update"));
            const KIND: KeyKind = $kind;
            fn id(&self) -> $id {
                self.id
            }
            fn key(&mut self) -> &mut String {
                &mut self.key
            }
            fn code(&mut self) -> &mut Option<String> {
                &mut self.code
            }
            fn name(&mut self) -> &mut String {
                &mut self.name
            }
            fn enabled(&mut self) -> &mut bool {
                &mut self.enabled
            }
            fn named(&self) -> Option<Named> {
                let named: fn($id) -> Option<Named> = $named;
                named(self.id)
            }
            async fn insert(&self, tx: &TenantTx<'_>) -> Result<(), StorageError> {
                $rows::insert(tx, self).await
            }
            async fn update(&self, tx: &TenantTx<'_>) -> Result<(), StorageError> {
                $rows::update(tx, self).await
            }
            async fn find_for_update(tx: &TenantTx<'_>, id: $id) -> Result<Option<Self>, StorageError> {
                $rows::find_for_update(tx, id).await
            }
            async fn find(rows: &TenantRows<'_>, id: $id) -> Result<Option<Self>, StorageError> {
                $rows::find(rows, id).await
            }
            async fn find_by_key(rows: &TenantRows<'_>, key: &str) -> Result<Option<Self>, StorageError> {
                $rows::find_by_key(rows, key).await
            }
            async fn list_after(
                rows: &TenantRows<'_>,
                after: Option<$id>,
                limit: u64,
            ) -> Result<Vec<Self>, StorageError> {
                $rows::list_after(rows, after, limit).await
            }
        }
    };
}
entry!(System, SystemId, systems, KeyKind::SystemOrSite, "system", |_| None);
entry!(Module, ModuleId, modules, KeyKind::Module, "module", |id| Some(Named::Module(id)));
entry!(Site, SiteId, sites, KeyKind::SystemOrSite, "site", |id| Some(Named::Site(id)));

/// An entry that is to be added.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewEntry<'a> {
    /// For people to read.
    pub name: &'a str,
    /// What people who write grants by hand call it.
    pub code: Option<&'a str>,
}

/// What is to change about an entry; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct EntryChange {
    /// For people to read.
    pub name: Option<String>,
    /// What people who write grants by hand call it; `Some(None)`: nothing.
    pub code: Option<Option<String>>,
    /// Whether it contributes to decisions.
    pub enabled: Option<bool>,
}

fn name(text: &str) -> Result<String, DomainError> {
    let name: DisplayName = text.parse().map_err(invalid("name"))?;
    Ok(name.as_str().to_owned())
}

pub(super) fn code(text: &str) -> Result<String, DomainError> {
    let why = "must be 1 to 100 letters, digits, dots, colons, - and _, and not look like a key";
    let code: Code = text.parse().map_err(|_| Invalid::new("code", why))?;
    Ok(code.as_str().to_owned())
}

/// Adds a system.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the code; or the database is
/// unavailable.
pub async fn add_system(ctx: &Ctx<'_>, new: NewEntry<'_>) -> Result<System, DomainError> {
    let (name, code, now) = (name(new.name)?, new.code.map(code).transpose()?, ctx.now());
    let id = SystemId::from_uuid(ctx.core.entropy.uuid_v7(now));
    add(ctx, System { id, key: String::new(), code, name, enabled: true, created_at: now }).await
}

/// Adds a module to a system.
///
/// # Errors
/// As [`add_system`]; [`DomainError::NotFound`] for the system.
pub async fn add_module(ctx: &Ctx<'_>, system: SystemId, new: NewEntry<'_>) -> Result<Module, DomainError> {
    find::<System>(ctx, system).await?;
    let (name, code, now) = (name(new.name)?, new.code.map(code).transpose()?, ctx.now());
    let id = ModuleId::from_uuid(ctx.core.entropy.uuid_v7(now));
    add(ctx, Module { id, key: String::new(), code, system, name, enabled: true, created_at: now }).await
}

/// Adds a site to an organization.
///
/// # Errors
/// As [`add_system`]; [`DomainError::NotFound`] for the organization.
pub async fn add_site(ctx: &Ctx<'_>, organization: OrganizationId, new: NewEntry<'_>) -> Result<Site, DomainError> {
    super::organizations::find(ctx, organization).await?;
    let (name, code, now) = (name(new.name)?, new.code.map(code).transpose()?, ctx.now());
    let id = SiteId::from_uuid(ctx.core.entropy.uuid_v7(now));
    add(ctx, Site { id, key: String::new(), code, organization, name, enabled: true, created_at: now }).await
}

/// Writes an entry under a key of its own, and links the grants that wait for its code.
async fn add<E: Entry>(ctx: &Ctx<'_>, mut draft: E) -> Result<E, DomainError> {
    let entry = ctx.audit(E::ACTIONS.0, Some(draft.id().to_string()), Outcome::Success, Some(draft.name().clone()));
    ctx.core
        .db
        .write((ctx.tenant_id(), draft, ctx.now(), entry), |tx, (tenant, draft, now, entry)| {
            Box::pin(async move {
                let (of, mut made) = (tx.of(*tenant), draft.clone());
                *made.key() = next_key(&of, E::KIND, *now).await?;
                made.insert(&of).await.map_err(taken)?;
                link_all(&of, &made).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(made)
            })
        })
        .await
}

fn taken(error: StorageError) -> DomainError {
    match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Code),
        other => other.into(),
    }
}

/// Links the grants that wait for an entry, whichever of its names they have.
pub(super) async fn link_all<E: Entry>(tx: &TenantTx<'_>, entry: &E) -> Result<(), StorageError> {
    let mut entry = entry.clone();
    let (key, code) = (entry.key().clone(), entry.code().clone());
    let names: Vec<&str> = std::iter::once(key.as_str()).chain(code.as_deref()).collect();
    link(tx, &mut entry, &names).await
}

async fn link<E: Entry>(tx: &TenantTx<'_>, entry: &mut E, names: &[&str]) -> Result<(), StorageError> {
    match entry.named() {
        Some(named) => scoped_grants::link(tx, named, entry.key(), names).await,
        None => Ok(()),
    }
}

/// Changes an entry; a new code links the grants that wait for it.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the code;
/// or the database is unavailable.
pub async fn change<E: Entry>(ctx: &Ctx<'_>, id: E::Id, change: &EntryChange) -> Result<E, DomainError> {
    let name = change.name.as_deref().map(name).transpose()?;
    let code = change.code.as_ref().map(|text| text.as_deref().map(code).transpose()).transpose()?;
    let entry = ctx.audit(E::ACTIONS.1, Some(id.to_string()), Outcome::Success, None);
    let input = (ctx.tenant_id(), id, name, code, change.enabled, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, name, code, enabled, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let mut found = E::find_for_update(&of, *id).await?.ok_or(DomainError::NotFound(E::NOUN))?;
                if let Some(name) = name {
                    found.name().clone_from(name);
                }
                let new_code = code.as_ref().filter(|code| *code != found.code()).and_then(Option::as_deref);
                if let Some(code) = code {
                    found.code().clone_from(code);
                }
                if let Some(enabled) = enabled {
                    *found.enabled() = *enabled;
                }
                found.update(&of).await.map_err(taken)?;
                if let Some(code) = new_code {
                    link(&of, &mut found, &[code]).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(found)
            })
        })
        .await
}

/// The entry of this id.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find<E: Entry>(ctx: &Ctx<'_>, id: E::Id) -> Result<E, DomainError> {
    E::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?.ok_or(DomainError::NotFound(E::NOUN))
}

/// The entry of this key.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_by_key<E: Entry>(ctx: &Ctx<'_>, key: &str) -> Result<E, DomainError> {
    E::find_by_key(&ctx.core.db.read().of(ctx.tenant_id()), key).await?.ok_or(DomainError::NotFound(E::NOUN))
}

/// At most `limit` entries after `after`, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list<E: Entry>(ctx: &Ctx<'_>, after: Option<E::Id>, limit: u64) -> Result<Vec<E>, DomainError> {
    Ok(E::list_after(&ctx.core.db.read().of(ctx.tenant_id()), after, limit).await?)
}

/// Part of the systems, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn systems(ctx: &Ctx<'_>, window: Window) -> Result<Counted<System>, DomainError> {
    Ok(systems::window(&ctx.core.db.read().of(ctx.tenant_id()), window).await?)
}

/// Part of the modules, of one system or of all, each with its system's key.
///
/// # Errors
/// The database is unavailable.
pub async fn modules(
    ctx: &Ctx<'_>,
    system_key: Option<&str>,
    window: Window,
) -> Result<Counted<(Module, String)>, DomainError> {
    Ok(modules::window(&ctx.core.db.read().of(ctx.tenant_id()), system_key, window).await?)
}

/// Part of the sites, of one organization or of all, each with its organization's key.
///
/// # Errors
/// The database is unavailable.
pub async fn sites(
    ctx: &Ctx<'_>,
    company_key: Option<&str>,
    window: Window,
) -> Result<Counted<(Site, String)>, DomainError> {
    Ok(sites::window(&ctx.core.db.read().of(ctx.tenant_id()), company_key, window).await?)
}
