//! Who calls, by a bearer token: where every face begins that takes one.

use super::bearer::Bearer;
use super::call::Call;
use super::limit::{Limit, Limited};
use crate::domain::DomainError;
use crate::domain::access::Powers;
use crate::domain::tokens::{self, Verified};

/// What became of a bearer token.
pub(super) enum Outcome {
    /// It counts, and is meant for us.
    Verified(Box<Verified>),
    /// There is none.
    Missing,
    /// It does not count.
    Refused,
}

/// Why a token was not looked at.
pub(super) enum NotNow {
    /// Too many wrong ones came from there.
    Limited(Limited),
    /// The database is unavailable.
    Domain(DomainError),
}

/// Looks at the bearer token.
///
/// # Errors
/// See [`NotNow`].
pub(super) async fn verified(call: &Call) -> Result<Outcome, NotNow> {
    let token = match call.bearer() {
        Bearer::Missing => return Ok(Outcome::Missing),
        Bearer::Malformed => return Ok(Outcome::Refused),
        Bearer::Token(token) => token,
    };
    match tokens::verify(call.core(), token).await {
        Ok(verified) if verified.is_for_us() => Ok(Outcome::Verified(Box::new(verified))),
        Ok(_) => Ok(Outcome::Refused),
        Err(DomainError::NotAuthenticated(_)) => {
            call.limit(Limit::KeyFailures).map_err(NotNow::Limited)?;
            Ok(Outcome::Refused)
        }
        Err(other) => Err(NotNow::Domain(other)),
    }
}

/// What the holder of a token may do at this moment.
///
/// # Errors
/// The database is unavailable.
pub(super) async fn powers(call: &Call, token: &Verified) -> Result<Powers, DomainError> {
    Powers::of(call.core(), token).await
}
