//! What a client calls a person, `sub` (OpenID Connect Core §8), and their session, `sid`.

use super::core::Core;
use super::error::DomainError;
use crate::model::client::Client;
use crate::model::client_settings::SubjectType;
use crate::model::ids::{SessionId, UserId};

/// What every pseudonym begins with; no client's id and no user's id does.
const PREFIX: &str = "psd_";

/// The host that tells a client's sector from others (OpenID Connect Core §8.1).
#[must_use]
pub fn sector(client: &Client) -> String {
    let listed = client.settings.sector_identifier_uri.as_deref();
    let uri = listed.or_else(|| client.redirect_uris.first().map(String::as_str));
    let host = uri.and_then(|uri| url::Url::parse(uri).ok()).and_then(|uri| uri.host_str().map(str::to_owned));
    host.unwrap_or_else(|| client.id.to_string())
}

/// The `sub` of a user in tokens of a client: the user's id, or a pseudonym of the client's sector.
///
/// # Errors
/// The library would not encrypt: a defect.
pub fn of(core: &Core, client: &Client, user: UserId) -> Result<String, DomainError> {
    match client.settings.subject_type {
        SubjectType::Public => Ok(user.to_string()),
        SubjectType::Pairwise => {
            let sealed = core.pairwise.seal(client.tenant.uuid(), &sector(client), user.uuid());
            let sealed = sealed.ok_or_else(|| DomainError::Defect("a pseudonym could not be made".to_owned()))?;
            Ok(format!("{PREFIX}{}", sealed.simple()))
        }
    }
}

/// What a client calls a session, `sid` (OpenID Connect Back-Channel Logout §2.1): clients of different
/// sectors could tell by one name for all that two pseudonyms are one person's.
///
/// # Errors
/// As [`of`].
pub fn sid(core: &Core, client: &Client, session: SessionId) -> Result<String, DomainError> {
    match client.settings.subject_type {
        SubjectType::Public => Ok(session.sid()),
        SubjectType::Pairwise => {
            let sealed = core.pairwise.seal(client.tenant.uuid(), &sector(client), session.uuid());
            let sealed = sealed.ok_or_else(|| DomainError::Defect("a session's name could not be made".to_owned()))?;
            Ok(sealed.simple().to_string())
        }
    }
}

/// The user whom a client calls this.
#[must_use]
pub fn user(core: &Core, client: &Client, subject: &str) -> Option<UserId> {
    match client.settings.subject_type {
        SubjectType::Public => subject.parse().ok(),
        SubjectType::Pairwise => {
            let sealed = uuid::Uuid::try_parse(subject.strip_prefix(PREFIX)?).ok()?;
            core.pairwise.open(client.tenant.uuid(), &sector(client), sealed).map(UserId::from_uuid)
        }
    }
}
