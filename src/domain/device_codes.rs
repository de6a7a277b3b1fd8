//! Devices that wait for a person's word (RFC 8628): the long code that the device holds, the short one
//! that the person types, and what they say.

use std::time::Duration;

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::Outcome;
use crate::model::authorization::Authorization;
use crate::model::device_code::{DeviceCode, DeviceState};
use crate::model::ids::{ClientId, FamilyId};
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::storage::{StorageError, device_codes as rows};

/// Consonants that nobody confuses and that make no words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters in a user code: 20⁸ are 2.5 × 10¹⁰.
const LENGTH: usize = 8;
/// What a device that asks too often must wait longer (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// A device's request with its code in the clear for the one time.
pub struct Begun {
    /// `ghd_…`.
    pub device_code: Secret<String>,
    /// As the person types it: `BCDF-GHJK`.
    pub user_code: String,
    /// How long the device must wait between two questions.
    pub interval: Duration,
    /// How long both codes count.
    pub expires_in: Duration,
}

/// What a device hears when it asks.
pub enum Asked {
    /// A person allowed it: its digest, for the redemption.
    Allowed([u8; 32]),
    /// Nobody has said anything.
    Pending,
    /// It asks too often.
    TooOften,
    /// A person refused it.
    Denied,
    /// Nobody said anything in time.
    Expired,
    /// It does not count: unknown, used, or another client's; the cause is for the log.
    Refused(&'static str),
}

/// The canonical form of what a person typed.
#[must_use]
pub fn canonical(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '–' | '—'));
    let code: String = letters.take(LENGTH + 1).map(|c| c.to_ascii_uppercase()).collect();
    (code.len() == LENGTH && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

/// A canonical code as people read it.
#[must_use]
pub fn readable(code: &str) -> String {
    code.split_at_checked(LENGTH / 2).map_or_else(|| code.to_owned(), |(first, rest)| format!("{first}-{rest}"))
}

fn made_up(ctx: &Ctx<'_>) -> String {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        // 240 is the largest multiple of 20 in a byte: every letter is equally likely.
        let fair = ctx.core.entropy.bytes::<16>().into_iter().filter(|byte| *byte < 240);
        let letters = fair.filter_map(|byte| LETTERS.get(usize::from(byte % 20)));
        code.extend(letters.take(LENGTH - code.len()).map(|letter| char::from(*letter)));
    }
    code
}

/// Begins a device's request.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    client: &ClientId,
    scope: OAuthScope,
    audience: Option<String>,
) -> Result<Begun, DomainError> {
    let config = &ctx.core.config.tokens;
    let now = ctx.now();
    let device_code = opaque::generate(TokenKind::DeviceCode, &*ctx.core.entropy);
    let mut row = DeviceCode {
        digest: *opaque::digest_of_secret(device_code.expose()).as_bytes(),
        user_code: String::new(),
        client: client.clone(),
        scope,
        audience,
        state: DeviceState::Pending,
        family: FamilyId::from_uuid(ctx.core.entropy.uuid_v4()),
        authorization: None,
        interval: config.device_interval,
        polled_at: None,
        created_at: now,
        expires_at: now + config.device_code,
    };
    // Two codes are hardly ever the same at the same time; then another one is made.
    for _ in 0..8 {
        row.user_code = made_up(ctx);
        let written = ctx
            .core
            .db
            .write((ctx.tenant_id(), row.clone()), |tx, (tenant, row)| {
                Box::pin(async move {
                    match rows::insert(&tx.of(*tenant), row).await {
                        Err(StorageError::Duplicate(_)) => Err(DomainError::Taken(super::error::Noun::Link)),
                        other => Ok(other?),
                    }
                })
            })
            .await;
        match written {
            Err(DomainError::Taken(_)) => {}
            Err(other) => return Err(other),
            Ok(()) => {
                return Ok(Begun {
                    device_code,
                    user_code: readable(&row.user_code),
                    interval: row.interval,
                    expires_in: config.device_code,
                });
            }
        }
    }
    Err(DomainError::Busy { retry_after: Duration::from_secs(1) })
}

/// The device's request that waits under this code.
///
/// # Errors
/// The database is unavailable.
pub async fn waiting(ctx: &Ctx<'_>, typed: &str) -> Result<Option<DeviceCode>, DomainError> {
    let Some(code) = canonical(typed) else { return Ok(None) };
    let found = rows::find_by_user_code(&ctx.core.db.read().of(ctx.tenant_id()), &code).await?;
    Ok(found.filter(|code| code.state == DeviceState::Pending && code.expires_at > ctx.now()))
}

/// Writes down what a person says: what they allow, or that they refuse. False if the request is over.
///
/// # Errors
/// The database is unavailable.
pub async fn decide(ctx: &Ctx<'_>, code: &DeviceCode, allowed: Option<Authorization>) -> Result<bool, DomainError> {
    let (action, state) = match &allowed {
        Some(_) => ("device.allow", DeviceState::Approved),
        None => ("device.deny", DeviceState::Denied),
    };
    let entry = ctx.audit(action, Some(format!("client:{}", code.client)), Outcome::Success, None);
    let input = (ctx.tenant_id(), code.user_code.clone(), state, allowed, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, code, state, allowed, now, entry)| {
            Box::pin(async move {
                let decided = rows::decide(&tx.of(*tenant), code, *state, allowed.as_ref(), *now).await?;
                if decided {
                    crate::storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>(decided)
            })
        })
        .await
}

/// What a device hears when it asks.
///
/// # Errors
/// The database is unavailable.
pub async fn ask(ctx: &Ctx<'_>, client: &ClientId, presented: &str) -> Result<Asked, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::DeviceCode, presented) else {
        return Ok(Asked::Refused("not a device code"));
    };
    let input = (ctx.tenant_id(), *digest.as_bytes(), client.clone(), ctx.now());
    ctx.core
        .db
        .write(input, |tx, (tenant, digest, client, now)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let Some(code) = rows::find(&of, digest).await? else { return Ok(Asked::Refused("unknown code")) };
                if code.client != *client {
                    return Ok(Asked::Refused("issued to another client"));
                }
                if code.state == DeviceState::Used {
                    return Ok(Asked::Refused("used before"));
                }
                if code.expires_at <= *now {
                    return Ok(Asked::Expired);
                }
                match code.state {
                    DeviceState::Denied => return Ok(Asked::Denied),
                    // Whoever comes with the right code after a yes need not be slowed down.
                    DeviceState::Approved => return Ok(Asked::Allowed(*digest)),
                    DeviceState::Pending | DeviceState::Used => {}
                }
                let too_often = code.polled_at.is_some_and(|before| before + code.interval > *now);
                let interval = if too_often { code.interval + SLOWER } else { code.interval };
                rows::note_poll(&of, digest, *now, interval).await?;
                Ok::<_, DomainError>(if too_often { Asked::TooOften } else { Asked::Pending })
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "b c d f – g h j k"] {
            assert_eq!(canonical(typed).as_deref(), Some("BCDFGHJK"), "{typed}");
        }
        for typed in ["", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1", "ＢCDFGHJK"] {
            assert_eq!(canonical(typed), None, "{typed}");
        }
        assert_eq!(readable("BCDFGHJK"), "BCDF-GHJK");
    }
}
