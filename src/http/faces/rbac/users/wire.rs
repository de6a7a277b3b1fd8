//! The roles that a user holds as they go over the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::faces::rbac::wire::MOST_IDS;
use crate::http::fields::{Body, FieldError, Fields};
use crate::model::role::{Role, RoleAssignment};
use crate::model::time::Timestamp;

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
            expires_at: fields.given_text("expires_at")?.map(moment).transpose()?,
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
