//! Permissions as they go over the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::permissions::{NewPermission, PermissionChange, PermissionCounts};
use crate::http::fields::{Body, FieldError, Fields};
use crate::model::permission::Permission;

/// A permission.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownPermission {
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
    /// Whether it is one of the system's own, which stay.
    is_system_permission: bool,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Permission> for ShownPermission {
    fn from(permission: Permission) -> Self {
        Self {
            id: permission.id.to_string(),
            permission_name: permission.name,
            permission_code: permission.code.to_string(),
            resource: permission.code.resource().to_owned(),
            action: permission.code.action().to_owned(),
            description: permission.description,
            is_system_permission: permission.is_system,
            created_at: permission.created_at.rfc3339(),
            updated_at: permission.updated_at.rfc3339(),
        }
    }
}

/// A new permission.
#[derive(ToSchema)]
pub(super) struct CreatePermission {
    /// For people to read.
    pub(super) permission_name: String,
    /// `resource:action`, of the two members below.
    pub(super) permission_code: String,
    /// What stands before the colon.
    pub(super) resource: String,
    /// What stands after it.
    pub(super) action: String,
    /// For people to read.
    pub(super) description: Option<String>,
    /// Whether it shall be one of the system's own, which stay.
    #[schema(value_type = Option<bool>)]
    pub(super) is_system_permission: bool,
}

impl Body for CreatePermission {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            permission_name: fields.name("permission_name")?,
            permission_code: fields.text("permission_code")?,
            resource: fields.text("resource")?,
            action: fields.text("action")?,
            description: fields.optional_text("description")?,
            is_system_permission: fields.optional_flag("is_system_permission")?.unwrap_or(false),
        })
    }
}

impl From<CreatePermission> for NewPermission {
    fn from(wish: CreatePermission) -> Self {
        Self {
            name: wish.permission_name,
            code: wish.permission_code,
            resource: wish.resource,
            action: wish.action,
            description: wish.description,
            is_system: wish.is_system_permission,
        }
    }
}

/// What is to change about a permission.
#[derive(ToSchema)]
pub(super) struct UpdatePermission {
    /// For people to read.
    pub(super) permission_name: Option<String>,
    /// For people to read.
    pub(super) description: Option<String>,
}

impl Body for UpdatePermission {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            permission_name: fields.given_text("permission_name")?,
            description: fields.given_text("description")?,
        })
    }
}

impl From<UpdatePermission> for PermissionChange {
    fn from(wish: UpdatePermission) -> Self {
        Self { name: wish.permission_name, description: wish.description }
    }
}

/// How many permissions there are.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionStatistics {
    /// All of them.
    total_permissions: u64,
    /// The system's own.
    system_permissions: u64,
    /// Those that somebody made.
    custom_permissions: u64,
    /// By resource.
    by_resource: BTreeMap<String, u64>,
    /// By action.
    by_action: BTreeMap<String, u64>,
}

impl From<PermissionCounts> for PermissionStatistics {
    fn from(counts: PermissionCounts) -> Self {
        Self {
            total_permissions: counts.system + counts.custom,
            system_permissions: counts.system,
            custom_permissions: counts.custom,
            by_resource: counts.by_resource,
            by_action: counts.by_action,
        }
    }
}
