//! What goes over the wire on this face, and its words for our nouns: a company is an organization, a member is
//! a user.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::provisioning::Account;
use crate::http::fields::{Body, FieldError, Fields};
use crate::http::query::Query;
use crate::model::catalogue::{Module, Site, System};
use crate::model::organization::Organization;
use crate::model::page::{Counted, Window};
use crate::model::scoped_grant::{GrantScope, GrantTarget, GrantedAction};
use crate::model::user::User;

/// The longest page.
const MOST: u64 = 1000;

/// The part of a list that a request asks for.
pub(super) fn window(query: &Query<'_>, limit: u64) -> Result<Window, FieldError> {
    let wanted = "must be a whole number from 1 to 1000";
    let limit = query.parsed::<u64>("limit", wanted)?.unwrap_or(limit);
    if !(1..=MOST).contains(&limit) {
        return Err(FieldError::new("limit", wanted));
    }
    Ok(Window { limit, offset: query.offset("offset")? })
}

/// Part of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// In the order in which they were made.
    items: Vec<T>,
    /// How many there are in all.
    total: u64,
    /// How many at most were asked for.
    limit: u64,
    /// How many stand before these.
    offset: u64,
}

impl<T> Page<T> {
    /// What was found of a part.
    pub(super) fn new<N>(found: Counted<N>, window: Window) -> Self
    where
        T: From<N>,
    {
        let items = found.rows.into_iter().map(T::from).collect();
        Self { items, total: found.total, limit: window.limit, offset: window.offset }
    }
}

/// Whether an entry contributes to decisions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// It does.
    Active,
    /// It does not.
    Inactive,
}

impl From<bool> for Status {
    fn from(enabled: bool) -> Self {
        if enabled { Self::Active } else { Self::Inactive }
    }
}

/// A system.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedSystem {
    id: Uuid,
    /// `ST…`.
    system_key: String,
    /// For people to read.
    name: String,
    status: Status,
}

impl From<System> for ListedSystem {
    fn from(system: System) -> Self {
        let status = system.enabled.into();
        Self { id: system.id.uuid(), system_key: system.key, name: system.name, status }
    }
}

/// A module.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedModule {
    id: Uuid,
    /// `MD…`.
    module_key: String,
    /// `ST…`.
    system_key: String,
    /// For people to read.
    name: String,
    status: Status,
}

impl From<(Module, String)> for ListedModule {
    fn from((module, system_key): (Module, String)) -> Self {
        let status = module.enabled.into();
        Self { id: module.id.uuid(), module_key: module.key, system_key, name: module.name, status }
    }
}

/// A company.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedCompany {
    id: Uuid,
    /// `CP…`.
    company_key: String,
    /// For people to read.
    name: String,
    status: Status,
}

impl From<Organization> for ListedCompany {
    fn from(company: Organization) -> Self {
        let status = company.enabled.into();
        Self { id: company.id.uuid(), company_key: company.key, name: company.name, status }
    }
}

/// A site.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedSite {
    id: Uuid,
    /// `ST…`.
    site_key: String,
    /// `CP…`.
    company_key: String,
    /// For people to read.
    name: String,
    status: Status,
}

impl From<(Site, String)> for ListedSite {
    fn from((site, company_key): (Site, String)) -> Self {
        let status = site.enabled.into();
        Self { id: site.id.uuid(), site_key: site.key, company_key, name: site.name, status }
    }
}

/// A member.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedMember {
    id: Uuid,
    /// What other systems know them by.
    user_sub: String,
    /// As it was given.
    username: Option<String>,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    display_name: Option<String>,
    /// Whether they may sign in.
    is_active: bool,
}

impl From<User> for ListedMember {
    fn from(user: User) -> Self {
        Self {
            id: user.id.uuid(),
            user_sub: user.sub(),
            username: user.username,
            email: user.email,
            display_name: user.name,
            is_active: user.enabled,
        }
    }
}

/// What a trusted system says of a person; what is not there stays as it is.
#[derive(ToSchema)]
pub(super) struct UpsertUser {
    /// What it knows them by; visible ASCII without `/ \ ; % ? #`, or one of our ids.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) user_sub: String,
    /// A name to sign in with.
    pub(super) username: Option<String>,
    /// Their address.
    pub(super) email: Option<String>,
    /// For people to read.
    pub(super) display_name: Option<String>,
    /// Whether they may sign in.
    pub(super) is_active: Option<bool>,
}

impl Body for UpsertUser {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            user_sub: fields.text("user_sub")?,
            username: fields.optional_text("username")?,
            email: fields.optional_text("email")?,
            display_name: fields.optional_text("display_name")?,
            is_active: fields.optional_flag("is_active")?,
        })
    }
}

impl UpsertUser {
    /// The same in our words.
    pub(super) fn account(&self) -> Account<'_> {
        Account {
            sub: &self.user_sub,
            username: self.username.as_deref(),
            email: self.email.as_deref(),
            name: self.display_name.as_deref(),
            enabled: self.is_active,
        }
    }
}

/// A person as they are now.
#[derive(Serialize, ToSchema)]
pub(super) struct UpsertedUser {
    id: Uuid,
    /// What other systems know them by.
    user_sub: String,
    /// The same as `id`: this installation is the identity provider.
    idp_user_id: Uuid,
    /// As it was given.
    username: Option<String>,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    display_name: Option<String>,
    /// Whether they may sign in.
    is_active: bool,
}

impl From<User> for UpsertedUser {
    fn from(user: User) -> Self {
        Self {
            id: user.id.uuid(),
            user_sub: user.sub(),
            idp_user_id: user.id.uuid(),
            username: user.username,
            email: user.email,
            display_name: user.name,
            is_active: user.enabled,
        }
    }
}

/// What became of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum EnsureAction {
    /// It was made.
    Created,
    /// It was there.
    Updated,
}

/// That there is an account.
#[derive(Serialize, ToSchema)]
pub(super) struct EnsuredUser {
    /// Its id.
    pub(super) idp_user_id: Uuid,
    /// What became of it.
    pub(super) action: EnsureAction,
}

/// What somebody may do where.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionSnapshot {
    /// What other systems know them by.
    pub(super) user_sub: String,
    /// One row for each scope, system and module, in the order in which they were first granted.
    pub(super) permissions: Vec<MergedPermission>,
}

/// What somebody may do with a module, at a company or at a site.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct MergedPermission {
    /// `company` or `site`.
    #[schema(value_type = String)]
    scope_type: GrantScope,
    /// Its key, or the text of the grant where the catalogue does not hold it.
    scope_id: String,
    /// The key of the module's system; `null` where the catalogue does not hold the module.
    system: Option<String>,
    /// The module's key, or the text of the grant.
    module: String,
    /// In the order in which they were granted.
    actions: Vec<String>,
}

/// Rows of one scope, system and module as one.
pub(super) fn merged(granted: Vec<GrantedAction>) -> Vec<MergedPermission> {
    let mut rows: Vec<MergedPermission> = Vec::new();
    let mut places = HashMap::new();
    for GrantedAction { target: GrantTarget { scope_type, scope, module, action }, system } in granted {
        // A module is of one system.
        let place = *places.entry((scope_type, scope.clone(), module.clone())).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.actions.push(action),
            None => rows.push(MergedPermission { scope_type, scope_id: scope, system, module, actions: vec![action] }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_one_scope_and_module_are_one_row_in_the_order_of_their_granting() {
        let granted = |scope: &str, module: &str, action: &str| GrantedAction {
            target: GrantTarget {
                scope_type: GrantScope::Site,
                scope: scope.to_owned(),
                module: module.to_owned(),
                action: action.to_owned(),
            },
            system: None,
        };
        let rows = merged(vec![granted("b", "m", "view"), granted("a", "m", "view"), granted("b", "m", "edit")]);
        let told: Vec<_> = rows.iter().map(|row| (row.scope_id.as_str(), row.actions.join(" "))).collect();
        assert_eq!(told, [("b", "view edit".to_owned()), ("a", "view".to_owned())]);
    }
}
