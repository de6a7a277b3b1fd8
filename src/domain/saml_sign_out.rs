//! Single Logout (Profiles §4.4): who signs out here may want to be signed out at their SAML provider too,
//! and whom the provider signs out is signed out here. Messages are verified in `protocol/saml`.

use super::ctx::Ctx;
use super::error::{DomainError, Invalid};
use super::logout::{self, Ending};
use super::saml_sign_in::{self, Journey};
use super::tokens::{self, AccessClaims};
use super::{audit, keys};
use crate::crypto::digest::Digest;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::connection::{Connection, SamlSession, UpstreamLogin};
use crate::model::ids::FamilyId;
use crate::model::time::Timestamp;
use crate::model::token::RevocationReason;
use crate::storage::saml_sessions::{self, Led};
use crate::storage::{Tx, saml_assertions, sessions, tokens as rows, upstream_logins};

/// Ends the sign-in that a token comes from; the session at the provider of this connection from which it
/// came, if it did.
///
/// # Errors
/// As [`tokens::end_sign_in`].
pub async fn leave(
    ctx: &Ctx<'_>,
    connection: &Connection,
    claims: &AccessClaims,
) -> Result<Option<SamlSession>, DomainError> {
    let family: Option<FamilyId> = claims.family.as_deref().and_then(|family| family.parse().ok());
    let from = match family {
        Some(family) => saml_sessions::of_family(&ctx.core.db.read().of(ctx.tenant_id()), family).await?,
        None => None,
    };
    tokens::end_sign_in(ctx, claims).await?;
    Ok(from.filter(|session| session.connection == connection.id))
}

/// Somebody sets out to be signed out at the provider too, and will go on to `return_to`.
///
/// # Errors
/// The database is unavailable.
pub async fn set_out(ctx: &Ctx<'_>, connection: &Connection, return_to: String) -> Result<Journey, DomainError> {
    saml_sign_in::begin(ctx, connection, TokenKind::UpstreamLogout, return_to, None).await
}

/// The journey to this connection's provider that this is the reference of, if it is not over.
///
/// # Errors
/// The database is unavailable.
pub async fn journey(
    ctx: &Ctx<'_>,
    connection: &Connection,
    relay_state: &str,
) -> Result<Option<UpstreamLogin>, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::UpstreamLogout, relay_state) else { return Ok(None) };
    let found = upstream_logins::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes(), ctx.now()).await?;
    Ok(found.filter(|login| login.connection == connection.id))
}

/// Somebody is back from it.
///
/// # Errors
/// [`DomainError::Invalid`] for a journey that is over; or the database is unavailable.
pub async fn back(ctx: &Ctx<'_>, journey: UpstreamLogin) -> Result<(), DomainError> {
    let written = ctx.core.db.write((ctx.tenant_id(), journey, ctx.now()), |tx, (tenant, journey, now)| {
        Box::pin(async move {
            if upstream_logins::use_once(&tx.of(*tenant), journey, *now).await? {
                return Ok(());
            }
            Err(DomainError::from(Invalid::new("RelayState", "was answered before")))
        })
    });
    written.await
}

/// Ends what came of somebody's sessions at the provider: of those that it names, or of all. The wish counts
/// once.
///
/// # Errors
/// [`DomainError::Invalid`] for a wish that was told before; or the database is unavailable.
pub async fn end(
    ctx: &Ctx<'_>,
    connection: &Connection,
    name_id: &str,
    indexes: Vec<String>,
    once: &[(String, Timestamp)],
) -> Result<(), DomainError> {
    let ending = Ending::new(ctx.core, RevocationReason::SignedOut);
    let entry = ctx.audit("user.sign_out", None, Outcome::Success, Some(format!("connection:{}", connection.id)));
    let digest = |(id, until): &(String, Timestamp)| (*Digest::of(id.as_bytes()).as_bytes(), *until);
    let once: Vec<([u8; 32], Timestamp)> = once.iter().map(digest).collect();
    let input = (connection.clone(), name_id.to_owned(), indexes, once, ctx.now(), ending, entry);
    ctx.core
        .db
        .write(input, |tx, (connection, name_id, indexes, once, now, ending, entry)| {
            Box::pin(async move {
                let of = tx.of(connection.tenant);
                for (digest, until) in once {
                    if !saml_assertions::use_once(&of, connection.id, digest, *until).await? {
                        return Err(DomainError::from(Invalid::new("SAMLRequest", "was used before")));
                    }
                }
                for led in saml_sessions::led_by(&of, connection.id, name_id, indexes).await? {
                    end_one(tx, connection, led, *now, ending, entry).await?;
                }
                Ok(())
            })
        })
        .await?;
    ctx.core.logouts.notify_one();
    Ok(())
}

async fn end_one(
    tx: &Tx,
    connection: &Connection,
    led: Led,
    now: Timestamp,
    ending: &Ending,
    entry: &AuditEntry,
) -> Result<(), DomainError> {
    let of = tx.of(connection.tenant);
    let user = match led {
        Led::Family(id) => {
            let Some(family) = rows::find_family(&of, id).await? else { return Ok(()) };
            if !rows::revoke_family(&of, id, now, RevocationReason::SignedOut).await? {
                return Ok(());
            }
            tokens::mark_ended(&of, &[id], now + keys::MAX_ACCESS_TOKEN_TTL).await?;
            family.user
        }
        Led::Session(id) => {
            let Some(session) = sessions::find_for_share(&of, id).await? else { return Ok(()) };
            if !logout::end_session(&of, id, session.user, ending).await? {
                return Ok(());
            }
            session.user
        }
    };
    let target = Some(format!("user:{user}"));
    Ok(crate::storage::audit::append(tx, &AuditEntry { target, ..entry.clone() }).await?)
}

/// Writes down why a message about a sign-out does not count; callers are not told.
///
/// # Errors
/// The database is unavailable.
pub async fn note_refusal(ctx: &Ctx<'_>, connection: &Connection, why: &str) -> Result<(), DomainError> {
    let target = Some(format!("connection:{}", connection.id));
    audit::append(ctx.core, ctx.audit("user.sign_out", target, Outcome::Failure, Some(why.to_owned()))).await
}
