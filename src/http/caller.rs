//! Who calls, by a bearer token: where every face begins that takes one.

use super::bearer::Bearer;
use super::call::Call;
use super::limit::{Limit, Limited};
use crate::domain::DomainError;
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

/// Looks at the bearer token.
///
/// # Errors
/// Too many wrong ones came from there, or the database is unavailable; in the shape of whoever asks.
pub(super) async fn verified<E: From<Limited> + From<DomainError>>(call: &Call) -> Result<Outcome, E> {
    let token = match call.bearer() {
        Bearer::Missing => return Ok(Outcome::Missing),
        Bearer::Malformed => return Ok(Outcome::Refused),
        Bearer::Token(token) => token,
    };
    match tokens::verify(call.core(), token).await {
        Ok(verified) if verified.is_for_us() => Ok(Outcome::Verified(Box::new(verified))),
        Ok(_) => Ok(Outcome::Refused),
        Err(DomainError::NotAuthenticated(_)) => {
            call.limit(Limit::KeyFailures)?;
            Ok(Outcome::Refused)
        }
        Err(other) => Err(other.into()),
    }
}
