//! Who calls, and which of their workspaces it is about.

use uuid::Uuid;

use super::error::Error;
use crate::domain::memberships::{self, Standing};
use crate::domain::tokens::{Principal, Verified};
use crate::domain::{Ctx, DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::caller::{Outcome, verified};
use crate::model::audit::Actor;
use crate::model::ids::UserId;

/// A person with a token.
pub(super) struct Person<'a> {
    /// What they call, in their own tenant.
    pub(super) ctx: Ctx<'a>,
    /// Who.
    pub(super) user: UserId,
    /// Their token.
    pub(super) token: Verified,
}

impl Person<'_> {
    /// # Errors
    /// 403 for a token that does not carry all that its person may do.
    fn require_whole(&self) -> Result<(), Error> {
        if self.token.is_whole { Ok(()) } else { Err(Error::forbidden()) }
    }

    /// # Errors
    /// 403 for a token whose app was not allowed to see the account.
    pub(super) fn require_account(&self) -> Result<(), Error> {
        if self.token.shows_account() { Ok(()) } else { Err(Error::forbidden()) }
    }
}

/// A person, by any token of theirs.
pub(super) async fn bearer(call: &Call) -> Result<Person<'_>, Error> {
    let token = match verified::<Error>(call).await? {
        Outcome::Verified(token) => *token,
        Outcome::Missing => return Err(Error::unauthorized(Challenge::Missing)),
        Outcome::Refused => return Err(Error::unauthorized(Challenge::InvalidToken)),
    };
    let Principal::User(user) = token.principal else { return Err(Error::forbidden()) };
    Ok(Person { ctx: call.ctx(std::sync::Arc::clone(&token.tenant), Actor::User(user)), user, token })
}

/// A person, by a token that carries all that they may do.
pub(super) async fn person(call: &Call) -> Result<Person<'_>, Error> {
    let person = bearer(call).await?;
    person.require_whole().map(|()| person)
}

/// The same, in the workspace that the call is about.
pub(super) async fn in_workspace(call: &Call) -> Result<(Person<'_>, Standing), Error> {
    let person = person(call).await?;
    let mut headers = call.headers().get_all("x-workspace-id");
    let named = headers.next().map(|value| value.to_str().unwrap_or("?").trim()).filter(|name| !name.is_empty());
    if headers.next().is_some() {
        return Err(Error::workspace_required());
    }
    let claimed = person.token.claims.organization_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
    let standing = memberships::standing(&person.ctx, person.user, named, claimed).await?;
    Ok((person, standing.ok_or_else(Error::workspace_required)?))
}

/// The bare UUID in a path that names something.
pub(super) fn id_in_path(call: &Call, noun: Noun) -> Result<Uuid, Error> {
    let text = call.path_part("id");
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    id.ok_or_else(|| DomainError::NotFound(noun).into())
}
