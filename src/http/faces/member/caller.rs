//! Who calls: a member, by their token.

use crate::domain::Ctx;
use crate::domain::tokens::Principal;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::http::faces::handoff::error::Error;
use crate::model::audit::Actor;
use crate::model::ids::UserId;

/// What a token of somebody else's app must hold to show its person's account: what the account shows.
const ACCOUNT_SCOPES: [&str; 2] = ["profile", "email"];
const ACCOUNT_SCOPE: &str = "profile email";

/// A person of the default tenant, by any token of theirs.
pub(super) async fn member(call: &Call) -> Result<(Ctx<'_>, UserId), Error> {
    let token = match verified(call).await? {
        Outcome::Verified(token) => *token,
        Outcome::Missing => return Err(Error::missing_bearer_token()),
        Outcome::Refused => return Err(Error::invalid_bearer_token()),
    };
    let Principal::User(user) = token.principal else { return Err(Error::invalid_bearer_token()) };
    if !token.tenant.tenant.is_default {
        return Err(Error::invalid_bearer_token());
    }
    // Whoever acts for a person was given that power.
    let may_see = token.is_whole || token.claims.act.is_some();
    if !may_see && !ACCOUNT_SCOPES.iter().all(|name| token.scope.contains(name)) {
        return Err(Error::insufficient_scope(ACCOUNT_SCOPE));
    }
    Ok((call.ctx(token.tenant, Actor::User(user)), user))
}
