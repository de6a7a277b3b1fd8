//! A tenant's signing keys and the states they pass through.

use super::ids::{KeyId, TenantId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// What gatehouse signs with (RFC 7518 §3.1, RFC 8037 §3.1).
    SigningAlg {
        /// ECDSA on P-256 with SHA-256: the default for access tokens.
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256: the default for ID tokens, as OpenID Connect Core §2 wants.
        Rs256 = "RS256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

text_enum! {
    /// Where a key stands. It only ever moves forward: next → active → retiring → removed, and
    /// there is at most one `next` and exactly one `active` key per tenant and algorithm.
    KeyState {
        /// Published so that every cache learns it, not yet signing.
        Next = "next",
        /// Signing.
        Active = "active",
        /// No longer signing; published until the last token that it signed has expired.
        Retiring = "retiring",
        /// No longer published; the private half is wiped.
        Removed = "removed",
    }
}

impl KeyState {
    /// Whether the public half belongs in the JWK set.
    #[must_use]
    pub const fn is_published(self) -> bool {
        !matches!(self, Self::Removed)
    }
}

/// One signing key. The private half is sealed (`crypto/sealing.rs`).
#[derive(Clone)]
pub struct SigningKey {
    /// The tenant whose tokens it signs.
    pub tenant: TenantId,
    /// RFC 7638 thumbprint of the public half.
    pub kid: KeyId,
    /// The one algorithm it is used with.
    pub alg: SigningAlg,
    /// Where it stands.
    pub state: KeyState,
    /// The public half as a JWK (RFC 7517), JSON text.
    pub public_jwk: String,
    /// The private half, PKCS#8 DER, sealed; empty once removed.
    pub sealed_private: Vec<u8>,
    /// When it was made and published.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
}
