//! Who calls: a service with the scope that the contract names for the path.

use super::error::Error;
use crate::domain::tenants;
use crate::domain::tokens::Principal;
use crate::domain::users;
use crate::domain::{Ctx, DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::faces::idaas::{self, Service};
use crate::model::ids::{TenantId, UserId};

/// A service with this scope. What it is told from here on is in its own shape.
pub(super) async fn service<'a>(call: &'a Call, scope: Option<&'static str>) -> Result<Service<'a>, Error> {
    match verified(call).await {
        Ok(Outcome::Missing) => Err(Error::unauthorized(Challenge::Missing)),
        Ok(Outcome::Refused) => Err(Error::unauthorized(Challenge::InvalidToken)),
        Ok(Outcome::Verified(token)) => match &token.principal {
            Principal::Service(_) => Ok(idaas::service_of(call, *token, scope)?),
            // Administrators come by their roles (`workspace.md`); until then nobody is one.
            Principal::User(_) => Err(Error::forbidden()),
        },
        Err(not_now) => Err(Error::Later(not_now.into())),
    }
}

/// Which tenants a service's question is about: those it reaches, narrowed to the one it names.
/// `None` is all of them.
pub(super) async fn reach(service: &Service<'_>, named: Option<&str>) -> Result<Option<TenantId>, Error> {
    let unknown = || DomainError::NotFound(Noun::Tenant);
    let own = service.ctx.tenant_id();
    match named {
        None if service.is_of_control_plane() => Ok(None),
        None => Ok(Some(own)),
        Some(text) => {
            let id: TenantId = text.parse().map_err(|_| unknown())?;
            if id != own {
                if !service.is_of_control_plane() {
                    return Err(unknown().into());
                }
                tenants::live(service.ctx.core, id).await?;
            }
            Ok(Some(id))
        }
    }
}

/// The same call, about the tenant that is named, or else the service's own.
pub(super) async fn within<'a>(service: &Service<'a>, named: Option<&str>) -> Result<Ctx<'a>, Error> {
    let mut ctx = service.ctx.clone();
    if let (Some(_), Some(id)) = (named, reach(service, named).await?) {
        ctx.tenant = tenants::live(ctx.core, id).await?;
    }
    Ok(ctx)
}

/// The same call, about the tenant of a user whom the service reaches.
pub(super) async fn of_user<'a>(service: &Service<'a>, user: UserId) -> Result<Ctx<'a>, Error> {
    let mut ctx = service.ctx.clone();
    if service.is_of_control_plane() {
        let user = users::find_anywhere(ctx.core, user).await?;
        ctx.tenant = match tenants::live(ctx.core, user.tenant).await {
            Err(DomainError::NotFound(_)) => return Err(DomainError::NotFound(Noun::User).into()),
            other => other?,
        };
    }
    Ok(ctx)
}

/// A user's id as services write it, or the bare UUID of `workspace.md`.
pub(super) fn user_id(text: &str) -> Result<UserId, Error> {
    let bare = || uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36).map(UserId::from_uuid);
    text.parse().ok().or_else(bare).ok_or_else(|| DomainError::NotFound(Noun::User).into())
}
