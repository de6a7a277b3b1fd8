//! Roles: what a tenant has from the start, those that somebody makes, and their assignment.

use std::collections::HashMap;

use super::access::{LastSuperAdmin, Powers};
use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::permissions::{check_description, written};
use super::users::invalid;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::{AssignmentId, PermissionId, RoleId, TenantId, UserId};
use crate::model::page::{Counted, Window};
use crate::model::permission::{self, Permission, code};
use crate::model::role::{Role, RoleAssignment, RoleCode, RoleScope, SEEDED, SUPER_ADMIN_ID};
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::permissions as rows;
use crate::storage::{StorageError, TenantRows, TenantTx, Tx, audit, roles, unscoped, users};

pub use crate::storage::roles::{RoleCount, RoleFilter};

/// Why one of the system's own roles stays as it is.
const SYSTEM_ROLE: &str = "the system's own roles stay as they are";

/// A role that is to be made.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// For people to read.
    pub name: String,
    /// What tokens and decisions name it by.
    pub code: RoleCode,
    /// For people to read.
    pub description: Option<String>,
    /// How far it reaches.
    pub scope: RoleScope,
    /// Whether it shall be one of the system's own, which stay.
    pub is_system: bool,
}

/// What is to change about a role; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// For people to read.
    pub name: Option<String>,
    /// For people to read; there is none any more where it is empty.
    pub description: Option<String>,
    /// Whether it counts.
    pub is_active: Option<bool>,
    /// The code that it has, for who names it: it can't change.
    pub code: Option<String>,
    /// How far it reaches, for who names it: it can't change.
    pub scope: Option<RoleScope>,
}

/// Writes the seeded roles of a new tenant with their permissions.
pub(super) async fn seed(tx: &TenantTx<'_>, at: Timestamp) -> Result<(), StorageError> {
    for seeded in SEEDED {
        let Ok(id) = seeded.id.parse::<RoleId>() else { continue };
        let role = Role {
            id: id.clone(),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            description: None,
            scope: seeded.scope,
            is_system: true,
            is_active: true,
            created_at: at,
            updated_at: at,
        };
        roles::insert(tx, &role).await?;
        let every = || permission::SEEDED.iter().map(|(code, _)| *code).collect();
        let codes: Vec<&str> = seeded.permissions.map_or_else(every, <[&str]>::to_vec);
        for code in codes {
            if let Ok(permission) = permission::seeded_id(code).parse::<PermissionId>() {
                roles::insert_permission(tx, &id, &permission).await?;
            }
        }
    }
    Ok(())
}

/// Codes of the roles that each of these users holds at this moment, sorted; who holds none is absent.
///
/// # Errors
/// The database is unavailable.
pub async fn codes_of_users(core: &Core, ids: &[UserId]) -> Result<HashMap<UserId, Vec<String>>, DomainError> {
    Ok(unscoped::role_codes_of_users(core.db.read(), ids, core.clock.now()).await?)
}

/// Part of the tenant's roles, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>, filter: &RoleFilter, window: Window) -> Result<Counted<Role>, DomainError> {
    Ok(roles::window(&ctx.core.db.read().of(ctx.tenant_id()), filter, window).await?)
}

/// The role of this id.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: &RoleId) -> Result<Role, DomainError> {
    roles::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?.ok_or(DomainError::NotFound(Noun::Role))
}

/// The role of this code.
///
/// # Errors
/// As [`find`].
pub async fn find_by_code(ctx: &Ctx<'_>, code: &str) -> Result<Role, DomainError> {
    if code.contains(char::is_control) {
        return Err(DomainError::NotFound(Noun::Role));
    }
    let found = roles::find_by_code(&ctx.core.db.read().of(ctx.tenant_id()), code).await?;
    found.ok_or(DomainError::NotFound(Noun::Role))
}

/// A role with what it permits.
///
/// # Errors
/// As [`find`].
pub async fn permissions(ctx: &Ctx<'_>, id: &RoleId) -> Result<(Role, Vec<Permission>), DomainError> {
    let role = find(ctx, id).await?;
    Ok((role, roles::permissions_of(&ctx.core.db.read().of(ctx.tenant_id()), id).await?))
}

/// How many there are of each kind.
///
/// # Errors
/// The database is unavailable.
pub async fn counts(ctx: &Ctx<'_>) -> Result<Vec<RoleCount>, DomainError> {
    Ok(roles::counts(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// Makes a role that permits nothing yet.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the code;
/// [`DomainError::NotAllowed`] for one of the system's own, or one that reaches over the installation, by
/// who does not administer it; as [`Powers::renewed`].
pub async fn create(ctx: &Ctx<'_>, by: &Powers, new: NewRole) -> Result<Role, DomainError> {
    let name: DisplayName = new.name.parse().map_err(invalid("role_name"))?;
    check_description(new.description.as_deref())?;
    let now = ctx.now();
    let id = format!("ROLE_{}", new.code.as_str());
    // A seeded role may have that id already.
    let spare = u32::from_le_bytes(ctx.core.entropy.bytes());
    let spare = format!("{id}_{spare:08X}");
    let ids: Vec<RoleId> = [id, spare].into_iter().filter_map(|text| text.parse().ok()).collect();
    let entry = ctx.audit("role.create", Some(format!("role:{}", new.code.as_str())), Outcome::Success, None);
    let input = (ctx.tenant_id(), by.clone(), name, new, ids, now, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, name, new, ids, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = by.renewed(tx, *now).await?;
                own.require(code::ROLE_WRITE)?;
                if new.is_system || new.scope == RoleScope::System {
                    own.require_system()?;
                }
                if roles::find_by_code(&of, new.code.as_str()).await?.is_some() {
                    return Err(DomainError::Taken(Noun::Role));
                }
                let made = Role {
                    id: free_id(&of, ids).await?,
                    code: new.code.as_str().to_owned(),
                    name: name.as_str().to_owned(),
                    description: new.description.clone(),
                    scope: new.scope,
                    is_system: new.is_system,
                    is_active: true,
                    created_at: *now,
                    updated_at: *now,
                };
                roles::insert(&of, &made).await.map_err(taken)?;
                audit::append(tx, entry).await?;
                Ok(made)
            })
        })
        .await
}

async fn free_id(rows: &TenantRows<'_>, ids: &[RoleId]) -> Result<RoleId, DomainError> {
    for id in ids {
        if roles::find(rows, id).await?.is_none() {
            return Ok(id.clone());
        }
    }
    Err(DomainError::Taken(Noun::Role))
}

fn taken(error: StorageError) -> DomainError {
    match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Role),
        other => other.into(),
    }
}

/// A role that is about to be changed by somebody who may.
async fn changeable(tx: &TenantTx<'_>, own: &Powers, id: &RoleId) -> Result<Role, DomainError> {
    own.require(code::ROLE_WRITE)?;
    let role = roles::find_for_update(tx, id).await?.ok_or(DomainError::NotFound(Noun::Role))?;
    if role.is_system || role.scope == RoleScope::System {
        own.require_system()?;
    }
    Ok(role)
}

/// Changes a role. One that counted for nothing begins to count only by somebody who holds what it permits.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for
/// what stays of the system's own, and for what who changes it may not do; as [`Powers::renewed`].
pub async fn update(ctx: &Ctx<'_>, by: &Powers, id: &RoleId, change: RoleChange) -> Result<Role, DomainError> {
    let name: Option<DisplayName> = change.name.as_deref().map(str::parse).transpose().map_err(invalid("role_name"))?;
    check_description(change.description.as_deref())?;
    let entry = ctx.audit("role.update", Some(format!("role:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), by.clone(), id.clone(), name, change, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, id, name, change, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = by.renewed(tx, *now).await?;
                let before = changeable(&of, &own, id).await?;
                let mut role = before.clone();
                if let Some(name) = name {
                    name.as_str().clone_into(&mut role.name);
                }
                if let Some(text) = &change.description {
                    role.description = written(text);
                }
                role.is_active = change.is_active.unwrap_or(role.is_active);
                let moved = match change {
                    RoleChange { code: Some(code), .. } if *code != role.code => Some("role_code"),
                    RoleChange { scope: Some(scope), .. } if *scope != role.scope => Some("scope"),
                    _ => None,
                };
                if role.is_system && (moved.is_some() || role.name != before.name || role.is_active != before.is_active)
                {
                    return Err(DomainError::NotAllowed(SYSTEM_ROLE));
                }
                if let Some(field) = moved {
                    return Err(Invalid::new(field, "can't be changed").into());
                }
                if role.is_active && !before.is_active {
                    let codes = roles::permission_codes_of(&of, std::slice::from_ref(id)).await?;
                    own.require_all(codes.iter().map(String::as_str))?;
                }
                role.updated_at = *now;
                roles::update(&of, &role).await?;
                if role.is_active != before.is_active {
                    of.changed(ChangeKind::Roles, "").await?;
                }
                audit::append(tx, entry).await?;
                Ok(role)
            })
        })
        .await
}

/// Deletes a role; who held it holds it no longer.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for one of the system's own; as
/// [`Powers::renewed`].
pub async fn delete(ctx: &Ctx<'_>, by: &Powers, id: &RoleId) -> Result<(), DomainError> {
    let entry = ctx.audit("role.delete", Some(format!("role:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), by.clone(), id.clone(), ctx.now(), entry), |tx, (tenant, by, id, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                if changeable(&of, &by.renewed(tx, *now).await?, id).await?.is_system {
                    return Err(DomainError::NotAllowed(SYSTEM_ROLE));
                }
                roles::delete(&of, id).await?;
                of.changed(ChangeKind::Roles, "").await?;
                audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// Has a role permit more: all of it, or nothing. Says what it permits then.
///
/// # Errors
/// [`DomainError::NotFound`] for the role or a permission; [`DomainError::NotAllowed`] for what who does it
/// does not hold, and for the role that holds everything; as [`Powers::renewed`].
pub async fn add_permissions(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &RoleId,
    mut permissions: Vec<PermissionId>,
) -> Result<Vec<Permission>, DomainError> {
    permissions.sort_unstable();
    permissions.dedup();
    let detail = Some(permissions.iter().map(PermissionId::as_str).collect::<Vec<_>>().join(" "));
    let entry = ctx.audit("role.add_permissions", Some(format!("role:{id}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), by.clone(), id.clone(), permissions, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, id, permissions, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = by.renewed(tx, *now).await?;
                limited(&changeable(&of, &own, id).await?)?;
                let found = rows::hold(&of, permissions).await?;
                if found.len() != permissions.len() {
                    return Err(DomainError::NotFound(Noun::Permission));
                }
                own.require_all(found.iter().map(|permission| permission.code.as_str()))?;
                roles::insert_permissions(&of, id, permissions).await?;
                of.changed(ChangeKind::Roles, "").await?;
                audit::append(tx, entry).await?;
                Ok(roles::permissions_of(&of, id).await?)
            })
        })
        .await
}

/// Has a role permit something no longer.
///
/// # Errors
/// [`DomainError::NotFound`] for the role, or a permission that it does not hold;
/// [`DomainError::NotAllowed`] for the role that holds everything; as [`Powers::renewed`].
pub async fn remove_permission(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &RoleId,
    permission: &PermissionId,
) -> Result<(), DomainError> {
    let detail = Some(permission.to_string());
    let entry = ctx.audit("role.remove_permission", Some(format!("role:{id}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), by.clone(), id.clone(), permission.clone(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, id, permission, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                limited(&changeable(&of, &by.renewed(tx, *now).await?, id).await?)?;
                if !roles::delete_permission(&of, id, permission).await? {
                    return Err(DomainError::NotFound(Noun::Permission));
                }
                of.changed(ChangeKind::Roles, "").await?;
                audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// The role that holds everything holds nothing more and nothing less.
fn limited(role: &Role) -> Result<(), DomainError> {
    if role.id.as_str() == SUPER_ADMIN_ID { Err(DomainError::NotAllowed(SYSTEM_ROLE)) } else { Ok(()) }
}

/// The roles that a user was given, run out or not, in the order in which that happened.
///
/// # Errors
/// The database is unavailable.
pub async fn assignments(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<(RoleAssignment, Role)>, DomainError> {
    Ok(roles::assignments_of(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

/// Gives a user roles until `expires_at`: all of them, or nothing. Of one that they hold already only the
/// end changes.
///
/// # Errors
/// [`DomainError::Invalid`] for an end that is over; [`DomainError::NotFound`] for the user or a role;
/// [`DomainError::NotAllowed`] for what who gives it does not hold, or not for so long, and for an end of the
/// last super administrator; as [`Powers::renewed`].
pub async fn assign(
    ctx: &Ctx<'_>,
    by: &Powers,
    user: UserId,
    mut ids: Vec<RoleId>,
    expires_at: Option<Timestamp>,
) -> Result<(), DomainError> {
    let now = ctx.now();
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Invalid::new("expires_at", "must be in the future").into());
    }
    ids.sort_unstable();
    ids.dedup();
    let detail = Some(ids.iter().map(RoleId::as_str).collect::<Vec<_>>().join(" "));
    let entry = ctx.audit("role.assign", Some(format!("user:{user}")), Outcome::Success, detail);
    let assignment = |role| RoleAssignment {
        id: AssignmentId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        user,
        role,
        granted_by: ctx.actor.describe(),
        granted_at: now,
        expires_at,
    };
    let given: Vec<RoleAssignment> = ids.iter().cloned().map(assignment).collect();
    let input = (ctx.tenant_id(), by.clone(), user, ids, given, now, expires_at, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, user, ids, given, now, end, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = giver(tx, by, *tenant, *now).await?;
                users::find_for_update(&of, *user).await?.ok_or(DomainError::NotFound(Noun::User))?;
                let guard = if end.is_some() { Some(LastSuperAdmin::before(&of).await?) } else { None };
                let found = roles::hold(&of, ids).await?;
                if found.len() != ids.len() {
                    return Err(DomainError::NotFound(Noun::Role));
                }
                let codes = roles::permission_codes_of(&of, ids).await?;
                own.require_giving(&found, &codes, *end)?;
                roles::assign(&of, given).await?;
                if let Some(guard) = guard {
                    guard.after(&of).await?;
                }
                of.changed(ChangeKind::User, &user.to_string()).await?;
                audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// Takes a role from a user.
///
/// # Errors
/// [`DomainError::NotFound`] for the user, or a role that they do not hold; [`DomainError::NotAllowed`] for
/// the last super administrator, and for a role that reaches over the installation by who does not
/// administer it; as [`Powers::renewed`].
pub async fn unassign(ctx: &Ctx<'_>, by: &Powers, user: UserId, id: &RoleId) -> Result<(), DomainError> {
    let detail = Some(id.to_string());
    let entry = ctx.audit("role.unassign", Some(format!("user:{user}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), by.clone(), user, id.clone(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, user, id, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let own = giver(tx, by, *tenant, *now).await?;
                users::find_for_update(&of, *user).await?.ok_or(DomainError::NotFound(Noun::User))?;
                let guard = LastSuperAdmin::before(&of).await?;
                let role = roles::find(&of, id).await?.ok_or(DomainError::NotFound(Noun::Role))?;
                if !roles::unassign(&of, *user, id).await? {
                    return Err(DomainError::NotFound(Noun::Role));
                }
                if role.scope == RoleScope::System {
                    own.require_system()?;
                }
                guard.after(&of).await?;
                of.changed(ChangeKind::User, &user.to_string()).await?;
                audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// What who gives or takes a role in a tenant may do there.
async fn giver(tx: &Tx, by: &Powers, tenant: TenantId, now: Timestamp) -> Result<Powers, DomainError> {
    let own = by.renewed(tx, now).await?;
    own.require_reach(tenant)?;
    own.require(code::USER_WRITE)?;
    Ok(own)
}

/// Gives a user who is being made a role.
pub(super) async fn assign_in(
    tx: &TenantTx<'_>,
    id: AssignmentId,
    user: UserId,
    role_code: &str,
    by: &str,
    at: Timestamp,
) -> Result<(), DomainError> {
    if role_code.contains(char::is_control) {
        return Err(DomainError::NotFound(Noun::Role));
    }
    let role = roles::find_by_code(tx, role_code).await?.ok_or(DomainError::NotFound(Noun::Role))?.id;
    let granted_by = by.to_owned();
    roles::assign(tx, &[RoleAssignment { id, user, role, granted_by, granted_at: at, expires_at: None }]).await?;
    tx.changed(ChangeKind::User, &user.to_string()).await?;
    Ok(())
}
