//! Sign-in over an interface instead of on a page: for front ends that ask for the password themselves.
//! What they get are the tokens of a family, under a client that is built in.

use std::time::Duration;

use super::authn::{self, Authenticated};
use super::clients::{self, NewClient};
use super::core::Core;
use super::ctx::{Ctx, Origin};
use super::error::{DomainError, Noun};
use super::factors::{recovery_codes, totp};
use super::tenants;
use super::tokens::{self, Granted, Refreshed};
use super::users;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::Actor;
use crate::model::client::{AuthMethod, Client, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::factors::MfaTicket;
use crate::model::ids::ClientId;
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::storage::mfa_tickets;

/// The client under which these tokens are issued. It belongs to whoever runs the installation, so its
/// tokens carry all that their person may do.
pub const CLIENT: &str = "workspace";

/// How long somebody has for the second factor.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What a right password came to.
pub enum Arrival {
    /// Tokens.
    Granted(Box<Granted>),
    /// Nothing yet: the person has to prove their e-mail address first.
    VerificationDue,
    /// A ticket, to be shown with a second factor.
    SecondFactorDue(Secret<String>),
}

/// Lets somebody in who knows their password.
///
/// # Errors
/// As [`authn::password`]; [`DomainError::NotAuthenticated`] if the account changed meanwhile.
pub async fn with_password(ctx: &Ctx<'_>, identifier: &str, password: &str) -> Result<Arrival, DomainError> {
    let proof = authn::password(ctx, identifier, password, None).await?;
    if proof.user.verification_due && ctx.core.config.registration.require_verified_email {
        settle(ctx, proof, None).await?;
        return Ok(Arrival::VerificationDue);
    }
    if proof.user.has_second_factor {
        let ticket = opaque::generate(TokenKind::MfaTicket, &*ctx.core.entropy);
        settle(ctx, proof, Some(*opaque::digest_of_secret(ticket.expose()).as_bytes())).await?;
        return Ok(Arrival::SecondFactorDue(ticket));
    }
    Ok(Arrival::Granted(Box::new(begin(ctx, proof).await?)))
}

/// Records that the password was right, with the ticket that it got.
async fn settle(ctx: &Ctx<'_>, proof: Authenticated, ticket: Option<[u8; 32]>) -> Result<(), DomainError> {
    let expires_at = ctx.now() + PATIENCE;
    ctx.core
        .db
        .write((ctx.tenant_id(), proof, ticket, expires_at), |tx, (tenant, proof, digest, expires_at)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let user = proof.settle(&of).await?;
                if let Some(digest) = digest {
                    let ticket = MfaTicket { user: user.id, epoch: user.token_epoch, expires_at: *expires_at };
                    mfa_tickets::insert(&of, digest, &ticket).await?;
                }
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Lets somebody in who got a ticket for their password and knows a code of their app, or a recovery code.
/// A wrong code leaves the ticket as it was, and counts towards a lock of the second factor.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] for a ticket that does not count or a wrong code;
/// [`DomainError::Busy`]; or the database is unavailable.
pub async fn with_code(ctx: &Ctx<'_>, ticket: &str, code: &str) -> Result<Granted, DomainError> {
    const NO_TICKET: DomainError = DomainError::NotAuthenticated("no such sign-in waits for a second factor");
    let digest = opaque::recognise(TokenKind::MfaTicket, ticket).ok_or(NO_TICKET)?;
    let found = mfa_tickets::find(&ctx.core.db.read().of(ctx.tenant_id()), digest.as_bytes(), ctx.now()).await?;
    let found = found.ok_or(NO_TICKET)?;
    let user = match users::find(ctx, found.user).await {
        Err(DomainError::NotFound(_)) => return Err(NO_TICKET),
        other => other?,
    };
    if !user.enabled || user.token_epoch != found.epoch {
        return Err(NO_TICKET);
    }
    // Recovery codes are longer, and hardly ever digits alone.
    let is_of_app = code.chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) && code.len() < 16;
    let right = if is_of_app {
        totp::check(ctx, user.id, code).await?
    } else {
        recovery_codes::check_and_use(ctx, user.id, code).await?
    };
    if !right {
        return Err(DomainError::NotAuthenticated("wrong second factor"));
    }
    let amr = ["pwd", "otp", "mfa"].map(str::to_owned).to_vec();
    begin(ctx, Authenticated::by_ticket(user, amr, ctx.now(), *digest.as_bytes())).await
}

/// The tokens of somebody who proved who they are.
///
/// # Errors
/// As [`tokens::begin`]; [`DomainError::NotAllowed`] where the built-in client is switched off.
pub(super) async fn begin(ctx: &Ctx<'_>, proof: Authenticated) -> Result<Granted, DomainError> {
    let id: ClientId = CLIENT.parse().map_err(|_| DomainError::Defect("the built-in client has no id".to_owned()))?;
    let client = clients::live(ctx.core, ctx.tenant_id(), &id).await.map_err(|error| match error {
        DomainError::NotFound(_) => DomainError::NotAllowed("signing in here is switched off"),
        other => other,
    })?;
    let granted = tokens::begin(ctx, &client, proof, OAuthScope::empty(), None, true).await?;
    ctx.core.metrics.tokens.issued.count("sign_in");
    Ok(granted)
}

/// The next tokens of a sign-in, for a client that has no secret to prove (RFC 6749 §6): the built-in one,
/// or any public one.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] for a token that does not count; or the database is unavailable.
pub async fn refresh(ctx: &Ctx<'_>, token: &str) -> Result<Granted, DomainError> {
    let refused = |cause| DomainError::NotAuthenticated(cause);
    let family = tokens::recover(ctx, token).await?.ok_or(refused("unknown refresh token"))?;
    let client = match clients::live(ctx.core, ctx.tenant_id(), &family.row.client).await {
        Err(DomainError::NotFound(_)) => return Err(refused("client is unknown or disabled")),
        other => other?,
    };
    if !client.client.is_public() || !client.client.may_use(GrantType::RefreshToken) {
        return Err(refused("the client must prove who it is"));
    }
    let scope = family.row.scope.intersection(&client.client.scope);
    // The contracts of the faces know no grace: the old token, replayed, ends the family.
    match tokens::rotate(ctx, &client, &family, scope, Duration::ZERO).await? {
        Refreshed::Renewed(granted) => {
            ctx.core.metrics.tokens.issued.count("refresh_token");
            Ok(*granted)
        }
        Refreshed::Refused(cause) => Err(refused(cause)),
    }
}

/// The built-in client as it is made.
///
/// # Errors
/// It breaks a rule for clients, which would be a defect.
pub(super) fn built_in(ctx: &Ctx<'_>) -> Result<Client, DomainError> {
    let new = NewClient {
        description: Some("Built in: the sign-in of /api/auth".to_owned()),
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::RefreshToken],
        settings: ClientSettings { first_party: true, ..ClientSettings::default() },
        ..NewClient::service("Workspace")
    };
    let made = clients::draft(ctx, new)?.client;
    let id = CLIENT.parse().map_err(|_| DomainError::Defect("the built-in client has no id".to_owned()))?;
    Ok(Client { id, ..made })
}

/// Makes the built-in client where an older version did not.
///
/// # Errors
/// The database is unavailable.
pub(super) async fn ensure_built_in(core: &Core) -> Result<(), DomainError> {
    let ctx = Ctx::new(core, tenants::default(core).await?, Actor::System, Origin::default());
    let client = built_in(&ctx)?;
    match clients::find(&ctx, &client.id).await {
        Err(DomainError::NotFound(_)) => {}
        other => return other.map(drop),
    }
    let made = core.db.write((client, ctx.now()), |tx, (client, now)| {
        Box::pin(async move { clients::insert(&tx.of(client.tenant), client, "system", *now).await })
    });
    match made.await {
        // Another copy started at the same moment.
        Err(DomainError::Taken(Noun::Client)) => Ok(()),
        other => other,
    }
}
