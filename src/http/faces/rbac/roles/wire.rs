//! Roles as they go over the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::roles::RoleCount;
use crate::http::faces::rbac::wire::MOST_IDS;
use crate::http::fields::{Body, FieldError, Fields};
use crate::model::permission::Permission;
use crate::model::role::{Role, RoleScope};

/// A role.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownRole {
    /// `ROLE_…`.
    id: String,
    /// For people to read.
    role_name: String,
    /// What tokens name it by.
    role_code: String,
    /// For people to read.
    description: Option<String>,
    /// `GLOBAL`, `TENANT` or `SYSTEM`.
    scope: &'static str,
    /// Whether it is one of the system's own, which stay.
    is_system_role: bool,
    /// Whether it counts.
    is_active: bool,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Role> for ShownRole {
    fn from(role: Role) -> Self {
        Self {
            id: role.id.to_string(),
            role_name: role.name,
            role_code: role.code,
            description: role.description,
            scope: role.scope.as_str(),
            is_system_role: role.is_system,
            is_active: role.is_active,
            created_at: role.created_at.rfc3339(),
            updated_at: role.updated_at.rfc3339(),
        }
    }
}

/// A role with what it permits.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleWithPermissions {
    /// The role's own members.
    #[serde(flatten)]
    role: ShownRole,
    /// What it permits.
    permissions: Vec<PermissionOfRole>,
}

impl RoleWithPermissions {
    pub(super) fn new(role: Role, permissions: Vec<Permission>) -> Self {
        Self { role: role.into(), permissions: permissions.into_iter().map(PermissionOfRole::from).collect() }
    }
}

/// A permission of a role.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionOfRole {
    /// `PERM_…`.
    id: String,
    /// For people to read.
    permission_name: String,
    /// `resource:action`.
    permission_code: String,
    /// What stands before the colon.
    resource: String,
    /// What stands after it.
    action: String,
    /// For people to read.
    description: Option<String>,
}

impl From<Permission> for PermissionOfRole {
    fn from(permission: Permission) -> Self {
        Self {
            id: permission.id.to_string(),
            permission_name: permission.name,
            permission_code: permission.code.to_string(),
            resource: permission.code.resource().to_owned(),
            action: permission.code.action().to_owned(),
            description: permission.description,
        }
    }
}

/// How far a role reaches, as a member or parameter says it.
pub(super) fn scope(text: &str) -> Result<RoleScope, FieldError> {
    text.parse().map_err(|_| FieldError::new("scope", "must be GLOBAL, TENANT or SYSTEM"))
}

/// A new role.
#[derive(ToSchema)]
pub(super) struct CreateRole {
    /// For people to read.
    pub(super) role_name: String,
    /// What tokens name it by: capital letters, digits and underscores.
    #[schema(pattern = "^[A-Z0-9_]+$", max_length = 50)]
    pub(super) role_code: String,
    /// For people to read.
    pub(super) description: Option<String>,
    /// `GLOBAL`, `TENANT` or `SYSTEM`.
    #[schema(value_type = String)]
    pub(super) scope: RoleScope,
    /// Whether it shall be one of the system's own, which stay.
    #[schema(value_type = Option<bool>)]
    pub(super) is_system_role: bool,
}

impl Body for CreateRole {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            // A code that is missing is none either, and is told so in the contract's words.
            role_code: fields.optional_text("role_code")?.unwrap_or_default(),
            role_name: fields.name("role_name")?,
            description: fields.optional_text("description")?,
            scope: scope(&fields.text("scope")?)?,
            is_system_role: fields.optional_flag("is_system_role")?.unwrap_or(false),
        })
    }
}

/// What is to change about a role.
#[derive(ToSchema)]
pub(super) struct UpdateRole {
    /// For people to read.
    pub(super) role_name: Option<String>,
    /// For people to read.
    pub(super) description: Option<String>,
    /// Whether it counts.
    pub(super) is_active: Option<bool>,
    /// The code that it has: it can't change.
    pub(super) role_code: Option<String>,
    /// The scope that it has: it can't change.
    #[schema(value_type = Option<String>)]
    pub(super) scope: Option<RoleScope>,
}

impl Body for UpdateRole {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            role_name: fields.given_text("role_name")?,
            description: fields.given_text("description")?,
            is_active: fields.optional_flag("is_active")?,
            role_code: fields.optional_text("role_code")?,
            scope: fields.optional_text("scope")?.as_deref().map(scope).transpose()?,
        })
    }
}

/// Permissions that a role is to have.
#[derive(ToSchema)]
pub(super) struct PermissionIds {
    /// `PERM_…`, 500 at most.
    #[schema(min_items = 1, max_items = 500)]
    pub(super) permission_ids: Vec<String>,
}

impl Body for PermissionIds {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { permission_ids: fields.texts("permission_ids", MOST_IDS)? })
    }
}

/// How many roles there are.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleStatistics {
    /// All of them.
    total_roles: u64,
    /// The system's own.
    system_roles: u64,
    /// Those that somebody made.
    custom_roles: u64,
    /// By scope: `GLOBAL`, `TENANT`, `SYSTEM`.
    by_scope: BTreeMap<&'static str, u64>,
    /// Those that count.
    active_roles: u64,
    /// Those that don't.
    inactive_roles: u64,
}

impl RoleStatistics {
    pub(super) fn new(kinds: &[RoleCount]) -> Self {
        let sum = |holds: &dyn Fn(&RoleCount) -> bool| {
            kinds.iter().filter(|kind| holds(kind)).map(|kind| kind.count).sum::<u64>()
        };
        let of_scope = |scope: &RoleScope| (scope.as_str(), sum(&|kind| kind.scope == *scope));
        Self {
            total_roles: sum(&|_| true),
            system_roles: sum(&|kind| kind.is_system),
            custom_roles: sum(&|kind| !kind.is_system),
            by_scope: RoleScope::ALL.iter().map(of_scope).collect(),
            active_roles: sum(&|kind| kind.is_active),
            inactive_roles: sum(&|kind| !kind.is_active),
        }
    }
}
