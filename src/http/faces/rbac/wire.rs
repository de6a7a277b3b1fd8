//! What goes over the wire on this face.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::messages::{self, Message};
use crate::domain::permissions::{NewPermission, PermissionChange, PermissionCounts};
use crate::domain::roles::RoleCount;
use crate::http::call::Call;
use crate::http::fields::{Body, FieldError, Fields};
use crate::http::query::Query;
use crate::model::page::{Counted, Window};
use crate::model::permission::Permission;
use crate::model::role::{Role, RoleAssignment, RoleScope};
use crate::model::time::Timestamp;

/// The most rows of a list.
const MOST_ROWS: u64 = 1000;
/// The most ids that one call names.
pub(super) const MOST_IDS: usize = 500;

/// `limit` (20, at most 1000) and `offset` (0).
pub(super) fn window(query: &Query<'_>) -> Result<Window, FieldError> {
    let limit = query.parsed::<u64>("limit", "must be from 1 to 1000")?.unwrap_or(20);
    if limit == 0 || limit > MOST_ROWS {
        return Err(FieldError::new("limit", "must be from 1 to 1000"));
    }
    Ok(Window { limit, offset: query.offset("offset")? })
}

/// A bare array, and in `X-Total-Count` how many rows there are in all.
pub(super) fn rows<N, W: Serialize + From<N>>(found: Counted<N>) -> HttpResponse {
    let rows: Vec<W> = found.rows.into_iter().map(W::from).collect();
    HttpResponse::Ok().insert_header(("x-total-count", found.total)).json(rows)
}

/// That something is done, in words.
#[derive(Serialize, ToSchema)]
pub(super) struct RbacDone {
    /// In the caller's language.
    message: String,
}

/// Says that something is done.
pub(super) fn done(call: &Call, message: &Message) -> Result<HttpResponse, Error> {
    let message = message.text(messages::language(call)).into_owned();
    Ok(HttpResponse::Ok().json(RbacDone { message }))
}

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
            role_name: fields.optional_text("role_name")?,
            description: fields.optional_text("description")?,
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
            permission_name: fields.optional_text("permission_name")?,
            description: fields.optional_text("description")?,
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

/// That a user was given a role.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownAssignment {
    /// `UR_…`.
    id: String,
    /// `usr_…`.
    user_id: String,
    /// `ADMIN` or `TENANT`.
    user_type: &'static str,
    /// `ROLE_…`.
    role_id: String,
    /// For people to read.
    role_name: String,
    /// What tokens name the role by.
    role_code: String,
    /// Who gave it: `usr_…`, a service's id, or `operator` or `system`.
    granted_by: String,
    /// RFC 3339.
    granted_at: String,
    /// RFC 3339; `null` for good.
    expires_at: Option<String>,
    /// Whether it counts: neither has it run out, nor is the role inactive.
    is_active: bool,
}

impl ShownAssignment {
    pub(super) fn new((given, role): (RoleAssignment, Role), user_type: &'static str, now: Timestamp) -> Self {
        let granted_by = given.granted_by.split_once(':').map_or(&*given.granted_by, |(_, id)| id);
        Self {
            id: given.id.to_string(),
            user_id: given.user.to_string(),
            user_type,
            role_id: role.id.to_string(),
            role_name: role.name,
            role_code: role.code,
            granted_by: granted_by.to_owned(),
            granted_at: given.granted_at.rfc3339(),
            expires_at: given.expires_at.map(Timestamp::rfc3339),
            is_active: role.is_active && given.expires_at.is_none_or(|end| end > now),
        }
    }
}

/// Roles that a user is to have.
#[derive(ToSchema)]
pub(super) struct AssignRoles {
    /// `ROLE_…`, 500 at most.
    #[schema(min_items = 1, max_items = 500)]
    pub(super) role_ids: Vec<String>,
    /// When they end, RFC 3339; for good where it is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) expires_at: Option<Timestamp>,
}

impl Body for AssignRoles {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        let wrong = || FieldError::new("expires_at", "must be a time as in 2030-01-31T18:00:00Z");
        let moment = |text: String| Timestamp::parse_rfc3339(&text).ok_or_else(wrong);
        Ok(Self {
            role_ids: fields.texts("role_ids", MOST_IDS)?,
            expires_at: fields.optional_text("expires_at")?.map(moment).transpose()?,
        })
    }
}

/// What a user may do.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionsOfUser {
    /// `usr_…`.
    pub(super) user_id: String,
    /// `ADMIN` or `TENANT`.
    pub(super) user_type: &'static str,
    /// Codes, sorted.
    pub(super) permissions: Vec<String>,
    /// Codes, sorted.
    pub(super) roles: Vec<String>,
}

/// A token that is asked about.
#[derive(ToSchema)]
pub(super) struct AskedToken {
    /// Any text.
    pub(super) token: String,
}

impl Body for AskedToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { token: fields.text("token")? })
    }
}

/// What a token is worth.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct TokenStanding {
    /// Whether it counts at this moment.
    pub(super) valid: bool,
    /// Whether nothing but its age speaks against it.
    pub(super) expired: bool,
    /// RFC 3339.
    pub(super) expires_at: Option<String>,
    /// RFC 3339.
    pub(super) issued_at: Option<String>,
    /// `usr_…`, or the id of a service.
    pub(super) user_id: Option<String>,
    /// `ADMIN` or `TENANT`.
    pub(super) user_type: Option<&'static str>,
    /// In seconds; zero for one that has expired.
    pub(super) time_until_expiry: Option<i64>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub(super) struct WhoCalls {
    /// Whether there was a token that counts.
    pub(super) authenticated: bool,
    /// Whose it is.
    pub(super) user: Option<CallingUser>,
}

/// Whose a token is.
#[derive(Serialize, ToSchema)]
pub(super) struct CallingUser {
    /// `usr_…`, or the id of a service.
    pub(super) user_id: String,
    /// `ADMIN` or `TENANT`.
    pub(super) user_type: &'static str,
    /// The token's `sub`.
    pub(super) subject: String,
    /// Codes of what the token may be used for, sorted.
    pub(super) permissions: Vec<String>,
    /// Codes of the roles that they hold, sorted.
    pub(super) roles: Vec<String>,
    /// RFC 3339.
    pub(super) expires_at: String,
}

/// A refresh token that is to be used.
#[derive(ToSchema)]
pub(super) struct UseRefreshToken {
    /// As it was handed out.
    pub(super) refresh_token: String,
}

impl Body for UseRefreshToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { refresh_token: fields.text("refresh_token")? })
    }
}

/// New tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct NextTokens<'a> {
    /// For the `Authorization` header.
    pub(super) access_token: &'a str,
    /// `bearer`.
    pub(super) token_type: &'static str,
    /// In seconds.
    pub(super) expires_in: u64,
    /// In place of the one that was used.
    pub(super) refresh_token: &'a str,
}
