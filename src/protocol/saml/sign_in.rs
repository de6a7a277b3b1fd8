//! The three endpoints of a workspace: what its provider must know, somebody who sets out, somebody who
//! comes back (Profiles §4.1.3).

use super::answer::{self, Assertion, Refused};
use super::provider::IdentityProvider;
use super::request::Outgoing;
use super::{ServiceProvider, metadata, provider};
use crate::domain::identities::Claimed;
use crate::domain::saml_sign_in::{self, Vouched};
use crate::domain::tokens::Granted;
use crate::domain::upstream_logins::{self, Errand};
use crate::domain::{Ctx, DomainError, Invalid, Noun, saml_keys};
use crate::model::connection::{Connection, SamlProvider, SamlSession, UpstreamLogin};
use crate::model::ids::OrganizationId;
use crate::model::text::Email;
use crate::protocol::upstream;

/// Attributes that usually say what somebody's address is, their name, and what they are.
const EMAIL: [&str; 5] = [
    "email",
    "mail",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
];
const NAME: [&str; 6] = [
    "name",
    "displayName",
    "cn",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "urn:oid:2.5.4.3",
    "http://schemas.microsoft.com/identity/claims/displayname",
];
const ROLE: [&str; 4] = ["role", "roles", "groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"];

/// What providers say who asked for two factors.
const TWO_FACTORS: [&str; 4] = [
    "https://refeds.org/profile/mfa",
    "http://schemas.microsoft.com/claims/multipleauthn",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
];

/// Both sides of a workspace's connection.
pub(super) struct Sides {
    pub(super) connection: Connection,
    pub(super) saml: SamlProvider,
    pub(super) idp: IdentityProvider,
    pub(super) sp: ServiceProvider,
}

impl Sides {
    pub(super) async fn of(ctx: &Ctx<'_>, workspace: OrganizationId) -> Result<Self, DomainError> {
        let (connection, saml) = saml_sign_in::connection(ctx, workspace).await?;
        // It was read when the connection was made; a release may have become stricter since.
        let unreadable = DomainError::NotAllowed("the metadata of the connection can't be used any more");
        let idp = provider::read(&saml.metadata).ok().filter(|idp| idp.entity_id == saml.entity_id);
        let sp = ServiceProvider::new(ctx, workspace, saml_keys::key(ctx).await?);
        Ok(Self { idp: idp.ok_or(unreadable)?, connection, saml, sp })
    }
}

/// What the workspace's provider must know, as XML.
///
/// # Errors
/// [`DomainError::NotFound`] for a workspace without a connection; or the database is unavailable.
pub async fn describe(ctx: &Ctx<'_>, workspace: OrganizationId) -> Result<String, DomainError> {
    Ok(metadata::write(&Sides::of(ctx, workspace).await?.sp))
}

/// Where the browser goes to sign in by the workspace's provider.
///
/// # Errors
/// As [`describe`]; [`DomainError::Invalid`] about `return_to`; [`DomainError::NotAllowed`].
pub async fn set_out(
    ctx: &Ctx<'_>,
    workspace: OrganizationId,
    return_to: Option<&str>,
    browser: Option<[u8; 32]>,
) -> Result<String, DomainError> {
    let Sides { connection, saml, idp, sp } = Sides::of(ctx, workspace).await?;
    let to = idp.sign_in.ok_or(NOWHERE)?;
    let journey = saml_sign_in::set_out(ctx, &connection, &saml, return_to, browser).await?;
    let request = Outgoing { sp: &sp, destination: &to, id: &journey.request_id, now: ctx.now() };
    Ok(request.authn_request(journey.relay_state.expose(), false)?)
}

/// Where the browser goes to sign in by the provider of a workspace, and come back to a page of ours; with
/// `again`, also who is signed in there.
///
/// # Errors
/// As [`set_out`].
pub async fn set_out_from_page(
    ctx: &Ctx<'_>,
    connection: &Connection,
    browser: [u8; 32],
    errand: Errand,
    again: bool,
) -> Result<String, DomainError> {
    let workspace = connection.organization.ok_or(DomainError::NotFound(Noun::Organization))?;
    let Sides { connection, idp, sp, .. } = Sides::of(ctx, workspace).await?;
    let to = idp.sign_in.ok_or(NOWHERE)?;
    let begun = upstream_logins::begin(ctx, &connection, browser, errand, again).await?;
    let request = Outgoing { sp: &sp, destination: &to, id: &request_id(&begun.nonce), now: ctx.now() };
    Ok(request.authn_request(begun.state.expose(), again)?)
}

/// The `ID` of a request from a page: an xs:ID begins with no digit.
fn request_id(nonce: &str) -> String {
    format!("_{nonce}")
}

const NOWHERE: DomainError = DomainError::NotAllowed("the provider takes nobody by HTTP-Redirect");

/// What came back in a browser.
pub struct Posted<'a> {
    /// `SAMLResponse`.
    pub response: Option<&'a str>,
    /// `RelayState`.
    pub relay_state: Option<&'a str>,
    /// The browser's cookie by its digest, where there is one.
    pub browser: Option<[u8; 32]>,
}

/// Somebody for whom the provider vouches.
pub enum Arrived {
    /// They are let in.
    Granted {
        /// Their tokens.
        granted: Box<Granted>,
        /// Where they go with them.
        return_to: String,
    },
    /// They go back to the page from which they set out, which lets them in.
    OnPage(String),
}

/// Lets somebody in who comes from the workspace's provider. Whoever is not has the reason written down.
///
/// # Errors
/// As [`describe`]; [`DomainError::Invalid`] for an answer that does not count; and as
/// [`saml_sign_in::let_in`].
pub async fn arrive(ctx: &Ctx<'_>, workspace: OrganizationId, posted: Posted<'_>) -> Result<Arrived, DomainError> {
    let sides = Sides::of(ctx, workspace).await?;
    let connection = sides.connection.clone();
    let arrived = admit(ctx, sides, posted).await;
    let unavailable = |error: &DomainError| {
        matches!(
            error,
            DomainError::Unavailable(_) | DomainError::Contended(_) | DomainError::Busy { .. } | DomainError::Defect(_)
        )
    };
    if let Err(error) = &arrived
        && !unavailable(error)
    {
        saml_sign_in::note_refusal(ctx, &connection, &error.to_string()).await?;
    }
    arrived
}

async fn admit(ctx: &Ctx<'_>, sides: Sides, posted: Posted<'_>) -> Result<Arrived, DomainError> {
    let Sides { connection, saml, idp, sp } = sides;
    let response = posted.response.ok_or_else(|| Refused("there is no SAMLResponse".to_owned()))?.to_owned();
    let relay_state = posted.relay_state.unwrap_or_default();
    let journey = saml_sign_in::journey(ctx, &connection, relay_state, posted.browser).await?;
    if journey.is_none() && !saml.idp_initiated {
        return Err(Refused("nobody set out from here under this RelayState".to_owned()).into());
    }
    let page = |journey: &UpstreamLogin| journey.nonce.as_deref().map(request_id);
    let request_id = journey.as_ref().and_then(|journey| journey.request_id.clone().or_else(|| page(journey)));
    let now = ctx.now();
    // Several milliseconds of one core: not on a thread that answers requests.
    let verified =
        tokio::task::spawn_blocking(move || answer::verify(&sp, &idp, request_id.as_deref(), &response, now));
    let assertion = verified.await.map_err(|why| DomainError::Defect(why.to_string()))??;
    let claimed = claimed(&connection, &assertion)?;
    if let Some(journey) = journey.clone().filter(saml_sign_in::is_of_page) {
        let callback = upstream::callback(ctx, connection.id);
        let authenticated_at = assertion.authenticated_at;
        let vouched = Vouched { connection, journey: None, claimed, authenticated_at, once: assertion.once };
        let state = saml_sign_in::hand_over(ctx, vouched, journey).await?;
        return Ok(Arrived::OnPage(format!("{callback}?state={}", state.expose())));
    }
    let return_to = match journey.as_ref().and_then(|journey| journey.goal.clone()) {
        Some(goal) => goal,
        // Who did not set out here has no reference; their provider may know a place that is on the list.
        None => {
            saml_sign_in::destination(&saml, Some(relay_state)).or_else(|_| saml_sign_in::destination(&saml, None))?
        }
    };
    let authenticated_at = assertion.authenticated_at;
    let vouched = Vouched { connection, journey, claimed, authenticated_at, once: assertion.once };
    Ok(Arrived::Granted { granted: Box::new(saml_sign_in::let_in(ctx, &vouched).await?), return_to })
}

impl From<Refused> for DomainError {
    fn from(Refused(why): Refused) -> Self {
        Invalid::new("SAMLResponse", why).into()
    }
}

/// What the connection makes of an assertion.
fn claimed(connection: &Connection, assertion: &Assertion) -> Result<Claimed, Refused> {
    let mapping = &connection.settings.mapping;
    let values = |mapped: &Option<String>, usual: &[&str]| -> &[String] {
        let named = match mapped {
            Some(name) => assertion.attributes.get(name),
            None => usual.iter().find_map(|name| assertion.attributes.get(*name)),
        };
        named.map_or(&[], Vec::as_slice)
    };
    let value = |mapped, usual: &[&str]| values(mapped, usual).iter().find(|value| !value.is_empty()).cloned();
    let subject = match &mapping.subject {
        Some(_) => value(&mapping.subject, &[]),
        None => Some(assertion.name_id.clone()).filter(|_| !assertion.is_transient),
    };
    let nobody =
        || Refused("nothing says who it is: the NameID is transient, or the mapped attribute missing".to_owned());
    let address = |text: &String| text.parse::<Email>().is_ok();
    let email = value(&mapping.email, &EMAIL)
        .or_else(|| Some(assertion.name_id.clone()).filter(|_| mapping.email.is_none()))
        .filter(address);
    Ok(Claimed {
        subject: subject.ok_or_else(nobody)?,
        email_verified: email.as_deref().is_some_and(|email| answers_for(connection, email)),
        email,
        name: value(&mapping.name, &NAME),
        username: value(&mapping.username, &[]),
        roles: values(&mapping.role, &ROLE).to_vec(),
        saml_session: Some(SamlSession {
            connection: connection.id,
            name_id: assertion.name_id.clone(),
            name_id_attributes: assertion.name_id_attributes.clone(),
            index: assertion.session_index.clone(),
        }),
        second_factor: assertion.contexts.iter().any(|context| TWO_FACTORS.contains(&context.as_str())),
    })
}

/// Whether an address is the provider's to speak of: of one of the connection's domains, or any where none
/// is named (`docs/decisions/0014-saml.md`).
fn answers_for(connection: &Connection, email: &str) -> bool {
    let domain = email.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    connection.domains.is_empty() || domain.is_some_and(|domain| connection.domains.contains(&domain))
}
