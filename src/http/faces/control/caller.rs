//! Who calls: a service with the scope that the contract names for the path, or an administrator.

use std::sync::Arc;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::error::Problem;
use crate::domain::access::Powers;
use crate::domain::tokens::{Principal, Verified};
use crate::domain::{Ctx, DomainError, Noun, tenants, users};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::faces::idaas::error::Error as ServiceError;
use crate::http::faces::idaas::{self, Service};
use crate::http::faces::workspace::error::Error as WorkspaceError;
use crate::model::audit::Actor;
use crate::model::ids::{TenantId, UserId};

/// Who may do what the path is for.
pub(super) struct Caller<'a> {
    /// What they call, in their own tenant.
    pub(super) ctx: Ctx<'a>,
    /// The service, if it is one; else an administrator.
    service: Option<Service<'a>>,
    /// Whether they reach every tenant, or their own alone.
    reaches_all: bool,
}

/// Answers somebody with this scope, or an administrator, each in the shape that they can read.
pub(super) async fn serve(
    call: &Call,
    scope: &'static str,
    work: impl AsyncFnOnce(&Caller<'_>) -> Result<HttpResponse, Problem>,
) -> HttpResponse {
    match token(call).await {
        Err(error) => HttpResponse::from_error(error),
        Ok(token) if matches!(token.principal, Principal::Service(_)) => {
            let done = match service(call, token, scope) {
                Ok(caller) => work(&caller).await.map_err(ServiceError::from),
                Err(error) => Err(error),
            };
            done.unwrap_or_else(HttpResponse::from_error)
        }
        Ok(token) => {
            let done = match administrator(call, token, scope).await {
                Ok(caller) => work(&caller).await.map_err(WorkspaceError::from),
                Err(error) => Err(error),
            };
            done.unwrap_or_else(HttpResponse::from_error)
        }
    }
}

/// A token that counts.
async fn token(call: &Call) -> Result<Verified, WorkspaceError> {
    match verified::<WorkspaceError>(call).await? {
        Outcome::Verified(token) => Ok(*token),
        Outcome::Missing => Err(WorkspaceError::unauthorized(Challenge::Missing)),
        Outcome::Refused => Err(WorkspaceError::unauthorized(Challenge::InvalidToken)),
    }
}

/// Whether the call comes from a service.
pub(super) async fn is_service(call: &Call) -> bool {
    // What a service asks for in vain stands in the access log too.
    token(call).await.is_ok_and(|token| idaas::service_of(call, token, None).is_ok())
}

fn service<'a>(call: &'a Call, token: Verified, scope: &'static str) -> Result<Caller<'a>, ServiceError> {
    let service = idaas::service_of(call, token, Some(scope))?;
    let (ctx, reaches_all) = (service.ctx.clone(), service.is_of_control_plane());
    Ok(Caller { ctx, service: Some(service), reaches_all })
}

async fn administrator<'a>(call: &'a Call, token: Verified, scope: &'static str) -> Result<Caller<'a>, WorkspaceError> {
    let Principal::User(user) = token.principal else { return Err(WorkspaceError::forbidden()) };
    let powers = Powers::of(call.core(), &token).await?;
    if !powers.administers(scope) {
        return Err(WorkspaceError::forbidden());
    }
    let ctx = call.ctx(Arc::clone(&token.tenant), Actor::User(user));
    Ok(Caller { ctx, service: None, reaches_all: powers.reaches_all_tenants() })
}

impl<'a> Caller<'a> {
    /// The service that calls.
    ///
    /// # Errors
    /// It is a person.
    pub(super) fn service(&self) -> Result<&Service<'a>, DomainError> {
        self.service.as_ref().ok_or(DomainError::NotAllowed("it takes a service"))
    }

    /// Whether they reach every tenant.
    pub(super) const fn reaches_all(&self) -> bool {
        self.reaches_all
    }

    /// Which tenants a question is about: those that they reach, narrowed to the one that they name.
    /// `None` is all of them.
    pub(super) async fn reach(&self, named: Option<&str>) -> Result<Option<TenantId>, DomainError> {
        let unknown = || DomainError::NotFound(Noun::Tenant);
        let own = self.ctx.tenant_id();
        match named {
            None if self.reaches_all => Ok(None),
            None => Ok(Some(own)),
            Some(text) => {
                let id: TenantId = text.parse().map_err(|_| unknown())?;
                if id != own {
                    if !self.reaches_all {
                        return Err(unknown());
                    }
                    tenants::live(self.ctx.core, id).await?;
                }
                Ok(Some(id))
            }
        }
    }

    /// The same call, about the tenant that is named, or else their own.
    pub(super) async fn within(&self, named: Option<&str>) -> Result<Ctx<'a>, DomainError> {
        let mut ctx = self.ctx.clone();
        if let (Some(_), Some(id)) = (named, self.reach(named).await?) {
            ctx.tenant = tenants::live(ctx.core, id).await?;
        }
        Ok(ctx)
    }

    /// The same call, about the tenant of a user whom they reach.
    pub(super) async fn of_user(&self, user: UserId) -> Result<Ctx<'a>, DomainError> {
        let mut ctx = self.ctx.clone();
        if self.reaches_all {
            let user = users::find_anywhere(ctx.core, user).await?;
            ctx.tenant = match tenants::live(ctx.core, user.tenant).await {
                Err(DomainError::NotFound(_)) => return Err(DomainError::NotFound(Noun::User)),
                other => other?,
            };
        }
        Ok(ctx)
    }

    /// A user's id as they write it: services `usr_…`, administrators a bare UUID.
    pub(super) fn shown(&self, user: UserId) -> String {
        if self.service.is_some() { user.to_string() } else { user.uuid().to_string() }
    }
}

/// A user's id in either form.
pub(super) fn user_id(text: &str) -> Result<UserId, DomainError> {
    let bare = || Uuid::try_parse(text).ok().filter(|_| text.len() == 36).map(UserId::from_uuid);
    text.parse().ok().or_else(bare).ok_or(DomainError::NotFound(Noun::User))
}
