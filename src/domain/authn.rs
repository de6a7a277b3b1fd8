//! Passwords: who says so, and is it true. The one place that compares a password, for every way in.

use super::ctx::Ctx;
use super::error::{DomainError, Invalid};
use super::known_browsers;
use super::lockout::{self, Attempt};
use crate::crypto::digest::hex;
use crate::crypto::password_pool::PoolError;
use crate::model::audit::Outcome;
use crate::model::connection::SamlSession;
use crate::model::ids::{OrganizationId, UserId};
use crate::model::secret::Secret;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{TenantTx, lockouts, mfa_tickets, users};

/// A person who proved who they are; only this module makes one.
#[derive(Clone)]
pub struct Authenticated {
    /// Who.
    pub user: User,
    /// How (RFC 8176): `pwd`, and with a second factor `otp` and `mfa`.
    pub amr: Vec<String>,
    /// When.
    pub at: Timestamp,
    how: How,
}

/// What the transaction that records a success must compare and write.
#[derive(Clone)]
enum How {
    /// A password: whose count of wrong ones begins anew, and the better hash if one is due.
    Password { account: [u8; 32], rehashed: Option<String> },
    /// The ticket that a password got, and a second factor.
    SecondFactor { ticket: [u8; 32] },
    /// The word of a workspace's SAML provider, which has been recorded; whether for two factors.
    Elsewhere { multi: bool, workspace: Option<OrganizationId>, session: Option<SamlSession> },
}

impl Authenticated {
    /// What a way in must ask that can show no page: whether the password is all that is needed.
    ///
    /// # Errors
    /// [`DomainError::SecondFactorNeeded`]; [`DomainError::NotAuthenticated`] for an account whose
    /// address must be proved first.
    pub(super) fn suffices(&self, ctx: &Ctx<'_>) -> Result<(), DomainError> {
        if self.user.verification_due && ctx.core.config.registration.require_verified_email {
            return Err(DomainError::NotAuthenticated("the e-mail address is not proved yet"));
        }
        let leaves_it = matches!(self.how, How::Password { .. } | How::Elsewhere { multi: false, .. });
        let needs_more = self.user.has_second_factor && leaves_it;
        if needs_more { Err(DomainError::SecondFactorNeeded) } else { Ok(()) }
    }

    /// Who showed a second factor (`amr` says which) with the ticket of this digest, which is used up when
    /// the sign-in is recorded.
    pub(super) fn by_ticket(user: User, amr: Vec<String>, at: Timestamp, ticket: [u8; 32]) -> Self {
        Self { user, amr, at, how: How::SecondFactor { ticket } }
    }

    /// Whom the SAML provider of a workspace vouches for, with two factors or not, who was let in as far as
    /// its connection goes.
    pub(super) fn by_provider(
        user: User,
        multi: bool,
        at: Timestamp,
        workspace: Option<OrganizationId>,
        session: Option<SamlSession>,
    ) -> Self {
        let amr = if multi { vec!["mfa".to_owned()] } else { Vec::new() };
        Self { user, amr, at, how: How::Elsewhere { multi, workspace, session } }
    }

    /// The workspace that they signed in to, if it was one.
    pub(super) const fn workspace(&self) -> Option<OrganizationId> {
        if let How::Elsewhere { workspace, .. } = self.how { workspace } else { None }
    }

    /// Their session at the SAML provider, if it was one.
    pub(super) const fn saml_session(&self) -> Option<&SamlSession> {
        if let How::Elsewhere { session, .. } = &self.how { session.as_ref() } else { None }
    }

    /// Records the success in the transaction that records what it was for: starts the count of
    /// wrong passwords anew, stores the better hash, or uses the ticket up; and says whether the person may
    /// still sign in.
    pub(super) async fn settle(&self, tx: &TenantTx<'_>) -> Result<User, DomainError> {
        let changed = DomainError::NotAuthenticated("changed while signing in");
        let fresh = users::find_for_update(tx, self.user.id).await?;
        let unchanged = |user: &User| user.enabled && user.password_hash == self.user.password_hash;
        let Some(user) = fresh.filter(unchanged) else { return Err(changed) };
        match &self.how {
            How::Password { account, rehashed } => {
                lockouts::clear(tx, account).await?;
                if let Some(better) = rehashed {
                    users::set_password_hash(tx, user.id, better, user.password_hash.as_deref(), self.at).await?;
                }
            }
            How::SecondFactor { ticket } => {
                if !mfa_tickets::use_once(tx, ticket, user.id, user.token_epoch, self.at).await? {
                    return Err(changed);
                }
            }
            How::Elsewhere { .. } => {}
        }
        Ok(user)
    }
}

/// Checks an identifier (address or username) and a password.
///
/// `browser` is the digest of the cookie of the browser that it is typed in, if it is one.
/// Every refusal takes the same path and the same work: an unknown account is compared with a dummy
/// hash, a locked one too.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] with the cause for the audit log, which this has written;
/// [`DomainError::SecondFactorNeeded`]; [`DomainError::Busy`]; or the database is unavailable.
pub async fn password(
    ctx: &Ctx<'_>,
    identifier: &str,
    password: &str,
    browser: Option<&[u8; 32]>,
) -> Result<Authenticated, DomainError> {
    let outcome = check(ctx, identifier, password, browser).await;
    if let Err(DomainError::NotAuthenticated(cause)) = &outcome {
        ctx.core.metrics.login_failed();
        let entry = ctx.audit("user.sign_in", None, Outcome::Failure, Some((*cause).to_owned()));
        super::audit::append(ctx.core, entry).await?;
    }
    outcome
}

async fn check(
    ctx: &Ctx<'_>,
    identifier: &str,
    password: &str,
    browser: Option<&[u8; 32]>,
) -> Result<Authenticated, DomainError> {
    let config = &ctx.core.config.passwords;
    let too_long = password.chars().count() > usize::from(config.max_length);
    let canonical = text::canonical_identifier(identifier);
    let user = users::find_by_identifier(&ctx.core.db.read().of(ctx.tenant_id()), &canonical).await?;
    // Asked about nobody too, so that an account that does not exist takes as long.
    let id = user.as_ref().map_or(UserId::from_uuid(uuid::Uuid::nil()), |user| user.id);
    let known = match browser {
        Some(browser) => known_browsers::is_known(ctx, id, browser).await?,
        None => false,
    };
    let account = match (&user, browser) {
        // A browser of the account's owner has a count of its own: strangers can't lock them out there.
        (Some(user), Some(browser)) if known => format!("{} in {}", user.id, hex(browser)),
        (Some(user), _) => user.id.to_string(),
        (None, _) => canonical,
    };
    let attempt = lockout::attempt(ctx, &account).await?;

    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let source = source(ctx);
    let secret = Secret::new(if too_long { String::new() } else { password.to_owned() });
    let verified = match (stored, &attempt) {
        (Some(stored), Some(_)) if !too_long => ctx.core.passwords.verify(secret, stored, source).await,
        _ => ctx.core.passwords.verify_dummy(secret, source).await,
    }
    .map_err(busy)?;

    let Some(attempt) = attempt else { return Err(DomainError::NotAuthenticated("account is locked")) };
    let Some(user) = user else { return Err(DomainError::NotAuthenticated("no such account")) };
    if too_long || !verified.ok {
        return Err(DomainError::NotAuthenticated("wrong password"));
    }
    if !user.enabled {
        return Err(DomainError::NotAuthenticated("account is disabled"));
    }
    let rehashed = if verified.needs_rehash {
        Some(ctx.core.passwords.hash(Secret::new(password.to_owned()), source).await.map_err(busy)?)
    } else {
        None
    };
    Ok(proved(ctx, user, &attempt, rehashed))
}

fn proved(ctx: &Ctx<'_>, user: User, attempt: &Attempt, rehashed: Option<String>) -> Authenticated {
    let how = How::Password { account: attempt.account(), rehashed };
    Authenticated { user, amr: vec!["pwd".to_owned()], at: ctx.now(), how }
}

/// Hashes a new password after checking its length against `min` characters.
///
/// # Errors
/// [`DomainError::Invalid`], [`DomainError::Busy`].
pub async fn hash_new(ctx: &Ctx<'_>, password: &str, min: usize) -> Result<String, DomainError> {
    let length = password.chars().count();
    let max = usize::from(ctx.core.config.passwords.max_length);
    if length < min {
        return Err(Invalid::new("password", format!("must be at least {min} characters")).into());
    }
    if length > max {
        return Err(Invalid::new("password", format!("must be at most {max} characters")).into());
    }
    ctx.core.passwords.hash(Secret::new(password.to_owned()), source(ctx)).await.map_err(busy)
}

fn busy(error: PoolError) -> DomainError {
    match error {
        PoolError::Busy { retry_after } => DomainError::Busy { retry_after },
        other => DomainError::Defect(other.to_string()),
    }
}

/// A number for where the request came from, by which the hashing pool is fair.
fn source(ctx: &Ctx<'_>) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    ctx.origin.address.hash(&mut hasher);
    hasher.finish()
}
