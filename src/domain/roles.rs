//! Roles: what a tenant has from the start, and their assignment.

use std::collections::HashMap;

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::{AssignmentId, PermissionId, RoleId, UserId};
use crate::model::permission;
use crate::model::role::{Role, SEEDED};
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantTx, roles, unscoped};

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

/// Gives a user a role until `expires_at`.
///
/// # Errors
/// [`DomainError::NotFound`] for the role; or the database is unavailable.
pub async fn assign(
    ctx: &Ctx<'_>,
    user: UserId,
    role_code: &str,
    expires_at: Option<Timestamp>,
) -> Result<(), DomainError> {
    let now = ctx.now();
    let id = AssignmentId::from_uuid(ctx.core.entropy.uuid_v7(now));
    let entry = ctx.audit("role.assign", Some(format!("user:{user}")), Outcome::Success, Some(role_code.to_owned()));
    let input = (ctx.tenant_id(), user, role_code.to_owned(), id, ctx.actor.describe(), now, expires_at, entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, user, code, id, by, now, expires_at, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                assign_in(&of, *id, *user, code, by, *now, *expires_at).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// The same inside a transaction that is open already.
pub(super) async fn assign_in(
    tx: &TenantTx<'_>,
    id: AssignmentId,
    user: UserId,
    role_code: &str,
    by: &str,
    at: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(), DomainError> {
    if role_code.contains(char::is_control) {
        return Err(DomainError::NotFound(Noun::Role));
    }
    let role = roles::find_by_code(tx, role_code).await?.ok_or(DomainError::NotFound(Noun::Role))?;
    roles::assign(tx, id, user, &role.id, by, at, expires_at).await?;
    tx.changed(ChangeKind::User, &user.to_string()).await?;
    Ok(())
}
