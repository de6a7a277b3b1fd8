//! Who calls: a person or a service, by a bearer token.

use std::sync::Arc;

use super::error::Error;
use crate::domain::access::Powers;
use crate::domain::tokens::{Principal, Verified};
use crate::domain::{Ctx, DomainError, Noun, tenants, users};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::model::audit::Actor;
use crate::model::ids::UserId;

/// Somebody who proved to be who they are.
pub(super) struct Caller<'a> {
    /// What they call, in their own tenant.
    pub(super) ctx: Ctx<'a>,
    /// What they may do at this moment.
    pub(super) powers: Powers,
}

/// Whoever holds a token that counts.
pub(super) async fn caller(call: &Call) -> Result<Caller<'_>, Error> {
    match verified::<Error>(call).await? {
        Outcome::Verified(token) => of_token(call, &token).await,
        Outcome::Missing => Err(Error::unauthorized(Challenge::Missing)),
        Outcome::Refused => Err(Error::unauthorized(Challenge::InvalidToken)),
    }
}

async fn of_token<'a>(call: &'a Call, token: &Verified) -> Result<Caller<'a>, Error> {
    let actor = match &token.principal {
        Principal::User(user) => Actor::User(*user),
        Principal::Service(client) => {
            call.made_by(token.tenant.tenant.id, client.client.id.clone());
            Actor::Client(client.client.id.clone())
        }
    };
    let powers = Powers::of(call.core(), token).await?;
    Ok(Caller { ctx: call.ctx(Arc::clone(&token.tenant), actor), powers })
}

/// An administrator, or a service of the default tenant, with this permission.
pub(super) async fn administrator<'a>(call: &'a Call, permission: &'static str) -> Result<Caller<'a>, Error> {
    let caller = caller(call).await?;
    caller.powers.require_everywhere(permission)?;
    Ok(caller)
}

impl<'a> Caller<'a> {
    /// The same call, about the tenant of a user whom they reach: `usr_…`, or a bare UUID.
    pub(super) async fn about_user(&self, text: &str) -> Result<(Ctx<'a>, UserId), Error> {
        let unknown = || DomainError::NotFound(Noun::User);
        let bare = || uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36).map(UserId::from_uuid);
        let id: UserId = text.parse().ok().or_else(bare).ok_or_else(unknown)?;
        let user = users::find_anywhere(self.ctx.core, id).await?;
        let mut ctx = self.ctx.clone();
        if user.tenant != ctx.tenant_id() {
            self.powers.require_reach(user.tenant).map_err(|_| unknown())?;
            ctx.tenant = match tenants::live(ctx.core, user.tenant).await {
                Err(DomainError::NotFound(_)) => return Err(unknown().into()),
                other => other?,
            };
        }
        Ok((ctx, id))
    }
}
