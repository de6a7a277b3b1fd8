//! What goes over the wire on this face.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::memberships::Standing;
use crate::domain::users::PLAIN_ROLE;
use crate::http::faces::idaas::wire::{ListedTenant, empty_profile};
use crate::http::faces::workspace::wire::OwnWorkspace;
use crate::http::fields::{Body, FieldError, Fields};
use crate::model::user::User;

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(super) struct UserPage {
    /// The users of this page.
    pub(super) users: Vec<ListedUser>,
    /// On all pages.
    pub(super) total: u64,
    /// Which page, from 1.
    pub(super) page: u64,
    /// How many to a page.
    pub(super) per_page: u64,
}

/// A user in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedUser {
    /// `usr_…` for services, a bare UUID for administrators.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// `super_admin`, `admin` or `user`: the highest that they hold.
    role: &'static str,
    /// Whether they may sign in.
    is_active: bool,
    /// RFC 3339.
    created_at: String,
}

impl ListedUser {
    /// A user with the highest role that they hold.
    pub(super) fn new(id: String, user: User, role: &'static str) -> Self {
        Self {
            id,
            email: user.email,
            name: user.name,
            role,
            is_active: user.enabled,
            created_at: user.created_at.rfc3339(),
        }
    }
}

/// One user.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownUser {
    /// `usr_…` for services, a bare UUID for administrators.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// `super_admin`, `admin` or `user`: the highest that they hold.
    role: &'static str,
    /// The workspaces that they belong to.
    workspaces: Vec<OwnWorkspace>,
}

impl ShownUser {
    /// A user with the highest role that they hold.
    pub(super) fn new(id: String, user: User, role: &'static str, workspaces: Vec<Standing>) -> Self {
        let workspaces = workspaces.into_iter().map(OwnWorkspace::from).collect();
        Self { id, email: user.email, name: user.name, role, workspaces }
    }
}

/// A new user.
#[derive(ToSchema)]
pub(super) struct CreateUser {
    /// Their address.
    pub(super) email: String,
    /// Their password; without one they can't sign in with any.
    pub(super) password: Option<String>,
    /// For people to read.
    pub(super) name: Option<String>,
    /// In which tenant; the service's own unless said otherwise.
    pub(super) tenant_id: Option<String>,
    /// Any JSON object.
    #[schema(value_type = Option<Object>)]
    pub(super) profile: serde_json::Value,
}

impl Body for CreateUser {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            email: fields.name("email")?,
            password: fields.optional_text("password")?,
            name: fields.optional_text("name")?,
            tenant_id: fields.optional_text("tenant_id")?,
            profile: fields.optional_object("profile")?.unwrap_or_else(empty_profile),
        })
    }
}

/// A user that was just made: what both contracts show of one.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedUser {
    /// `usr_…` for services, a bare UUID for administrators.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// `user`.
    role: &'static str,
    /// Whether they may sign in.
    is_active: bool,
    /// As it was given.
    #[schema(value_type = Object)]
    profile: serde_json::Value,
    /// RFC 3339.
    created_at: String,
}

impl CreatedUser {
    /// A user who holds no role yet.
    pub(super) fn new(id: String, user: User) -> Self {
        Self {
            id,
            email: user.email,
            name: user.name,
            role: PLAIN_ROLE,
            is_active: user.enabled,
            profile: user.profile,
            created_at: user.created_at.rfc3339(),
        }
    }
}

/// A page of tenants.
#[derive(Serialize, ToSchema)]
pub(super) struct TenantPage {
    /// The tenants of this page.
    pub(super) tenants: Vec<ListedTenant>,
    /// On all pages.
    pub(super) total: u64,
    /// Which page, from 1.
    pub(super) page: u64,
    /// How many to a page.
    pub(super) per_page: u64,
}

/// A token for a user.
#[derive(ToSchema)]
pub(super) struct TokenOnBehalf {
    /// `usr_…` or a bare UUID.
    pub(super) user_id: String,
    /// Scope names, separated by spaces.
    pub(super) scope: Option<String>,
    /// In seconds: 300 unless said otherwise, 3600 at most.
    pub(super) expires_in: Option<u64>,
}

impl Body for TokenOnBehalf {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            user_id: fields.text("user_id")?,
            scope: fields.optional_text("scope")?,
            expires_in: fields.optional_count("expires_in")?,
        })
    }
}

/// A token for a user, just made.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedOnBehalf<'a> {
    /// The token.
    pub(super) access_token: &'a str,
    /// `Bearer`.
    pub(super) token_type: &'static str,
    /// In seconds.
    pub(super) expires_in: u64,
    /// Scope names, separated by spaces.
    pub(super) scope: String,
}

/// How the installation does; the names are the contract's.
#[derive(Serialize, ToSchema)]
pub(super) struct SystemHealth {
    /// `healthy` or `degraded`.
    pub(super) status: &'static str,
    /// `connected` or `disconnected`.
    pub(super) database: &'static str,
    /// The shared cache: `not_configured`, since the database does its work.
    pub(super) redis: &'static str,
    /// The background job runner.
    pub(super) celery: &'static str,
}

/// What is read when something is not done: services read `error`, everybody else the other members.
#[derive(ToSchema)]
#[allow(dead_code)] // describes, in the document, what the two faces' `error.rs` write
pub(super) struct EitherError {
    /// What went wrong.
    error: Option<String>,
    /// In words.
    detail: Option<String>,
    /// As a code.
    error_code: Option<String>,
    /// As a status.
    status_code: Option<u16>,
    /// With 422: which members are wrong.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<serde_json::Value>>,
}
