//! Scoped grants: who may do what with which module, at a company or at a site. Given, taken, shown, and
//! decided about: a grant on a company covers its sites.
//!
//! What a grant names is looked up in the catalogue when it is given, by key or by code. What the catalogue
//! does not hold is kept as text, unless `member.strict_catalogue` says otherwise, and is linked once an entry
//! of that code is added (`domain/catalogue.rs`).

use std::time::Duration;

use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::provisioning::{self, Account};
use crate::model::audit::Outcome;
use crate::model::catalogue::is_grant_word;
use crate::model::ids::{ModuleId, OrganizationId, ScopedGrantId, SiteId, UserId};
use crate::model::scoped_grant::{GrantScope, GrantTarget, GrantedAction, ScopedGrant};
use crate::model::user::User;
use crate::storage::{StorageError, TenantRows, TenantTx, modules, organizations, scoped_grants, sites};

/// What the words of a grant must be.
const WORD: &str = "must be 1 to 100 letters, digits, dots, colons, - and _";

/// What a grant names, as far as the catalogue holds it.
struct Resolved {
    target: GrantTarget,
    organization: Option<OrganizationId>,
    site: Option<SiteId>,
    module: Option<ModuleId>,
}

/// Looks up what a grant names.
async fn resolve(rows: &TenantRows<'_>, named: &GrantTarget) -> Result<Resolved, StorageError> {
    let mut resolved = Resolved { target: named.clone(), organization: None, site: None, module: None };
    match named.scope_type {
        GrantScope::Company => {
            let by_key = organizations::find_by_key(rows, &named.scope).await?;
            let found = match by_key {
                Some(found) => Some(found),
                None => organizations::find_by_slug(rows, &named.scope).await?,
            };
            if let Some(company) = found {
                (resolved.organization, resolved.target.scope) = (Some(company.id), company.key);
            }
        }
        GrantScope::Site => {
            if let Some(site) = sites::find_named(rows, &named.scope).await? {
                (resolved.site, resolved.target.scope) = (Some(site.id), site.key);
            }
        }
    }
    if let Some(module) = modules::find_named(rows, &named.module).await? {
        (resolved.module, resolved.target.module) = (Some(module.id), module.key);
    }
    Ok(resolved)
}

/// The same for a transaction that writes: what it does not find is not there before it ends, either.
async fn settle(tx: &TenantTx<'_>, named: &GrantTarget) -> Result<Resolved, StorageError> {
    let found = resolve(tx, named).await?;
    if found.require().is_ok() {
        return Ok(found);
    }
    scoped_grants::hold_names(tx).await?;
    resolve(tx, named).await
}

/// A grant from elsewhere; what it holds as mere text is looked up here.
pub(super) async fn settled(tx: &TenantTx<'_>, mut grant: ScopedGrant) -> Result<ScopedGrant, StorageError> {
    if grant.module.is_none() || (grant.organization.is_none() && grant.site.is_none()) {
        let found = settle(tx, &grant.target).await?;
        grant.target = found.target;
        grant.organization = grant.organization.or(found.organization);
        grant.site = grant.site.or(found.site);
        grant.module = grant.module.or(found.module);
    }
    Ok(grant)
}

impl Resolved {
    /// # Errors
    /// [`DomainError::NotFound`] for what the catalogue does not hold.
    fn require(&self) -> Result<(), DomainError> {
        match (self.target.scope_type, self.organization, self.site, self.module) {
            (GrantScope::Company, None, _, _) => Err(DomainError::NotFound(Noun::Organization)),
            (GrantScope::Site, _, None, _) => Err(DomainError::NotFound(Noun::Site)),
            (_, _, _, None) => Err(DomainError::NotFound(Noun::Module)),
            _ => Ok(()),
        }
    }
}

pub(super) fn check(target: &GrantTarget) -> Result<(), Invalid> {
    let words = [("scope_id", &target.scope), ("module", &target.module), ("action", &target.action)];
    match words.into_iter().find(|(_, word)| !is_grant_word(word)) {
        Some((field, _)) => Err(Invalid::new(field, WORD)),
        None => Ok(()),
    }
}

/// Gives somebody a grant, whose account is made if there is none; giving it again is giving it once, also at
/// the same moment. Says which id it has.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for another one's address;
/// [`DomainError::NotFound`] for what a strict catalogue does not hold, and for a user whom nobody makes here;
/// or the database is unavailable.
pub async fn grant(ctx: &Ctx<'_>, to: Account<'_>, target: GrantTarget) -> Result<ScopedGrantId, DomainError> {
    check(&target)?;
    let account = provisioning::Draft::prepare(ctx, to)?;
    let now = ctx.now();
    let id = ScopedGrantId::from_uuid(ctx.core.entropy.uuid_v7(now));
    let detail = Some(describe(&target));
    let entry = ctx.audit("scoped_grant.grant", None, Outcome::Success, detail);
    let rules = ctx.core.config.provisioning.clone();
    let input = (account, target, id, now, ctx.actor.describe(), rules, entry);
    ctx.core
        .db
        .write(input, |tx, (account, target, id, now, by, rules, entry)| {
            Box::pin(async move {
                let of = tx.of(account.tenant);
                let named = settle(&of, target).await?;
                if rules.strict_catalogue {
                    named.require()?;
                }
                let user = account.find_or_create(tx, rules.ensure_users).await?.id;
                // No two of one user at the same moment: they are shown in the order in which they were given.
                let last = scoped_grants::last_granted_at(&of, user).await?;
                let next = last.map_or(*now, |last| (last + Duration::from_millis(1)).max(*now));
                let grant = ScopedGrant {
                    id: *id,
                    user,
                    target: named.target,
                    organization: named.organization,
                    site: named.site,
                    module: named.module,
                    granted_by: by.clone(),
                    granted_at: next,
                };
                let (id, is_new) = scoped_grants::insert(&of, &grant).await?;
                if is_new {
                    let mut entry = entry.clone();
                    entry.target = Some(format!("user:{user}"));
                    crate::storage::audit::append(tx, &entry).await?;
                }
                Ok::<_, DomainError>(id)
            })
        })
        .await
}

/// Takes a grant from somebody; says how many there were.
///
/// # Errors
/// [`DomainError::NotFound`] for the user; [`DomainError::Invalid`] names the field; or the database is
/// unavailable.
pub async fn revoke(ctx: &Ctx<'_>, sub: &str, target: GrantTarget) -> Result<u64, DomainError> {
    check(&target)?;
    let user = provisioning::find_by_sub(ctx, sub).await?.id;
    let detail = Some(describe(&target));
    let entry = ctx.audit("scoped_grant.revoke", Some(format!("user:{user}")), Outcome::Success, detail);
    ctx.core
        .db
        .write((ctx.tenant_id(), user, target, entry), |tx, (tenant, user, target, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let key = settle(&of, target).await?.target;
                let scopes = [key.scope.as_str(), target.scope.as_str()];
                let modules = [key.module.as_str(), target.module.as_str()];
                let gone = scoped_grants::delete(&of, *user, key.scope_type, scopes, modules, &key.action).await?;
                if gone > 0 {
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(gone)
            })
        })
        .await
}

fn describe(target: &GrantTarget) -> String {
    format!("{} {} {} {}", target.scope_type, target.scope, target.module, target.action)
}

/// Somebody, and what they may do where, in the order in which it was granted. Who is disabled may do nothing,
/// and what is inactive adds nothing.
///
/// # Errors
/// [`DomainError::NotFound`] for the user; or the database is unavailable.
pub async fn snapshot(ctx: &Ctx<'_>, sub: &str) -> Result<(User, Vec<GrantedAction>), DomainError> {
    let user = provisioning::find_by_sub(ctx, sub).await?;
    if !user.enabled {
        return Ok((user, Vec::new()));
    }
    let granted = scoped_grants::active_of_user(&ctx.core.db.read().of(ctx.tenant_id()), user.id).await?;
    Ok((user, granted))
}

/// Whether an enabled user may do something with a module at a company or a site, each named by its key or
/// code: by a grant on it, or on the company of the site.
///
/// # Errors
/// The database is unavailable.
pub async fn allows(rows: &TenantRows<'_>, user: UserId, asked: &GrantTarget) -> Result<bool, DomainError> {
    Ok(scoped_grants::reach(rows, user, asked).await?)
}
