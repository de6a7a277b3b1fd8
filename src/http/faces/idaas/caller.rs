//! Who calls: a tenant by its key, a person by their token, a service by its token.

use std::sync::Arc;

use super::error::Error;
use crate::domain::clients::LiveClient;
use crate::domain::tenants;
use crate::domain::tokens::{ACCOUNT_SCOPES, Principal, Verified};
use crate::domain::{Ctx, DomainError};
use crate::http::bearer::{Bearer, Challenge};
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::ids::UserId;
use crate::model::tenant::TenantKeyKind;

/// A tenant's own back end or front end, by a key of one of these kinds.
pub(super) async fn tenant_key<'a>(call: &'a Call, kinds: &[TenantKeyKind]) -> Result<Ctx<'a>, Error> {
    let refused = || Error::no_tenant(Challenge::InvalidToken);
    let key = match call.bearer() {
        Bearer::Missing => return Err(Error::no_tenant(Challenge::Missing)),
        Bearer::Malformed => return Err(refused()),
        Bearer::Token(key) => key,
    };
    match tenants::by_key(call.core(), key).await {
        Ok((tenant, kind)) if kinds.contains(&kind) => Ok(call.ctx(tenant, Actor::TenantKey(kind.as_str()))),
        Ok(_) => Err(refused()),
        Err(DomainError::NotAuthenticated(_)) => {
            call.limit(Limit::KeyFailures)?;
            Err(refused())
        }
        Err(other) => Err(other.into()),
    }
}

/// A person, by a token that shows their account.
pub(super) async fn user(call: &Call) -> Result<(Ctx<'_>, UserId), Error> {
    let refused = || Error::no_user(Challenge::InvalidToken);
    let token = match verified::<Error>(call).await? {
        Outcome::Verified(token) => *token,
        Outcome::Missing => return Err(Error::no_user(Challenge::Missing)),
        Outcome::Refused => return Err(refused()),
    };
    let Principal::User(user) = token.principal else { return Err(refused()) };
    if !token.shows_account() {
        return Err(Error::forbidden(ACCOUNT_SCOPES));
    }
    Ok((call.ctx(token.tenant, Actor::User(user)), user))
}

/// A service that proved to be one.
pub(in crate::http::faces) struct Service<'a> {
    /// What it calls, in its own tenant.
    pub(in crate::http::faces) ctx: Ctx<'a>,
    /// Which one.
    pub(in crate::http::faces) client: Arc<LiveClient>,
    /// Its token.
    pub(in crate::http::faces) token: Verified,
}

impl Service<'_> {
    /// Whether it holds the scope at this moment, by this token.
    pub(in crate::http::faces) fn has(&self, scope: &str) -> bool {
        self.token.scope.contains(scope)
    }

    /// # Errors
    /// 403 if it lacks the scope.
    pub(in crate::http::faces) fn require(&self, scope: &'static str) -> Result<(), Error> {
        if self.has(scope) { Ok(()) } else { Err(Error::forbidden(scope)) }
    }

    /// Whether it belongs to the default tenant, whose services administer the installation.
    pub(in crate::http::faces) fn is_of_control_plane(&self) -> bool {
        self.ctx.tenant.tenant.is_default
    }
}

/// A service, by its token, with this scope.
pub(super) async fn service<'a>(call: &'a Call, scope: Option<&'static str>) -> Result<Service<'a>, Error> {
    match verified::<Error>(call).await? {
        Outcome::Verified(token) => service_of(call, *token, scope),
        Outcome::Missing => Err(Error::no_service(Challenge::Missing)),
        Outcome::Refused => Err(Error::no_service(Challenge::InvalidToken)),
    }
}

/// The service whose token this is, with this scope. A person's token holds no scope of a service.
pub(in crate::http::faces) fn service_of<'a>(
    call: &'a Call,
    token: Verified,
    scope: Option<&'static str>,
) -> Result<Service<'a>, Error> {
    let Principal::Service(client) = &token.principal else { return Err(Error::no_scope(scope)) };
    let client = Arc::clone(client);
    call.made_by(token.tenant.tenant.id, client.client.id.clone());
    let ctx = call.ctx(Arc::clone(&token.tenant), Actor::Client(client.client.id.clone()));
    let service = Service { ctx, client, token };
    match scope {
        Some(scope) => service.require(scope).map(|()| service),
        None => Ok(service),
    }
}

/// The service that makes the request, where a call needs no token and carries one that counts. One
/// that does not is as good as none.
///
/// # Errors
/// As [`verified`].
pub(super) async fn service_if_any(call: &Call) -> Result<Option<Service<'_>>, Error> {
    match verified::<Error>(call).await? {
        Outcome::Verified(token) if matches!(token.principal, Principal::Service(_)) => {
            service_of(call, *token, None).map(Some)
        }
        _ => Ok(None),
    }
}
