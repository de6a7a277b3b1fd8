//! Somebody signs in in a browser: a password, a passkey or a provider elsewhere begins a session, a
//! second factor raises it. Whoever is in already and proves it again keeps the session under a new cookie.

use super::authn::{self, Authenticated};
use super::ctx::Ctx;
use super::error::DomainError;
use super::factors::passkeys::PasskeyProof;
use super::factors::{recovery_codes, totp};
use super::identities::{Arrived, Claimed};
use super::known_browsers;
use super::logout::{self, Ending};
use super::mail::Notice;
use super::sessions::{self, Browser, Entered};
use crate::model::audit::{Actor, Outcome};
use crate::model::connection::{Connection, SamlSession};
use crate::model::ids::{SessionId, UserId};
use crate::model::mail::MailKind;
use crate::model::session::{Factor, Session};
use crate::model::token::RevocationReason;
use crate::model::user::User;
use crate::storage::saml_sessions::{self, Led};
use crate::storage::sessions::Raised;
use crate::storage::{TenantTx, Tx, sessions as rows, users};

/// What a right password or passkey came to.
pub enum Arrival {
    /// A session, which may wait for a second factor.
    Entered(Box<Entered>),
    /// Nothing yet: the person has to prove their e-mail address first.
    VerificationDue(UserId),
}

/// A code of a second factor that somebody typed.
#[derive(Clone, Copy)]
pub enum Code<'a> {
    /// Of an authenticator app.
    Totp(&'a str),
    /// A recovery code.
    Recovery(&'a str),
}

/// How the row of a session comes about.
enum Coming {
    /// It begins; the one that was in this browser before, somebody else's, ends.
    Anew { session: Box<Session>, prior: Option<Box<Session>> },
    /// It goes on under a new cookie.
    Raised { session: SessionId, from: [u8; 32], row: Raised },
}

impl Coming {
    const fn session(&self) -> SessionId {
        match self {
            Self::Anew { session, .. } => session.id,
            Self::Raised { session, .. } => *session,
        }
    }
}

/// Lets somebody in who knows their password. `prior` is the session that the browser has, if any.
///
/// # Errors
/// As [`authn::password`]; [`DomainError::NotAuthenticated`] if the account changed meanwhile.
pub async fn with_password(
    ctx: &Ctx<'_>,
    identifier: &str,
    password: &str,
    remembered: bool,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<Arrival, DomainError> {
    let proof = authn::password(ctx, identifier, password, Some(&browser.digest)).await?;
    let user = proof.user.id;
    let trusted = proof.user.has_second_factor && known_browsers::is_trusted(ctx, user, &browser.digest).await?;
    let excused = trusted || is_complete(prior, user);
    let mut factors = vec![Factor::Password];
    if trusted {
        factors.push(Factor::TrustedBrowser);
    }
    let due = proof.user.has_second_factor && !excused;
    let (entered, coming) = coming(ctx, user, &factors, due, remembered, browser, prior);
    arrive(ctx, Proved::Password(Box::new(proof), excused), entered, coming, browser).await
}

/// Lets somebody in who has a passkey; one whose device recognised them is two factors in one.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] if the account is gone or disabled; or the database is
/// unavailable.
pub async fn with_passkey(
    ctx: &Ctx<'_>,
    proof: &PasskeyProof,
    remembered: bool,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<Arrival, DomainError> {
    let knows_password = prior
        .is_some_and(|prior| prior.user == proof.user && (!prior.second_factor_due || prior.has(Factor::Password)));
    let factor = if proof.user_verified { Factor::VerifiedPasskey } else { Factor::Passkey };
    if !proof.user_verified && !knows_password {
        return refuse(ctx, proof.user, "a passkey without the person having been recognised").await;
    }
    let (entered, coming) = coming(ctx, proof.user, &[factor], false, remembered, browser, prior);
    arrive(ctx, Proved::Passkey(proof.user), entered, coming, browser).await
}

/// Lets somebody in whom a provider elsewhere vouches for, as far as its connection goes.
///
/// # Errors
/// As [`Arrived::of`], and everything that stands against letting them in; each is in the audit log.
pub async fn with_upstream(
    ctx: &Ctx<'_>,
    connection: &Connection,
    claimed: &Claimed,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<Arrival, DomainError> {
    let come = async || vouched(ctx, Arrived::of(ctx, connection, claimed.clone()).await?, browser, prior).await;
    let arrival = match come().await {
        // The same person came in two windows at once: here is now who they are.
        Err(DomainError::Conflict(_)) => come().await,
        other => other,
    };
    if let Err(
        why @ (DomainError::NotAuthenticated(_)
        | DomainError::NotAllowed(_)
        | DomainError::Conflict(_)
        | DomainError::Taken(_)),
    ) = &arrival
    {
        let target = Some(format!("connection:{}", connection.id));
        let detail = Some(format!("{}: {why}", claimed.subject));
        super::audit::append(ctx.core, ctx.audit("user.sign_in", target, Outcome::Failure, detail)).await?;
    }
    arrival
}

async fn vouched(
    ctx: &Ctx<'_>,
    arrived: Arrived,
    browser: &Browser,
    prior: Option<&Session>,
) -> Result<Arrival, DomainError> {
    let (user, has_second) = (arrived.user().id, arrived.user().has_second_factor);
    let multi = arrived.proves_second_factor();
    let trusted = has_second && known_browsers::is_trusted(ctx, user, &browser.digest).await?;
    let excused = multi || trusted || is_complete(prior, user);
    let mut factors = vec![if multi { Factor::UpstreamMulti } else { Factor::Upstream }];
    if trusted {
        factors.push(Factor::TrustedBrowser);
    }
    let (entered, coming) = coming(ctx, user, &factors, has_second && !excused, false, browser, prior);
    arrive(ctx, Proved::Upstream(Box::new(arrived), excused), entered, coming, browser).await
}

/// Whether this person proved a second factor in the session that they have.
fn is_complete(prior: Option<&Session>, user: UserId) -> bool {
    prior.is_some_and(|prior| prior.user == user && !prior.second_factor_due && prior.has_second_factor())
}

/// Proves a second factor in a session that waits for one, or raises one that does not; `None` for a
/// wrong code. With `trust` the browser stands in for the second factor from now on.
///
/// # Errors
/// The database is unavailable.
pub async fn with_code(
    ctx: &Ctx<'_>,
    session: &Session,
    code: Code<'_>,
    trust: bool,
    browser: &Browser,
) -> Result<Option<Entered>, DomainError> {
    let (right, factor) = match code {
        Code::Totp(code) => (totp::check(ctx, session.user, code).await?, Factor::Totp),
        Code::Recovery(code) => (recovery_codes::check_and_use(ctx, session.user, code).await?, Factor::RecoveryCode),
    };
    if !right {
        return Ok(None);
    }
    let ctx = ctx.clone().by(Actor::User(session.user));
    let (entered, coming) = raised(&ctx, session, &[factor], false);
    match arrive(&ctx, Proved::Code(session.user), entered, coming, browser).await? {
        Arrival::Entered(entered) => {
            if trust {
                known_browsers::trust(&ctx, session.user, &browser.digest).await?;
            }
            Ok(Some(*entered))
        }
        Arrival::VerificationDue(_) => Ok(None),
    }
}

/// Raises the session in which a factor was enrolled, and so was shown; `None` if it has ended or was
/// raised meanwhile.
///
/// # Errors
/// The database is unavailable.
pub async fn with_enrolled(
    ctx: &Ctx<'_>,
    session: &Session,
    factor: Factor,
    browser: &Browser,
) -> Result<Option<Entered>, DomainError> {
    let (entered, coming) = raised(ctx, session, &[factor], false);
    match arrive(ctx, Proved::Code(session.user), entered, coming, browser).await {
        Ok(Arrival::Entered(entered)) => Ok(Some(*entered)),
        Ok(Arrival::VerificationDue(_)) | Err(DomainError::NotAuthenticated(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// What was proved, as far as the transaction must compare it again.
enum Proved {
    /// A password; whether a second factor need not be asked for.
    Password(Box<Authenticated>, bool),
    Passkey(UserId),
    Code(UserId),
    /// The word of a provider elsewhere; the same.
    Upstream(Box<Arrived>, bool),
}

impl Proved {
    const fn user(&self) -> UserId {
        match self {
            Self::Password(proof, _) => proof.user.id,
            Self::Upstream(arrived, _) => arrived.user().id,
            Self::Passkey(user) | Self::Code(user) => *user,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Password(..) => "password".to_owned(),
            Self::Passkey(_) => "passkey".to_owned(),
            Self::Code(_) => "second factor".to_owned(),
            Self::Upstream(arrived, _) => format!("connection:{}", arrived.connection().id),
        }
    }

    /// The session at a SAML provider that it comes from, if it does.
    const fn saml_session(&self) -> Option<&SamlSession> {
        if let Self::Upstream(arrived, _) = self { arrived.saml_session() } else { None }
    }

    /// Whether a second factor, which the person has, has not been proved by it.
    const fn leaves_second_factor(&self) -> bool {
        matches!(self, Self::Password(_, false) | Self::Upstream(_, false))
    }

    /// The person as they are now, if that still lets them in.
    async fn settle(&self, tx: &Tx, of: &TenantTx<'_>) -> Result<User, DomainError> {
        match self {
            Self::Password(proof, _) => proof.settle(of).await,
            Self::Upstream(arrived, _) => arrived.settle(tx).await,
            Self::Passkey(user) | Self::Code(user) => {
                let user = users::find_for_update(of, *user).await?.filter(|user| user.enabled);
                user.ok_or(DomainError::NotAuthenticated("account is gone or disabled"))
            }
        }
    }
}

async fn refuse<T>(ctx: &Ctx<'_>, user: UserId, cause: &'static str) -> Result<T, DomainError> {
    let entry = ctx.audit("user.sign_in", Some(format!("user:{user}")), Outcome::Failure, Some(cause.to_owned()));
    super::audit::append(ctx.core, entry).await?;
    Err(DomainError::NotAuthenticated(cause))
}

fn coming(
    ctx: &Ctx<'_>,
    user: UserId,
    factors: &[Factor],
    second_factor_due: bool,
    remembered: bool,
    browser: &Browser,
    prior: Option<&Session>,
) -> (Entered, Coming) {
    match prior {
        Some(prior) if prior.user == user => raised(ctx, prior, factors, second_factor_due),
        other => {
            let entered = sessions::draft(ctx, user, factors, second_factor_due, remembered, browser);
            let session = Box::new(entered.session.clone());
            (entered, Coming::Anew { session, prior: other.cloned().map(Box::new) })
        }
    }
}

fn raised(ctx: &Ctx<'_>, session: &Session, factors: &[Factor], second_factor_due: bool) -> (Entered, Coming) {
    let (entered, row) = sessions::raise(ctx, session, factors, second_factor_due);
    (entered, Coming::Raised { session: session.id, from: session.digest, row })
}

/// What the transaction came to.
enum Turn {
    Entered {
        second_factor_due: bool,
    },
    VerificationDue,
    /// The session that was to go on has ended, or was raised at the same moment.
    Overtaken,
}

async fn arrive(
    ctx: &Ctx<'_>,
    proved: Proved,
    mut entered: Entered,
    coming: Coming,
    browser: &Browser,
) -> Result<Arrival, DomainError> {
    let user = proved.user();
    let verification_needed = ctx.core.config.registration.require_verified_email;
    let detail = format!("{}, {}", proved.name(), entered.session.id);
    let entry = ctx.audit("user.sign_in", Some(format!("user:{user}")), Outcome::Success, Some(detail));
    let notice = Notice::new(ctx, MailKind::NewDevice).in_browser(browser.user_agent.as_deref());
    let ending = Ending::new(ctx.core, RevocationReason::SignedOut);
    let input = (ctx.tenant_id(), proved, coming, browser.clone(), ctx.now(), ending, notice, entry);
    let turn = ctx
        .core
        .db
        .write(input, move |tx, (tenant, proved, coming, browser, now, ending, notice, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let user = proved.settle(tx, &of).await?;
                if user.verification_due && verification_needed {
                    return Ok(Turn::VerificationDue);
                }
                let Some(second_factor_due) = write(&of, &user, proved, coming, ending).await? else {
                    return Ok(Turn::Overtaken);
                };
                if let Some(from) = proved.saml_session() {
                    saml_sessions::insert(&of, Led::Session(coming.session()), from, *now).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                let agent = browser.user_agent.as_deref();
                let address = entry.address.as_deref();
                if known_browsers::seen(&of, user.id, &browser.digest, agent, address, *now).await? {
                    notice.queue(&of, &user).await?;
                }
                Ok::<_, DomainError>(Turn::Entered { second_factor_due })
            })
        })
        .await?;
    match turn {
        Turn::Entered { second_factor_due } => entered.session.second_factor_due = second_factor_due,
        Turn::VerificationDue => return Ok(Arrival::VerificationDue(user)),
        Turn::Overtaken => return Err(DomainError::NotAuthenticated("the session ended or changed meanwhile")),
    }
    ctx.core.metrics.sign_ins.count("success");
    ctx.core.logouts.notify_one();
    Ok(Arrival::Entered(Box::new(entered)))
}

/// Writes the session; says whether it waits for a second factor, or nothing if it was overtaken.
async fn write(
    tx: &TenantTx<'_>,
    user: &User,
    proved: &Proved,
    coming: &Coming,
    ending: &Ending,
) -> Result<Option<bool>, DomainError> {
    // As the account is now: a factor may have been enrolled a moment ago.
    let second_factor_due = user.has_second_factor && proved.leaves_second_factor();
    match coming {
        Coming::Anew { session, prior } => {
            if let Some(prior) = prior {
                logout::end_session(tx, prior.id, prior.user, ending).await?;
            }
            rows::insert(tx, &Session { second_factor_due, ..(**session).clone() }).await?;
            Ok(Some(second_factor_due))
        }
        Coming::Raised { session, from, row } => {
            let raised = rows::raise(tx, *session, from, &Raised { second_factor_due, ..row.clone() }).await?;
            Ok(raised.then_some(second_factor_due))
        }
    }
}
