//! Scoped grants: who may do what with which module, at a company or at a site.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, LockType, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationTrait, Select,
};

use super::column::parsed;
use super::db::{TenantRows, TenantTx};
use super::entity::scoped_grants::{Column, Entity, Model, Relation};
use super::entity::{modules, organizations, sites, systems, tenants, users};
use super::error::StorageError;
use crate::model::ids::{ModuleId, OrganizationId, ScopedGrantId, SiteId, UserId};
use crate::model::scoped_grant::{GrantScope, GrantTarget, GrantedAction, ScopedGrant};
use crate::model::time::Timestamp;

/// The organization of a grant's site, beside the one that a grant itself may name.
const OF_SITE: &str = "organization_of_site";

/// Adds a grant unless its user has it already; says which id it has, and whether it is new.
///
/// # Errors
/// What it refers to does not exist, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, grant: &ScopedGrant) -> Result<(ScopedGrantId, bool), StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        id: grant.id.uuid(),
        user_id: grant.user.uuid(),
        scope_type: grant.target.scope_type.as_str().to_owned(),
        scope: grant.target.scope.clone(),
        module: grant.target.module.clone(),
        action: grant.target.action.clone(),
        organization_id: grant.organization.map(OrganizationId::uuid),
        site_id: grant.site.map(SiteId::uuid),
        module_id: grant.module.map(ModuleId::uuid),
        granted_by: grant.granted_by.clone(),
        granted_at: grant.granted_at.millis(),
    };
    use Column::{Action, Module, Scope, ScopeType, TenantId, UserId};
    let had = OnConflict::columns([TenantId, UserId, ScopeType, Scope, Module, Action]).do_nothing().to_owned();
    if Entity::insert(row.into_active_model()).on_conflict(had).exec_without_returning(&tx.raw()).await? == 1 {
        return Ok((grant.id, true));
    }
    let GrantTarget { scope_type, scope, module, action } = &grant.target;
    let kept = of_user(tx, grant.user).filter(about(*scope_type, &[scope], &[module], action)).one(&tx.raw()).await?;
    // Whoever had it may have lost it meanwhile: then the whole may be done again.
    let kept = kept.ok_or_else(|| StorageError::Contended("the grant was revoked at this moment".to_owned()))?;
    Ok((ScopedGrantId::from_uuid(kept.id), false))
}

/// When a user was last given something.
///
/// # Errors
/// The database is unavailable.
pub async fn last_granted_at(rows: &TenantRows<'_>, user: UserId) -> Result<Option<Timestamp>, StorageError> {
    let last = of_user(rows, user).order_by_desc(Column::GrantedAt).one(&rows.raw()).await?;
    Ok(last.map(|row| Timestamp::from_millis(row.granted_at)))
}

/// Takes grants from a user, whichever of these names they have for their scope and module; says how many.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(
    tx: &TenantTx<'_>,
    user: UserId,
    scope_type: GrantScope,
    scopes: [&str; 2],
    modules: [&str; 2],
    action: &str,
) -> Result<u64, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .filter(about(scope_type, &scopes, &modules, action))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected)
}

fn of_user(rows: &TenantRows<'_>, user: UserId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(rows.tenant().uuid())).filter(Column::UserId.eq(user.uuid()))
}

fn about(scope_type: GrantScope, scopes: &[&str], modules: &[&str], action: &str) -> Condition {
    Condition::all()
        .add(Column::ScopeType.eq(scope_type.as_str()))
        .add(Column::Scope.is_in(scopes.iter().copied()))
        .add(Column::Module.is_in(modules.iter().copied()))
        .add(Column::Action.eq(action))
}

/// With everything that a grant names.
fn with_catalogue(query: Select<Entity>) -> Select<Entity> {
    query
        .join(JoinType::LeftJoin, Relation::Organization.def())
        .join(JoinType::LeftJoin, Relation::Site.def())
        .join_as(JoinType::LeftJoin, sites::Relation::Organization.def(), Alias::new(OF_SITE))
        .join(JoinType::LeftJoin, Relation::Module.def())
        .join(JoinType::LeftJoin, modules::Relation::System.def())
}

/// That nothing which a grant names is inactive.
fn is_active() -> Condition {
    let of_site = Expr::col((Alias::new(OF_SITE), organizations::Column::Enabled)).eq(true);
    Condition::all()
        .add(Column::OrganizationId.is_null().or(organizations::Column::Enabled.eq(true)))
        .add(Column::SiteId.is_null().or(sites::Column::Enabled.eq(true).and(of_site)))
        .add(Column::ModuleId.is_null().or(modules::Column::Enabled.eq(true).and(systems::Column::Enabled.eq(true))))
}

/// What a user may do where, in the order in which it was granted; without what is inactive.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn active_of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<GrantedAction>, StorageError> {
    let found: Vec<(String, String, Option<String>, String, String)> = with_catalogue(of_user(rows, user))
        .select_only()
        .column(Column::ScopeType)
        .column(Column::Scope)
        .column_as(systems::Column::Key, "system")
        .column(Column::Module)
        .column(Column::Action)
        .filter(is_active())
        .order_by_asc(Column::GrantedAt)
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let line = |(scope_type, scope, system, module, action): (String, _, _, _, _)| {
        let scope_type = parsed("scoped_grants", "scope_type", &scope_type)?;
        Ok(GrantedAction { target: GrantTarget { scope_type, scope, module, action }, system })
    };
    found.into_iter().map(line).collect()
}

/// Whether an enabled user has an active grant that reaches this: one on the company or site itself, or one
/// on the company of an active site. Scope and module may be keys or codes.
///
/// # Errors
/// The database is unavailable.
pub async fn reach(rows: &TenantRows<'_>, user: UserId, asked: &GrantTarget) -> Result<bool, StorageError> {
    let named = |column: Column, code: Expr, name: &str| column.eq(name).or(code);
    let (scope, module) = (asked.scope.as_str(), asked.module.as_str());
    let at_company = Column::ScopeType.eq(GrantScope::Company.as_str()).and(named(
        Column::Scope,
        organizations::Column::Slug.eq(scope),
        scope,
    ));
    let company_of_site = sites::Entity::find()
        .select_only()
        .column(sites::Column::OrganizationId)
        .filter(sites::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(sites::Column::Key.eq(scope).or(sites::Column::Code.eq(scope)))
        .filter(sites::Column::Enabled.eq(true));
    let at_site =
        Column::ScopeType.eq(GrantScope::Site.as_str()).and(named(Column::Scope, sites::Column::Code.eq(scope), scope));
    let covered = Column::ScopeType
        .eq(GrantScope::Company.as_str())
        .and(Column::OrganizationId.in_subquery(company_of_site.into_query()));
    let query = with_catalogue(of_user(rows, user))
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(users::Column::Enabled.eq(true))
        .filter(is_active())
        .filter(Column::Action.eq(asked.action.as_str()))
        .filter(named(Column::Module, modules::Column::Code.eq(module), module))
        .filter(match asked.scope_type {
            GrantScope::Company => at_company,
            GrantScope::Site => at_site.or(covered),
        });
    Ok(query.limit(1).one(&rows.raw()).await?.is_some())
}

/// An entry of the catalogue that grants may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A company.
    Company(OrganizationId),
    /// A site.
    Site(SiteId),
    /// A module.
    Module(ModuleId),
}

/// Has the catalogue gain no name until this transaction ends, and nobody else ask for the same: then what it does
/// not hold stays mere text for as long, and [`link`] misses none.
///
/// # Errors
/// The database is unavailable.
pub async fn hold_names(tx: &TenantTx<'_>) -> Result<(), StorageError> {
    // The tenant's row stands for the names: rows to come can't be locked. No shared lock, since those who come
    // later would pass by who waits to link.
    tenants::Entity::find_by_id(tx.tenant().uuid()).lock(LockType::NoKeyUpdate).one(&tx.raw()).await?;
    Ok(())
}

/// Links the grants that hold one of these names of an entry as mere text to the entry.
///
/// # Errors
/// The database is unavailable.
pub async fn link(tx: &TenantTx<'_>, entry: Named, key: &str, names: &[&str]) -> Result<(), StorageError> {
    use Column::{Action, Module, Scope, ScopeType, UserId};
    // Whoever gives or takes one as mere text is done once this is held, or sees the entry then.
    hold_names(tx).await?;
    let (text, reference, id, scope_type) = match entry {
        Named::Company(id) => (Scope, Column::OrganizationId, id.uuid(), Some(GrantScope::Company)),
        Named::Site(id) => (Scope, Column::SiteId, id.uuid(), Some(GrantScope::Site)),
        Named::Module(id) => (Module, Column::ModuleId, id.uuid(), None),
    };
    let holding = |names: &[&str]| {
        let kind = scope_type.map(|kind| ScopeType.eq(kind.as_str()));
        let named = text.is_in(names.iter().copied());
        Condition::all().add(Column::TenantId.eq(tx.tenant().uuid())).add(named).add_option(kind)
    };
    // Who was given it by key and by code has it once.
    let codes: Vec<&str> = names.iter().copied().filter(|name| *name != key).collect();
    let other = if matches!(entry, Named::Module(_)) { Scope } else { Module };
    let rest = [UserId, ScopeType, other, Action];
    let by_key = Entity::find().select_only().columns(rest).filter(holding(&[key])).into_query();
    let same = Expr::tuple(rest.map(|column| Expr::col((Entity, column)))).in_subquery(by_key);
    let twice = Entity::delete_many().filter(holding(&codes)).filter(reference.is_null()).filter(same);
    twice.exec(&tx.raw()).await?;
    let done = Entity::update_many()
        .col_expr(text, Expr::value(key))
        .col_expr(reference, Expr::value(id))
        .filter(holding(names))
        .filter(reference.is_null())
        .exec(&tx.raw())
        .await;
    match done.map_err(StorageError::from) {
        Ok(_) => Ok(()),
        // Who had it by code was given it by key at this moment: done again, that is seen.
        Err(StorageError::Duplicate(what)) => Err(StorageError::Contended(what)),
        Err(other) => Err(other),
    }
}
