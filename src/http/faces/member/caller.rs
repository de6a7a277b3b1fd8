//! Who calls: a member, by their token.

use crate::domain::Ctx;
use crate::domain::tokens::{ACCOUNT_SCOPES, Principal};
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::faces::handoff::error::Error;
use crate::model::audit::Actor;
use crate::model::ids::UserId;

/// A person of the default tenant, by a token that shows their account.
pub(super) async fn member(call: &Call) -> Result<(Ctx<'_>, UserId), Error> {
    let token = match verified::<Error>(call).await? {
        Outcome::Verified(token) => *token,
        Outcome::Missing => return Err(Error::missing_bearer_token()),
        Outcome::Refused => return Err(Error::invalid_bearer_token()),
    };
    let Principal::User(user) = token.principal else { return Err(Error::invalid_bearer_token()) };
    if !token.tenant.tenant.is_default {
        return Err(Error::invalid_bearer_token());
    }
    if !token.shows_account() {
        return Err(Error::insufficient_scope(ACCOUNT_SCOPES));
    }
    Ok((call.ctx(token.tenant, Actor::User(user)), user))
}
