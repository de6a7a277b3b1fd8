//! Who calls, with which powers, about which tenant.

use super::error::Error;
use crate::domain::access::Powers;
use crate::domain::tokens::Principal;
use crate::domain::{Ctx, DomainError, Noun, tenants};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::model::audit::Actor;
use crate::model::ids::TenantId;

/// Somebody who may do what the operation asks for.
pub(super) struct Caller<'a> {
    /// What they ask.
    pub(super) call: &'a Call,
    /// The call, about the tenant that it names, or else the caller's own.
    pub(super) ctx: Ctx<'a>,
    /// What they may do.
    pub(super) powers: Powers,
    /// Their own tenant.
    pub(super) own: TenantId,
}

impl Caller<'_> {
    /// What tells this caller from every other.
    pub(super) fn identity(&self) -> String {
        format!("{} {}", self.own, self.ctx.actor.describe())
    }

    /// That they administer the installation, not one tenant.
    pub(super) fn require_all_tenants(&self) -> Result<(), DomainError> {
        if self.powers.reaches_all_tenants() {
            return Ok(());
        }
        Err(DomainError::NotAllowed("only administrators and services of the default tenant may do this"))
    }
}

/// The caller, who must hold these permissions; `tenant_id` in the query names another tenant.
pub(super) async fn caller<'a>(call: &'a Call, permissions: &[&'static str]) -> Result<Caller<'a>, Error> {
    let token = match verified::<Error>(call).await? {
        Outcome::Verified(token) => *token,
        Outcome::Missing => return Err(Error::unauthorized(Challenge::Missing)),
        Outcome::Refused => return Err(Error::unauthorized(Challenge::InvalidToken)),
    };
    let powers = Powers::of(call.core(), &token).await?;
    permissions.iter().try_for_each(|permission| powers.require(permission))?;
    let own = token.tenant.tenant.id;
    let actor = match &token.principal {
        Principal::User(user) => Actor::User(*user),
        Principal::Service(client) => Actor::Client(client.client.id.clone()),
    };
    let tenant = match call.query().text("tenant_id")? {
        None => token.tenant,
        Some(text) => {
            let id = text.parse().map_err(|_| DomainError::NotFound(Noun::Tenant))?;
            powers.require_reach(id)?;
            tenants::live(call.core(), id).await?
        }
    };
    Ok(Caller { call, ctx: call.ctx(tenant, actor), powers, own })
}
