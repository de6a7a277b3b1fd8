//! Token families: all that one authorization issued, and how it ends.

use super::authorization::ClaimsRequest;
use super::ids::{ClientId, FamilyId, OrganizationId, SessionId, TenantId, UserId};
use super::scope::OAuthScope;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// Why a family ended.
    RevocationReason {
        /// The client or the person asked for it (RFC 7009).
        Requested = "requested",
        /// A used refresh token came again after the grace window (RFC 9700 §4.14.2).
        Replayed = "replayed",
        /// Its user was disabled, changed the password or was deleted.
        UserChanged = "user_changed",
        /// The person signed out of the session that it comes from.
        SignedOut = "signed_out",
        /// The person took back what they had allowed the client.
        ConsentWithdrawn = "consent_withdrawn",
        /// Its client was disabled or deleted.
        ClientChanged = "client_changed",
    }
}

/// All the tokens of one authorization: the refresh token in its generations and every access token
/// issued with it.
#[derive(Clone, Debug)]
pub struct TokenFamily {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name; part of each of its tokens.
    pub id: FamilyId,
    /// To whom the tokens were issued.
    pub client: ClientId,
    /// For whom.
    pub user: UserId,
    /// What was granted at the beginning; a refresh may narrow its answer, never widen it.
    pub scope: OAuthScope,
    /// Audience of its access tokens, if it is not the client's default.
    pub audience: Option<String>,
    /// How the person proved who they are (RFC 8176).
    pub amr: Vec<String>,
    /// When they did.
    pub auth_time: Timestamp,
    /// The browser session that it comes from; it ends with it unless `offline_access` was granted.
    pub session: Option<SessionId>,
    /// The organization whose provider vouched for the person; its tokens name it while they belong to it.
    pub organization: Option<OrganizationId>,
    /// What the sign-in was worth (OpenID Connect Core §2).
    pub acr: Option<String>,
    /// Single claims that were asked for (OpenID Connect Core §5.5).
    pub claims: ClaimsRequest,
    /// Which generation of the refresh token counts; every use raises it by one.
    pub generation: i32,
    /// When the generation last rose.
    pub rotated_at: Timestamp,
    /// When the refresh token expires.
    pub expires_at: Timestamp,
    /// When it ended and why.
    pub revoked: Option<(Timestamp, RevocationReason)>,
    /// When it began.
    pub created_at: Timestamp,
}

/// A reference access token, known by its digest.
#[derive(Clone, Debug)]
pub struct OpaqueToken {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// Whose it is.
    pub tenant: TenantId,
    /// The claims that a JWT would carry, JSON text.
    pub claims: String,
    /// When it expires.
    pub expires_at: Timestamp,
}
