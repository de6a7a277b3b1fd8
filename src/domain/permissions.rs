//! Permissions: what a tenant has from the start, and those that somebody makes.

use super::access::Powers;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::users::invalid;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::{PermissionId, RoleId};
use crate::model::page::{Counted, Window};
use crate::model::permission::{Permission, PermissionCode, SEEDED, code, seeded_id};
use crate::model::role::SUPER_ADMIN_ID;
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantRows, TenantTx, audit, permissions, roles};

pub use crate::storage::permissions::{PermissionCounts, PermissionFilter};

/// The longest description of a permission or role, in characters.
pub const MAX_DESCRIPTION: usize = 1000;

/// A permission that is to be made.
#[derive(Clone, Debug)]
pub struct NewPermission {
    /// For people to read.
    pub name: String,
    /// `resource:action`.
    pub code: String,
    /// What stands before the colon.
    pub resource: String,
    /// What stands after it.
    pub action: String,
    /// For people to read.
    pub description: Option<String>,
    /// Whether it shall be one of the system's own, which stay.
    pub is_system: bool,
}

/// What is to change about a permission; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PermissionChange {
    /// For people to read.
    pub name: Option<String>,
    /// For people to read; there is none any more where it is empty.
    pub description: Option<String>,
}

/// A description, if it says anything.
pub(super) fn written(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Checks what people read about a permission or role.
pub(super) fn check_description(text: Option<&str>) -> Result<(), Invalid> {
    if text.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Invalid::new("description", format!("must be at most {MAX_DESCRIPTION} characters")));
    }
    Ok(())
}

/// Writes the seeded permissions of a new tenant.
pub(super) async fn seed(tx: &TenantTx<'_>, at: Timestamp) -> Result<(), StorageError> {
    let seeded: Vec<Permission> = SEEDED.iter().filter_map(|(code, name)| seeded_permission(code, name, at)).collect();
    permissions::insert_many(tx, &seeded).await
}

fn seeded_permission(code: &str, name: &str, at: Timestamp) -> Option<Permission> {
    Some(Permission {
        id: seeded_id(code).parse::<PermissionId>().ok()?,
        name: name.to_owned(),
        code: code.parse::<PermissionCode>().ok()?,
        description: None,
        is_system: true,
        created_at: at,
        updated_at: at,
    })
}

/// The permission of this code.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub(super) async fn require(rows: &TenantRows<'_>, code: &str) -> Result<Permission, DomainError> {
    let code: PermissionCode = code.parse().map_err(|_| DomainError::NotFound(Noun::Permission))?;
    permissions::find_by_code(rows, code.as_str()).await?.ok_or(DomainError::NotFound(Noun::Permission))
}

/// Part of the tenant's permissions, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(
    ctx: &Ctx<'_>,
    filter: &PermissionFilter,
    window: Window,
) -> Result<Counted<Permission>, DomainError> {
    Ok(permissions::window(&ctx.core.db.read().of(ctx.tenant_id()), filter, window).await?)
}

/// The permission of this id.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: &PermissionId) -> Result<Permission, DomainError> {
    let found = permissions::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    found.ok_or(DomainError::NotFound(Noun::Permission))
}

/// How many there are, of which kinds.
///
/// # Errors
/// The database is unavailable.
pub async fn counts(ctx: &Ctx<'_>) -> Result<PermissionCounts, DomainError> {
    Ok(permissions::counts(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// Makes a permission. The super administrators, who hold every one, hold it too.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the code;
/// [`DomainError::NotAllowed`] for one of the system's own by who does not administer the installation;
/// as [`Powers::renewed`].
pub async fn create(ctx: &Ctx<'_>, by: &Powers, new: &NewPermission) -> Result<Permission, DomainError> {
    let name: DisplayName = new.name.parse().map_err(invalid("permission_name"))?;
    let code: PermissionCode = new.code.parse().map_err(invalid("permission_code"))?;
    if code.resource() != new.resource || code.action() != new.action {
        return Err(Invalid::new("permission_code", "must be resource:action").into());
    }
    check_description(new.description.as_deref())?;
    let now = ctx.now();
    // Two codes can have one id, and a code may be longer than an id: then it is named by chance.
    let spare = format!("PERM_{}", ctx.core.entropy.uuid_v4().simple()).to_ascii_uppercase();
    let ids: Vec<PermissionId> =
        [seeded_id(code.as_str()), spare].into_iter().filter_map(|text| text.parse().ok()).collect();
    let entry = ctx.audit("permission.create", Some(format!("permission:{code}")), Outcome::Success, None);
    let (description, is_system) = (new.description.clone(), new.is_system);
    let input = (ctx.tenant_id(), by.clone(), name, code, description, is_system, ids, now, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, name, code, description, is_system, ids, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = by.renewed(tx, *now).await?;
                own.require(code::ROLE_WRITE)?;
                if *is_system {
                    own.require_system()?;
                }
                if permissions::find_by_code(&of, code.as_str()).await?.is_some() {
                    return Err(DomainError::Taken(Noun::Permission));
                }
                let made = Permission {
                    id: free_id(&of, ids).await?,
                    name: name.as_str().to_owned(),
                    code: code.clone(),
                    description: description.clone(),
                    is_system: *is_system,
                    created_at: *now,
                    updated_at: *now,
                };
                permissions::insert(&of, &made).await.map_err(taken)?;
                if let Ok(everything) = SUPER_ADMIN_ID.parse::<RoleId>() {
                    roles::insert_permission(&of, &everything, &made.id).await?;
                }
                of.changed(ChangeKind::Roles, "").await?;
                audit::append(tx, entry).await?;
                Ok(made)
            })
        })
        .await
}

async fn free_id(rows: &TenantRows<'_>, ids: &[PermissionId]) -> Result<PermissionId, DomainError> {
    for id in ids {
        if permissions::find(rows, id).await?.is_none() {
            return Ok(id.clone());
        }
    }
    Err(DomainError::Taken(Noun::Permission))
}

fn taken(error: StorageError) -> DomainError {
    match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Permission),
        other => other.into(),
    }
}

/// Changes what people read about a permission.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::NotFound`]; as [`Powers::renewed`].
pub async fn update(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &PermissionId,
    change: PermissionChange,
) -> Result<Permission, DomainError> {
    let name: Option<DisplayName> =
        change.name.as_deref().map(str::parse).transpose().map_err(invalid("permission_name"))?;
    check_description(change.description.as_deref())?;
    let entry = ctx.audit("permission.update", Some(format!("permission:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), by.clone(), id.clone(), name, change.description, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, id, name, description, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                by.renewed(tx, *now).await?.require(code::ROLE_WRITE)?;
                let mut permission =
                    permissions::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Permission))?;
                if let Some(name) = name {
                    name.as_str().clone_into(&mut permission.name);
                }
                if let Some(text) = description {
                    permission.description = written(text);
                }
                permission.updated_at = *now;
                permissions::update(&of, &permission).await?;
                audit::append(tx, entry).await?;
                Ok::<_, DomainError>(permission)
            })
        })
        .await
}

/// Deletes a permission: no role and no service holds it any more.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for one of the system's own; as
/// [`Powers::renewed`].
pub async fn delete(ctx: &Ctx<'_>, by: &Powers, id: &PermissionId) -> Result<(), DomainError> {
    let entry = ctx.audit("permission.delete", Some(format!("permission:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), by.clone(), id.clone(), ctx.now(), entry), |tx, (tenant, by, id, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                by.renewed(tx, *now).await?.require(code::ROLE_WRITE)?;
                let found =
                    permissions::find_for_update(&of, id).await?.ok_or(DomainError::NotFound(Noun::Permission))?;
                if found.is_system {
                    return Err(DomainError::NotAllowed("the system's own permissions stay"));
                }
                permissions::delete(&of, id).await?;
                of.changed(ChangeKind::Roles, "").await?;
                audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}
