//! Somebody signs in to a workspace by its SAML provider: sets out, comes back with what the provider says,
//! and gets tokens. What the provider says is verified in `protocol/saml`; here it is believed once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::api_sign_in;
use super::authn::Authenticated;
use super::connections;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::identities::{Arrived, Claimed};
use super::organizations;
use super::tokens::Granted;
use super::upstream_logins::{self, Returned};
use crate::crypto::digest::{Digest, hex};
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::connection::{Connection, ConnectionKind, Identity, Provider, SamlProvider, UpstreamLogin};
use crate::model::ids::{OrganizationId, RoleId};
use crate::model::secret::Secret;
use crate::model::text::Email;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::upstream_logins as rows;
use crate::storage::{Tx, identities, memberships, roles, saml_assertions, users};

/// How long somebody has at the provider.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How far the clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// The SAML connection of a workspace, if it lets anybody in at all.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for a workspace that is disabled; or the database is
/// unavailable.
pub async fn connection(ctx: &Ctx<'_>, workspace: OrganizationId) -> Result<(Connection, SamlProvider), DomainError> {
    let connection = connections::of_workspace(ctx, workspace).await?;
    if !organizations::find(ctx, workspace).await?.enabled {
        return Err(DomainError::NotAllowed("the workspace is disabled"));
    }
    match connection.provider.clone() {
        Provider::Saml(saml) => Ok((connection, saml)),
        _ => Err(DomainError::NotFound(Noun::Connection)),
    }
}

/// Where somebody goes who says so, or does not.
///
/// # Errors
/// [`DomainError::Invalid`] for what is not on the connection's list, byte for byte;
/// [`DomainError::NotAllowed`] where there is no list.
pub fn destination(saml: &SamlProvider, wanted: Option<&str>) -> Result<String, DomainError> {
    let found = match wanted {
        Some(wanted) => saml.return_to.iter().find(|listed| *listed == wanted),
        None => saml.return_to.first(),
    };
    match (found, wanted) {
        (Some(found), _) => Ok(found.clone()),
        (None, Some(_)) => Err(Invalid::new("return_to", "is not on the workspace's list").into()),
        (None, None) => Err(DomainError::NotAllowed("the connection has no place to return to")),
    }
}

/// Somebody who is about to go to the provider.
pub struct Journey {
    /// What the provider hands back as it is: the reference of the journey.
    pub relay_state: Secret<String>,
    /// The `ID` of the request.
    pub request_id: String,
}

/// Somebody sets out, and will go on to `return_to` with their tokens.
///
/// # Errors
/// As [`destination`]; or the database is unavailable.
pub async fn set_out(
    ctx: &Ctx<'_>,
    connection: &Connection,
    saml: &SamlProvider,
    return_to: Option<&str>,
    browser: Option<[u8; 32]>,
) -> Result<Journey, DomainError> {
    begin(ctx, connection, TokenKind::UpstreamState, destination(saml, return_to)?, browser).await
}

/// A journey to the provider, with what it is recognised by.
pub(super) async fn begin(
    ctx: &Ctx<'_>,
    connection: &Connection,
    kind: TokenKind,
    goal: String,
    browser: Option<[u8; 32]>,
) -> Result<Journey, DomainError> {
    let (now, entropy) = (ctx.now(), &*ctx.core.entropy);
    let relay_state = opaque::generate(kind, entropy);
    // An xs:ID begins with no digit.
    let request_id = format!("_{}", hex(&entropy.bytes::<20>()));
    let login = UpstreamLogin {
        digest: *opaque::digest_of_secret(relay_state.expose()).as_bytes(),
        connection: connection.id,
        browser,
        goal: Some(goal),
        nonce: None,
        sealed_verifier: None,
        request_id: Some(request_id.clone()),
        pending: None,
        created_at: now,
        expires_at: now + PATIENCE,
    };
    let written = ctx.core.db.write((ctx.tenant_id(), login), |tx, (tenant, login)| {
        Box::pin(async move { Ok::<_, DomainError>(rows::insert(&tx.of(*tenant), login).await?) })
    });
    written.await?;
    Ok(Journey { relay_state, request_id })
}

/// The journey that this is the reference of, by this connection and in this browser, if it is not over.
///
/// # Errors
/// The database is unavailable.
pub async fn journey(
    ctx: &Ctx<'_>,
    connection: &Connection,
    relay_state: &str,
    browser: Option<[u8; 32]>,
) -> Result<Option<UpstreamLogin>, DomainError> {
    let Some(digest) = opaque::recognise(TokenKind::UpstreamState, relay_state) else { return Ok(None) };
    let found = rows::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes(), ctx.now()).await?;
    let own = |login: &UpstreamLogin| {
        // Pages have a cookie of their own, which does not come with what another site posts.
        let here = is_of_page(login) || login.browser.is_none_or(|began| browser == Some(began));
        login.connection == connection.id && login.pending.is_none() && here
    };
    Ok(found.filter(own))
}

/// Whether somebody set out from a page of ours, to which they go back.
#[must_use]
pub const fn is_of_page(journey: &UpstreamLogin) -> bool {
    journey.sealed_verifier.is_some()
}

/// Somebody whom the provider vouches for.
pub struct Vouched {
    /// By which connection.
    pub connection: Connection,
    /// The journey that ends with it; none for who did not begin here.
    pub journey: Option<UpstreamLogin>,
    /// What the provider says of them.
    pub claimed: Claimed,
    /// When they were authenticated there, where it says so.
    pub authenticated_at: Option<Timestamp>,
    /// Identifiers that count once, and until when that must be known.
    pub once: Vec<(String, Timestamp)>,
}

/// Lets somebody in whom the provider vouches for.
///
/// # Errors
/// [`DomainError::Invalid`] for an answer that was used before or comes too late;
/// [`DomainError::NotAuthenticated`] for an account that is disabled; [`DomainError::NotAllowed`] where no account is made for newcomers;
/// [`DomainError::Taken`] for a newcomer whose address has an account;
/// [`DomainError::SecondFactorNeeded`]; or the database is unavailable.
pub async fn let_in(ctx: &Ctx<'_>, vouched: &Vouched) -> Result<Granted, DomainError> {
    let user = match believe(ctx, vouched).await {
        // The same person came in two windows at once: here is now who they are.
        Err(DomainError::Conflict(_)) => believe(ctx, vouched).await?,
        Err(DomainError::Taken(_)) if link_member(ctx, &vouched.connection, &vouched.claimed).await? => {
            believe(ctx, vouched).await?
        }
        other => other?,
    };
    let Vouched { connection, claimed, .. } = vouched;
    let multi = claimed.second_factor && connection.settings.trusts_second_factor;
    let proof =
        Authenticated::by_provider(user, multi, ctx.now(), connection.organization, claimed.saml_session.clone());
    api_sign_in::begin(ctx, proof).await
}

/// What waits for the page from which somebody set out.
#[derive(Serialize, Deserialize)]
struct Pending {
    claimed: Claimed,
    authenticated_at: Option<Timestamp>,
    /// As what the connection was when it was believed.
    connection_of: Timestamp,
}

/// Uses the answer up and hands its person over to the page from which they set out, which lets them in: the
/// state under which it finds what the provider said.
///
/// # Errors
/// [`DomainError::Invalid`] for an answer that was used before or comes too late; or the database is
/// unavailable.
pub async fn hand_over(ctx: &Ctx<'_>, vouched: Vouched, journey: UpstreamLogin) -> Result<Secret<String>, DomainError> {
    let Vouched { connection, claimed, authenticated_at, once, .. } = vouched;
    let pending = Pending { claimed, authenticated_at, connection_of: connection.updated_at };
    let pending = serde_json::to_string(&pending).map_err(|why| DomainError::Defect(why.to_string()))?;
    let (state, rest) = upstream_logins::handed_over(ctx, &journey, pending)?;
    let input = (connection, journey, digests(&once), rest, ctx.now());
    let written = ctx.core.db.write(input, |tx, (connection, journey, once, rest, now)| {
        Box::pin(async move {
            use_up(tx, connection, Some(journey), once, *now).await?;
            Ok::<_, DomainError>(rows::insert(&tx.of(connection.tenant), rest).await?)
        })
    });
    written.await.map(|()| state)
}

/// What the provider said of who is back on the page from which they set out; nothing for who is not, or who
/// was to show that it is still them and was not asked.
#[must_use]
pub fn handed(connection: &Connection, returned: &Returned) -> Option<Claimed> {
    let pending: Pending = serde_json::from_str(returned.pending.as_deref()?).ok()?;
    let still = |since: Timestamp| pending.authenticated_at.is_some_and(|at| at + LEEWAY >= since);
    let counts = pending.connection_of == connection.updated_at && returned.again_since.is_none_or(still);
    counts.then_some(pending.claimed)
}

fn digests(once: &[(String, Timestamp)]) -> Vec<([u8; 32], Timestamp)> {
    once.iter().map(|(id, until)| (*Digest::of(id.as_bytes()).as_bytes(), *until)).collect()
}

/// Uses the answer up and lets its person in as far as the connection goes, in one transaction.
async fn believe(ctx: &Ctx<'_>, vouched: &Vouched) -> Result<User, DomainError> {
    let arrived = Arrived::of(ctx, &vouched.connection, vouched.claimed.clone()).await?;
    let once = digests(&vouched.once);
    let input = (vouched.connection.clone(), vouched.journey.clone(), once, arrived, ctx.now());
    ctx.core
        .db
        .write(input, |tx, (connection, journey, once, arrived, now)| {
            Box::pin(async move {
                use_up(tx, connection, journey.as_ref(), once, *now).await?;
                let user = arrived.settle(tx).await?;
                Ok::<_, DomainError>(user)
            })
        })
        .await
}

/// Links the account that has the address, if it is the company's to speak for: a member of the workspace
/// with a proved address of a domain that the connection names, whose roles permit nothing
/// (`docs/decisions/0014-saml.md`). Says whether it is linked.
///
/// # Errors
/// The database is unavailable.
pub async fn link_member(ctx: &Ctx<'_>, connection: &Connection, claimed: &Claimed) -> Result<bool, DomainError> {
    if connection.provider.kind() != ConnectionKind::Saml {
        return Ok(false);
    }
    let email: Option<Email> = claimed.email.as_deref().and_then(|email| email.parse().ok());
    let of_company = |email: &Email| {
        let address = email.canonical();
        address.rsplit_once('@').is_some_and(|(_, domain)| connection.domains.iter().any(|named| named == domain))
    };
    let (Some(email), Some(workspace)) = (email.filter(of_company), connection.organization) else { return Ok(false) };
    let detail = Some(format!("connection:{} {}", connection.id, claimed.subject));
    let entry = ctx.audit("identity.link", None, Outcome::Success, detail);
    let input =
        (ctx.tenant_id(), connection.id, claimed.subject.clone(), email.canonical(), workspace, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, connection, subject, address, workspace, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let Some(user) = users::find_by_identifier(&of, address).await? else { return Ok(false) };
                let is_member = memberships::find(&of, *workspace, user.id).await?.is_some();
                let held = roles::assignments_of(&of, user.id).await?;
                let held: Vec<RoleId> = held.into_iter().map(|(_, role)| role.id).collect();
                let may_nothing = roles::permission_codes_of(&of, &held).await?.is_empty();
                if !is_member || !user.email_verified || !may_nothing {
                    return Ok(false);
                }
                let identity = Identity {
                    connection: *connection,
                    subject: subject.clone(),
                    user: user.id,
                    created_at: *now,
                    used_at: *now,
                };
                let linked = identities::insert(&of, &identity).await?;
                if linked {
                    let target = Some(format!("user:{}", user.id));
                    crate::storage::audit::append(tx, &AuditEntry { target, ..entry.clone() }).await?;
                }
                Ok::<_, DomainError>(linked)
            })
        })
        .await
}

async fn use_up(
    tx: &Tx,
    connection: &Connection,
    journey: Option<&UpstreamLogin>,
    once: &[([u8; 32], Timestamp)],
    now: Timestamp,
) -> Result<(), DomainError> {
    let of = tx.of(connection.tenant);
    if let Some(journey) = journey
        && !rows::use_once(&of, journey, now).await?
    {
        return Err(Invalid::new("RelayState", "was answered before").into());
    }
    for (digest, until) in once {
        if !saml_assertions::use_once(&of, connection.id, digest, *until).await? {
            return Err(Invalid::new("SAMLResponse", "was used before").into());
        }
    }
    Ok(())
}

/// Writes down why somebody was not let in; callers are not told.
///
/// # Errors
/// The database is unavailable.
pub async fn note_refusal(ctx: &Ctx<'_>, connection: &Connection, why: &str) -> Result<(), DomainError> {
    ctx.core.metrics.login_failed();
    let target = Some(format!("connection:{}", connection.id));
    let entry = ctx.audit("user.sign_in", target, Outcome::Failure, Some(why.to_owned()));
    super::audit::append(ctx.core, entry).await
}
