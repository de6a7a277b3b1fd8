//! The catalogue on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::catalogue::EntryChange;
use crate::http::faces::admin::members::body;
use crate::model::catalogue::{Module, Site, System};
use crate::model::ids::{OrganizationId, SystemId};

/// A system.
#[derive(Serialize, ToSchema)]
#[schema(as = System)]
pub(super) struct SystemShown {
    /// `sys_…`.
    id: String,
    /// `ST…`, stable for life.
    key: String,
    /// What people who write grants by hand call it.
    code: Option<String>,
    /// For people to read.
    name: String,
    /// Whether it contributes to decisions.
    enabled: bool,
    /// RFC 3339.
    created_at: String,
}

impl From<System> for SystemShown {
    fn from(System { id, key, code, name, enabled, created_at }: System) -> Self {
        Self { id: id.to_string(), key, code, name, enabled, created_at: created_at.rfc3339() }
    }
}

/// A module of a system.
#[derive(Serialize, ToSchema)]
#[schema(as = Module)]
pub(super) struct ModuleShown {
    /// `mod_…`.
    id: String,
    /// `MD…`, stable for life.
    key: String,
    /// What people who write grants by hand call it.
    code: Option<String>,
    /// `sys_…`.
    system_id: String,
    /// For people to read.
    name: String,
    /// Whether it contributes to decisions.
    enabled: bool,
    /// RFC 3339.
    created_at: String,
}

impl From<Module> for ModuleShown {
    fn from(Module { id, key, code, system, name, enabled, created_at }: Module) -> Self {
        let (id, system_id) = (id.to_string(), system.to_string());
        Self { id, key, code, system_id, name, enabled, created_at: created_at.rfc3339() }
    }
}

/// A site of an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub(super) struct SiteShown {
    /// `sit_…`.
    id: String,
    /// `ST…`, stable for life.
    key: String,
    /// What people who write grants by hand call it.
    code: Option<String>,
    /// `org_…`.
    organization_id: String,
    /// For people to read.
    name: String,
    /// Whether it contributes to decisions.
    enabled: bool,
    /// RFC 3339.
    created_at: String,
}

impl From<Site> for SiteShown {
    fn from(Site { id, key, code, organization, name, enabled, created_at }: Site) -> Self {
        let (id, organization_id) = (id.to_string(), organization.to_string());
        Self { id, key, code, organization_id, name, enabled, created_at: created_at.rfc3339() }
    }
}

body! {
    /// A system that is to be added.
    NewSystemBody as NewSystem {
        /// For people to read.
        name: String = text,
        /// What people who write grants by hand call it.
        code: Option<String> = optional,
    }
}

body! {
    /// A module that is to be added.
    NewModuleBody as NewModule {
        /// `sys_…`.
        #[schema(value_type = String)]
        system_id: SystemId = required_name,
        /// For people to read.
        name: String = text,
        /// What people who write grants by hand call it.
        code: Option<String> = optional,
    }
}

body! {
    /// A site that is to be added.
    NewSiteBody as NewSite {
        /// `org_…`.
        #[schema(value_type = String)]
        organization_id: OrganizationId = required_name,
        /// For people to read.
        name: String = text,
        /// What people who write grants by hand call it.
        code: Option<String> = optional,
    }
}

body! {
    /// What becomes of an entry: what is absent stays, what is `null` is taken away.
    EntryChangeBody as EntryChange {
        /// For people to read.
        name: Option<String> = replacement,
        /// What people who write grants by hand call it.
        #[schema(value_type = Option<String>)]
        code: Option<Option<String>> = change,
        /// Whether it contributes to decisions.
        enabled: Option<bool> = flag,
    }
}

impl EntryChangeBody {
    /// The change, for the verb.
    pub(super) fn change(self) -> EntryChange {
        EntryChange { name: self.name, code: self.code, enabled: self.enabled }
    }
}
