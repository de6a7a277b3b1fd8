//! OAuth clients (RFC 6749 §2): third-party apps, and services that act for themselves.

use std::time::Duration;

use super::client_settings::ClientSettings;
use super::ids::{ClientId, TenantId};
use super::scope::OAuthScope;
use super::signing_key::SigningAlg;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// How a client obtains tokens (the registered `grant_type` values).
    GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 §4.3: legacy, off unless the client has it.
        Password = "password",
        /// RFC 8628.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// OAuth 2.0 Multiple Response Types: tokens straight from the authorization endpoint; legacy.
        Implicit = "implicit",
    }
}

text_enum! {
    /// How a client proves who it is at the token endpoint (OpenID Connect Core §9).
    AuthMethod {
        /// HTTP Basic (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// Secret in the body (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// Assertion under the client's own key (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
        /// Assertion under the shared secret (RFC 7523).
        ClientSecretJwt = "client_secret_jwt",
        /// A public client (RFC 6749 §2.1).
        None = "none",
    }
}

impl AuthMethod {
    /// Whether it takes a secret that both sides know.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }
}

text_enum! {
    /// What a client's access tokens look like.
    AccessTokenFormat {
        /// RFC 9068.
        Jwt = "jwt",
        /// A reference that only introspection can read.
        Opaque = "opaque",
    }
}

/// A registered secret, known only by its digest, and the one it replaced while that still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecrets {
    /// SHA-256 of the secret that counts.
    pub current: [u8; 32],
    /// SHA-256 of the one before, and when it ceases to count.
    pub previous: Option<([u8; 32], Timestamp)>,
    /// The secret itself, sealed; only for `client_secret_jwt`, which needs it to check a MAC.
    pub sealed: Option<Vec<u8>>,
}

/// A registered client.
#[derive(Clone)]
pub struct Client {
    /// Whose client it is.
    pub tenant: TenantId,
    /// Its public name.
    pub id: ClientId,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// Whether it may act at all.
    pub enabled: bool,
    /// The one way in which it authenticates (basic and post stand for each other).
    pub auth_method: AuthMethod,
    /// Its secret, if it has one.
    pub secrets: Option<ClientSecrets>,
    /// Its public keys (RFC 7517 JWK set, JSON text), if it has any.
    pub jwks: Option<String>,
    /// How it may obtain tokens.
    pub grant_types: Vec<GrantType>,
    /// Where a person may be sent back to, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Where a person may be sent after sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// What it may ask for on behalf of a person. What it may do for itself are its permissions.
    pub scope: OAuthScope,
    /// The permission codes granted to it, as the scope of its own tokens.
    pub permissions: OAuthScope,
    /// Audience of its tokens where the request names none; else the issuer.
    pub default_audience: Option<String>,
    /// Audiences that it may name (RFC 8707).
    pub audiences: Vec<String>,
    /// What its access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What its access tokens are signed with.
    pub signing_alg: SigningAlg,
    /// Life of its access tokens where it differs from the tenant's.
    pub access_token_ttl: Option<Duration>,
    /// Life of its refresh tokens where it differs from the tenant's.
    pub refresh_token_ttl: Option<Duration>,
    /// What OpenID Connect and registration say about it.
    pub settings: ClientSettings,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Client {
    /// Whether it may use the grant type.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether it is a service: a client that acts for itself (`svc_…` in `idaas.md`).
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.may_use(GrantType::ClientCredentials)
    }

    /// Whether people need not mind what it does with their tokens: it belongs to whoever runs the
    /// tenant, or sees their passwords anyway.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.settings.first_party || self.may_use(GrantType::Password)
    }

    /// Whether it has no way to keep a secret (RFC 6749 §2.1).
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.auth_method, AuthMethod::None)
    }
}
