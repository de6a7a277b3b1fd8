//! Passkeys (WebAuthn Level 3): added, and signed in with.
//!
//! The relying party is the issuer's host, the origin the issuer's own and no other. The device must
//! keep the passkey itself (`residentKey: required`), so that one can sign in without typing a name,
//! and must have recognised its owner by a PIN, a finger or a face (`userVerification: required`), so
//! that a passkey alone is two factors. Attestation is not asked for: it would tell the make of the
//! device and nothing that is acted upon.
//!
//! A passkey can't be guessed, so it is not counted against the lock of an account, and opens it for
//! its owner while strangers have it locked.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnBuilder, WebauthnError,
};

use super::super::audit;
use super::super::ctx::Ctx;
use super::super::error::{DomainError, Invalid, Noun};
use super::{Change, Enrolled, owner, recovery_codes};
use crate::crypto::digest::{Digest, from_base64url};
use crate::model::audit::Outcome;
use crate::model::factors::{Ceremony, CeremonyPurpose, Passkey};
use crate::model::ids::UserId;
use crate::model::mail::MailKind;
use crate::model::text::{DisplayName, InvalidText};
use crate::model::user::User;
use crate::storage::{self, StorageError};

/// How long an answer may take; browsers are told the same.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many passkeys a person may have.
const MOST: u64 = 50;

/// Who a passkey says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyProof {
    /// Who.
    pub user: UserId,
    /// Whether the device recognised its owner: then it is two factors in one.
    pub user_verified: bool,
}

/// Whether this server can have passkeys: browsers want a host name, not an IP address.
#[must_use]
pub fn available(ctx: &Ctx<'_>) -> bool {
    origin(ctx).is_ok()
}

fn origin(ctx: &Ctx<'_>) -> Result<Url, DomainError> {
    let url = Url::parse(ctx.core.config.http.issuer.as_str()).ok().filter(|url| url.domain().is_some());
    url.ok_or_else(|| Invalid::new("passkey", "needs a server that is reached by a host name").into())
}

fn relying_party(ctx: &Ctx<'_>) -> Result<Webauthn, DomainError> {
    let origin = origin(ctx)?;
    let builder = WebauthnBuilder::new(origin.domain().unwrap_or_default(), &origin).map_err(defect)?;
    builder.rp_name(ctx.tenant.tenant.title()).timeout(PATIENCE).build().map_err(defect)
}

fn defect(why: impl std::fmt::Display) -> DomainError {
    DomainError::Defect(why.to_string())
}

/// Asks the browser for a new passkey: what `navigator.credentials.create` takes, as JSON.
///
/// # Errors
/// [`DomainError::Invalid`] where there can be none, or one more would be too many; or the database
/// is unavailable.
pub async fn begin_registration(ctx: &Ctx<'_>, user: &User, browser: [u8; 32]) -> Result<Value, DomainError> {
    let party = relying_party(ctx)?;
    let present = parsed(&list(ctx, user.id).await?)?;
    let exclude = present.iter().map(|passkey| passkey.cred_id().clone()).collect();
    let account = user.email.as_deref().or(user.username.as_deref()).unwrap_or_default();
    let shown = user.name.as_deref().unwrap_or(account);
    let (question, state) =
        party.start_passkey_registration(user.id.uuid(), account, shown, Some(exclude)).map_err(defect)?;
    let challenge = &question.public_key.challenge;
    remember(ctx, challenge, CeremonyPurpose::Registration, browser, Some(user.id), &state).await?;
    let mut question = serde_json::to_value(question).map_err(defect)?;
    if let Some(Value::Object(selection)) = question.pointer_mut("/publicKey/authenticatorSelection") {
        selection.insert("residentKey".to_owned(), json!("required"));
        selection.insert("requireResidentKey".to_owned(), json!(true));
    }
    Ok(question)
}

/// Adds the passkey that a browser answered with.
///
/// # Errors
/// [`DomainError::Invalid`] for an answer that is none, too late, or to another question;
/// [`DomainError::Taken`]; or the database is unavailable.
pub async fn finish_registration(
    ctx: &Ctx<'_>,
    user: UserId,
    browser: [u8; 32],
    name: &str,
    answer: Value,
) -> Result<Enrolled, DomainError> {
    let party = relying_party(ctx)?;
    let name: DisplayName = name.parse().map_err(|why: InvalidText| Invalid::new("name", why.to_string()))?;
    let wrong = || Invalid::new("passkey", "was answered in a way that can't be checked");
    let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).map_err(|_| wrong())?;
    let challenge = challenge_of(&answer.response.client_data_json).ok_or_else(wrong)?;
    let ceremony = take(ctx, challenge, CeremonyPurpose::Registration, browser, Some(user)).await?;
    let ceremony = ceremony.ok_or_else(|| Invalid::new("passkey", "took too long, or was answered before"))?;
    let state: PasskeyRegistration = serde_json::from_str(&ceremony.state).map_err(defect)?;
    let made = party.finish_passkey_registration(&answer, &state).map_err(|why| {
        tracing::debug!(%why, "a new passkey was refused");
        wrong()
    })?;
    let passkey = Passkey {
        credential_id: made.cred_id().to_vec(),
        user,
        name: name.as_str().to_owned(),
        credential: serde_json::to_string(&made).map_err(defect)?,
        created_at: ctx.now(),
        last_used_at: None,
    };
    let recovery_codes::Codes { shown, digests } = recovery_codes::make(ctx, user);
    let change = Change::new(ctx, user, "factor.passkey.enrol", MailKind::PasskeyAdded).with_codes(digests);
    let first = ctx
        .core
        .db
        .write((ctx.tenant_id(), passkey, change), |tx, (tenant, passkey, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, passkey.user).await?;
                if storage::passkeys::count(&of, passkey.user).await? >= MOST {
                    return Err(Invalid::new("passkey", format!("would be one more than {MOST}")).into());
                }
                storage::passkeys::insert(&of, passkey).await.map_err(|error| match error {
                    StorageError::Duplicate(_) => DomainError::Taken(Noun::Passkey),
                    other => other.into(),
                })?;
                change.settle(tx, owner).await
            })
        })
        .await?;
    Ok(Enrolled { recovery_codes: first.then_some(shown) })
}

/// Asks the browser for a passkey: of this person, or of anybody whom the browser knows. What
/// `navigator.credentials.get` takes, as JSON.
///
/// # Errors
/// [`DomainError::Invalid`] where there can be none; [`DomainError::NotFound`] for a person who has
/// none; or the database is unavailable.
pub async fn begin_authentication(
    ctx: &Ctx<'_>,
    browser: [u8; 32],
    user: Option<UserId>,
) -> Result<Value, DomainError> {
    let party = relying_party(ctx)?;
    let (mut question, state) = party.start_discoverable_authentication().map_err(defect)?;
    // The script says how the browser shall ask, for the same question.
    question.mediation = None;
    if let Some(user) = user {
        let own = parsed(&list(ctx, user).await?)?;
        if own.is_empty() {
            return Err(DomainError::NotFound(Noun::Passkey));
        }
        let (named, _) = party.start_passkey_authentication(&own).map_err(defect)?;
        question.public_key.allow_credentials = named.public_key.allow_credentials;
    }
    remember(ctx, &question.public_key.challenge, CeremonyPurpose::Authentication, browser, user, &state).await?;
    serde_json::to_value(question).map_err(defect)
}

/// Checks the answer to a question that was put about the same `user`.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] with the cause, which is in the audit log then; or the database
/// is unavailable.
pub async fn finish_authentication(
    ctx: &Ctx<'_>,
    browser: [u8; 32],
    user: Option<UserId>,
    answer: Value,
) -> Result<PasskeyProof, DomainError> {
    let outcome = check(ctx, browser, user, answer).await;
    if let Err(DomainError::NotAuthenticated(cause)) = &outcome {
        ctx.core.metrics.login_failed();
        let target = user.map(|user| format!("user:{user}"));
        let entry = ctx.audit("user.sign_in", target, Outcome::Failure, Some((*cause).to_owned()));
        audit::append(ctx.core, entry).await?;
    }
    outcome
}

async fn check(
    ctx: &Ctx<'_>,
    browser: [u8; 32],
    user: Option<UserId>,
    answer: Value,
) -> Result<PasskeyProof, DomainError> {
    let party = relying_party(ctx)?;
    let wrong = DomainError::NotAuthenticated;
    let answer: PublicKeyCredential =
        serde_json::from_value(answer).map_err(|_| wrong("passkey's answer is malformed"))?;
    let challenge = challenge_of(&answer.response.client_data_json).ok_or(wrong("passkey's answer is malformed"))?;
    let ceremony = take(ctx, challenge, CeremonyPurpose::Authentication, browser, user).await?;
    let ceremony = ceremony.ok_or(wrong("passkey's answer is late, used or to another question"))?;
    let state: DiscoverableAuthentication = serde_json::from_str(&ceremony.state).map_err(defect)?;

    // WebAuthn Level 3 §7.2 steps 5 and 6: whose credential it is, and that the device agrees.
    let found = storage::passkeys::find(&ctx.core.db.read().of(ctx.tenant_id()), answer.get_credential_id()).await?;
    let passkey = found.ok_or(wrong("no such passkey"))?;
    let handle = answer.get_user_unique_id();
    let same = |id: &[u8]| id == passkey.user.uuid().as_bytes();
    if user.is_some_and(|user| user != passkey.user) || !handle.map_or(user.is_some(), same) {
        return Err(wrong("passkey is another person's"));
    }
    let mut credential: webauthn_rs::prelude::Passkey = serde_json::from_str(&passkey.credential).map_err(defect)?;
    let verified =
        party.finish_discoverable_authentication_v2(&answer, state, &credential).map_err(|why| match why {
            WebauthnError::CredentialPossibleCompromise => wrong("passkey's counter went back: it may be a copy"),
            _ => wrong("passkey's answer is wrong"),
        })?;
    credential.update_credential(&verified);
    let next = serde_json::to_string(&credential).map_err(defect)?;
    let proof = PasskeyProof { user: passkey.user, user_verified: verified.user_verified() };
    ctx.core
        .db
        .write((ctx.tenant_id(), passkey, next, ctx.now()), |tx, (tenant, passkey, next, now)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, passkey.user).await?;
                if !owner.enabled {
                    return Err(DomainError::NotAuthenticated("account is disabled"));
                }
                if !storage::passkeys::used(&of, passkey, next, *now).await? {
                    return Err(DomainError::NotAuthenticated("changed while signing in"));
                }
                Ok::<_, DomainError>(())
            })
        })
        .await?;
    Ok(proof)
}

/// A person's passkeys, the oldest first.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>, user: UserId) -> Result<Vec<Passkey>, DomainError> {
    Ok(storage::passkeys::list(&ctx.core.db.read().of(ctx.tenant_id()), user).await?)
}

/// Gives a passkey of this person another name.
///
/// # Errors
/// [`DomainError::Invalid`], [`DomainError::NotFound`], or the database is unavailable.
pub async fn rename(ctx: &Ctx<'_>, user: UserId, credential_id: &[u8], name: &str) -> Result<(), DomainError> {
    let name: DisplayName = name.parse().map_err(|why: InvalidText| Invalid::new("name", why.to_string()))?;
    let input = (ctx.tenant_id(), user, credential_id.to_vec(), name.as_str().to_owned());
    let renamed = ctx
        .core
        .db
        .write(input, |tx, (tenant, user, id, name)| {
            Box::pin(
                async move { Ok::<_, DomainError>(storage::passkeys::rename(&tx.of(*tenant), *user, id, name).await?) },
            )
        })
        .await?;
    if renamed { Ok(()) } else { Err(DomainError::NotFound(Noun::Passkey)) }
}

/// Removes a passkey of this person.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn remove(ctx: &Ctx<'_>, user: UserId, credential_id: &[u8]) -> Result<(), DomainError> {
    let change = Change::new(ctx, user, "factor.passkey.remove", MailKind::PasskeyRemoved);
    let input = (ctx.tenant_id(), user, credential_id.to_vec(), change);
    ctx.core
        .db
        .write(input, |tx, (tenant, user, id, change)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let owner = owner(&of, *user).await?;
                if !storage::passkeys::delete(&of, *user, id).await? {
                    return Err(DomainError::NotFound(Noun::Passkey));
                }
                change.settle(tx, owner).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// That a passkey's public half, as it is stored, is one of that id.
pub(in crate::domain) fn check_stored(credential_id: &[u8], credential: &str) -> Result<(), Invalid> {
    let parsed = serde_json::from_str::<webauthn_rs::prelude::Passkey>(credential);
    let fits = parsed.is_ok_and(|passkey| passkey.cred_id().as_slice() == credential_id);
    if fits { Ok(()) } else { Err(Invalid::new("credential", "is not the public half of this passkey")) }
}

fn parsed(passkeys: &[Passkey]) -> Result<Vec<webauthn_rs::prelude::Passkey>, DomainError> {
    passkeys.iter().map(|passkey| serde_json::from_str(&passkey.credential).map_err(defect)).collect()
}

/// The digest of the challenge that an answer is to; none for what another site's frame got signed.
fn challenge_of(client_data: &[u8]) -> Option<[u8; 32]> {
    let data: Value = serde_json::from_slice(client_data).ok()?;
    if data.get("crossOrigin").is_some_and(|cross| *cross != Value::Bool(false)) {
        return None;
    }
    let challenge = from_base64url(data.get("challenge")?.as_str()?)?;
    Some(*Digest::of(&challenge).as_bytes())
}

async fn remember(
    ctx: &Ctx<'_>,
    challenge: &[u8],
    purpose: CeremonyPurpose,
    browser: [u8; 32],
    user: Option<UserId>,
    state: &(impl serde::Serialize + Sync),
) -> Result<(), DomainError> {
    let ceremony = Ceremony {
        digest: *Digest::of(challenge).as_bytes(),
        purpose,
        browser,
        user,
        state: serde_json::to_string(state).map_err(defect)?,
        expires_at: ctx.now() + PATIENCE,
    };
    ctx.core
        .db
        .write((ctx.tenant_id(), ceremony), |tx, (tenant, ceremony)| {
            Box::pin(async move {
                Ok::<_, DomainError>(storage::webauthn_ceremonies::insert(&tx.of(*tenant), ceremony).await?)
            })
        })
        .await
}

/// Takes the question that an answer is to: it counts once, whatever comes of the answer.
async fn take(
    ctx: &Ctx<'_>,
    challenge: [u8; 32],
    purpose: CeremonyPurpose,
    browser: [u8; 32],
    user: Option<UserId>,
) -> Result<Option<Ceremony>, DomainError> {
    let input = (ctx.tenant_id(), challenge, purpose, browser, user, ctx.now());
    ctx.core
        .db
        .write(input, |tx, (tenant, challenge, purpose, browser, user, now)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                Ok::<_, DomainError>(
                    storage::webauthn_ceremonies::take(&of, challenge, *purpose, browser, *user, *now).await?,
                )
            })
        })
        .await
}
