//! Connections: providers elsewhere by whom people sign in here, SAML, OpenID Connect or plain OAuth 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{ConnectionId, OrganizationId, TenantId, UserId};
use super::organization::MembershipRole;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// Which protocol a provider speaks.
    ConnectionKind {
        /// SAML 2.0, of a workspace.
        Saml = "saml",
        /// OpenID Connect, found by discovery.
        Oidc = "oidc",
        /// OAuth 2 without identity: the person is what an interface of theirs says.
        OAuth2 = "oauth2",
    }
}

/// A provider elsewhere by whom people sign in here.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose it is.
    pub tenant: TenantId,
    /// `con_…`.
    pub id: ConnectionId,
    /// Whose members sign in by it; none is everybody of the tenant. A SAML connection has one.
    pub organization: Option<OrganizationId>,
    /// What people know it by: the text of its button.
    pub name: String,
    /// A disabled one lets nobody in, also who is under way.
    pub enabled: bool,
    /// How to reach it.
    pub provider: Provider,
    /// What is made of who comes from there.
    pub settings: ConnectionSettings,
    /// The domains of addresses that lead there, lower case, sorted.
    pub domains: Vec<String>,
    /// Our secret there, sealed.
    pub sealed_secret: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a provider is reached; in the database as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Provider {
    /// SAML 2.0.
    Saml(SamlProvider),
    /// OpenID Connect.
    Oidc(OidcProvider),
    /// Plain OAuth 2.
    OAuth2(OAuth2Provider),
}

impl Provider {
    /// Which protocol it speaks.
    #[must_use]
    pub const fn kind(&self) -> ConnectionKind {
        match self {
            Self::Saml(_) => ConnectionKind::Saml,
            Self::Oidc(_) => ConnectionKind::Oidc,
            Self::OAuth2(_) => ConnectionKind::OAuth2,
        }
    }
}

/// A SAML identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlProvider {
    /// Its metadata as XML, as it was given; its certificates are the only ones that are believed.
    pub metadata: String,
    /// Its name in the metadata.
    pub entity_id: String,
    /// Whether it may send people who did not begin here.
    #[serde(default)]
    pub idp_initiated: bool,
    /// Where people may be sent with their tokens, byte for byte; the first is where they go unless
    /// they said otherwise.
    #[serde(default)]
    pub return_to: Vec<String>,
}

/// An OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// Its issuer, byte for byte what its tokens say.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// What is asked for beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether its userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: bool,
}

/// An OAuth 2 provider without identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth2Provider {
    /// Where people go.
    pub authorization_endpoint: String,
    /// Where the code is redeemed.
    pub token_endpoint: String,
    /// Who the person is, asked with their token; a JSON object.
    pub userinfo_endpoint: String,
    /// Who we are there.
    pub client_id: String,
    /// What is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it takes a code challenge (RFC 7636).
    #[serde(default)]
    pub pkce: bool,
}

/// What is made of who comes from there; in the database as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionSettings {
    /// Whether an account is made for who comes for the first time.
    pub just_in_time: bool,
    /// Whether its addresses are proved, whatever it says about each.
    pub trusts_email: bool,
    /// Whether a second factor that it says it asked for counts here.
    pub trusts_second_factor: bool,
    /// Which of its claims or attributes says what.
    pub mapping: Mapping,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self { just_in_time: true, trusts_email: false, trusts_second_factor: false, mapping: Mapping::default() }
    }
}

/// Which claim or attribute of a provider says what; `None` is the protocol's usual one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// Who it is: stable, and never given to somebody else.
    pub subject: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their username.
    pub username: Option<String>,
    /// What they are; its values are looked up in the two tables below.
    pub role: Option<String>,
    /// Value → what they are in the organization.
    pub memberships: BTreeMap<String, MembershipRole>,
    /// Value → code of a role of the tenant.
    pub roles: BTreeMap<String, String>,
}

/// That somebody of elsewhere is somebody here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// By which connection.
    pub connection: ConnectionId,
    /// Who they are there.
    pub subject: String,
    /// Who they are here.
    pub user: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// When they last came that way.
    pub used_at: Timestamp,
}

/// Somebody's session at a SAML provider, by the words in which the provider wants to hear of it (Core
/// §3.7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlSession {
    /// By which connection.
    pub connection: ConnectionId,
    /// The text of `<NameID>`.
    pub name_id: String,
    /// Its attributes: format and qualifiers.
    pub name_id_attributes: BTreeMap<String, String>,
    /// `SessionIndex`, where the provider gave one.
    pub index: Option<String>,
}

/// Somebody who is on their way to a provider and back.
#[derive(Clone, Debug)]
pub struct UpstreamLogin {
    /// SHA-256 of `state` or `RelayState`.
    pub digest: [u8; 32],
    /// By which connection.
    pub connection: ConnectionId,
    /// SHA-256 of the browser's cookie in which it began, where that comes back too.
    pub browser: Option<[u8; 32]>,
    /// Where they go afterwards, in words of who began it.
    pub goal: Option<String>,
    /// What must be in the ID token.
    pub nonce: Option<String>,
    /// The code verifier, sealed.
    pub sealed_verifier: Option<Vec<u8>>,
    /// The `ID` of the request, which the answer must name.
    pub request_id: Option<String>,
    /// What the protocol must remember, as JSON.
    pub pending: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when the answer counts.
    pub expires_at: Timestamp,
}

/// An account of elsewhere that may be linked, once who has it signs in here in the same browser.
#[derive(Clone, Debug)]
pub struct LinkOffer {
    /// SHA-256 of its reference.
    pub digest: [u8; 32],
    /// By which connection.
    pub connection: ConnectionId,
    /// Who they are there.
    pub subject: String,
    /// SHA-256 of the browser's cookie.
    pub browser: [u8; 32],
    /// What to call the account: an address or a name of elsewhere.
    pub label: Option<String>,
    /// Until when it stands.
    pub expires_at: Timestamp,
}
