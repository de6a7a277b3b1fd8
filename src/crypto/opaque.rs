//! Opaque secrets: tokens that mean nothing but what a row says about them.
//!
//! Their form serves three readers. A person sees the kind from the prefix, and a double click
//! selects the whole of it. A secret scanner finds leaked ones by prefix and checksum. And the
//! server turns away typing errors and guesses without asking the database.

use aws_lc_rs::hmac;
use uuid::Uuid;

use super::digest::{Digest, base64url, from_base64url};
use super::sealing::MasterKey;
use crate::model::entropy::Entropy;
use crate::model::secret::Secret;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 43 characters of base62 hold 256 bits.
const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;

/// What an opaque secret is for; its prefix says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The public half of a tenant's key pair.
    PublicKey,
    /// The secret half of a tenant's key pair.
    SecretKey,
    /// An OAuth client's secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// An opaque access token (RFC 6749 §1.4).
    AccessToken,
    /// A refresh token (RFC 6749 §1.5) that is looked up by digest; see also [`RefreshTokenKey`].
    RefreshToken,
    /// An authorization code (RFC 6749 §1.3.1).
    AuthorizationCode,
    /// A device code (RFC 8628 §3.2).
    DeviceCode,
    /// A pushed authorization request's reference (RFC 9126 §2.2).
    RequestUri,
    /// A browser session's cookie.
    Session,
    /// A browser that is known again; no session.
    Browser,
    /// A sign-in that is under way in a browser.
    LoginTransaction,
    /// What manages a registered client (RFC 7592 §3).
    RegistrationToken,
    /// What opens client registration to who holds it (RFC 7591 §3).
    InitialAccessToken,
    /// What a mailed link carries: confirmation, password reset.
    MailLink,
    /// An invitation.
    Invitation,
    /// A sign-in that is under way at a provider elsewhere: `state`, `RelayState`.
    UpstreamState,
    /// A sign-out that is under way at a provider elsewhere: `RelayState`.
    UpstreamLogout,
    /// A sign-in over an interface that waits for its second factor.
    MfaTicket,
    /// The public half of an API client's key pair.
    ApiClientKey,
    /// The secret half of an API client's key pair.
    ApiClientSecret,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::PublicKey,
        Self::SecretKey,
        Self::ClientSecret,
        Self::AccessToken,
        Self::RefreshToken,
        Self::AuthorizationCode,
        Self::DeviceCode,
        Self::RequestUri,
        Self::Session,
        Self::Browser,
        Self::LoginTransaction,
        Self::RegistrationToken,
        Self::InitialAccessToken,
        Self::MailLink,
        Self::Invitation,
        Self::UpstreamState,
        Self::UpstreamLogout,
        Self::MfaTicket,
        Self::ApiClientKey,
        Self::ApiClientSecret,
    ];

    /// What every secret of this kind starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::PublicKey => "pub_",
            Self::SecretKey => "sec_",
            Self::ClientSecret => "ghs_",
            Self::AccessToken => "gha_",
            Self::RefreshToken => "ghr_",
            Self::AuthorizationCode => "ghc_",
            Self::DeviceCode => "ghd_",
            Self::RequestUri => "ghq_",
            Self::Session => "ghv_",
            Self::Browser => "ghb_",
            Self::LoginTransaction => "ght_",
            Self::RegistrationToken => "ghg_",
            Self::InitialAccessToken => "ghn_",
            Self::MailLink => "ghm_",
            Self::Invitation => "ghi_",
            Self::ApiClientKey => "gck_",
            Self::ApiClientSecret => "gcs_",
            Self::UpstreamState => "ghu_",
            Self::UpstreamLogout => "ghx_",
            Self::MfaTicket => "ghf_",
        }
    }
}

/// A new secret: prefix, 256 random bits, checksum; 53 characters.
#[must_use]
pub fn generate(kind: TokenKind, entropy: &dyn Entropy) -> Secret<String> {
    let prefix = kind.prefix();
    let end = prefix.len() + RANDOM_CHARS;
    let mut text = String::with_capacity(end + CHECKSUM_CHARS);
    text.push_str(prefix);
    while text.len() < end {
        let random = Secret::new(entropy.bytes::<64>());
        // Six bits pick one of 64; the two that have no letter are thrown away, which keeps every
        // letter equally likely.
        let letters = random.expose().iter().filter_map(|b| BASE62.get(usize::from(b & 63)));
        text.extend(letters.take(end - text.len()).map(|b| char::from(*b)));
    }
    let checksum = checksum(text.as_bytes());
    text.extend(checksum.map(char::from));
    Secret::new(text)
}

/// The digest under which storage keeps the secret; none unless prefix, length, alphabet and
/// checksum are right. Takes well under a microsecond: it stands before every database lookup.
#[must_use]
pub fn recognise(kind: TokenKind, text: &str) -> Option<Digest> {
    let random = text.strip_prefix(kind.prefix())?;
    if random.len() != RANDOM_CHARS + CHECKSUM_CHARS || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (body, given) = text.as_bytes().split_last_chunk::<CHECKSUM_CHARS>()?;
    // The checksum is public knowledge, so comparing it needs no constant time.
    (checksum(body) == *given).then(|| digest_of_secret(text))
}

/// The digest under which storage keeps a secret of any form: also of those that were set by hand
/// or imported, which [`recognise`] does not know.
#[must_use]
pub fn digest_of_secret(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// 35 bits of SHA-256 in base62, most significant digit first.
fn checksum(body: &[u8]) -> [u8; CHECKSUM_CHARS] {
    let digest = Digest::of(body);
    let mut value = digest.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    let mut text = [b'0'; CHECKSUM_CHARS];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(value % 62).unwrap_or(0);
        *place = BASE62.get(digit).copied().unwrap_or(b'0');
        value /= 62;
    }
    text
}

/// Makes and checks refresh tokens that need no row of their own: a token names its family and its
/// generation and proves both with a MAC. The family's row keeps only a counter, and within the
/// grace window the same successor can be handed out again because it can be computed again.
pub struct RefreshTokenKey(hmac::Key);

/// Family (16), generation (4), MAC (32).
const REFRESH_BYTES: usize = 16 + 4 + 32;

impl RefreshTokenKey {
    /// The key for refresh tokens, derived from the master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, master.derive("gatehouse refresh token v1").expose()))
    }

    /// The token of this generation; always the same one. The tenant is proven, not carried.
    #[must_use]
    pub fn seal(&self, tenant: Uuid, family: Uuid, generation: u32) -> Secret<String> {
        let mut bytes = Vec::with_capacity(REFRESH_BYTES);
        bytes.extend_from_slice(family.as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        let mac = hmac::sign(&self.0, &message(tenant, &bytes));
        bytes.extend_from_slice(mac.as_ref());
        let bytes = Secret::new(bytes);
        let text = Secret::new(base64url(bytes.expose()));
        Secret::new([TokenKind::RefreshToken.prefix(), text.expose()].concat())
    }

    /// The family and generation, if this key made the token for this tenant.
    #[must_use]
    pub fn open(&self, tenant: Uuid, text: &str) -> Option<(Uuid, u32)> {
        let text = text.strip_prefix(TokenKind::RefreshToken.prefix())?;
        if text.len() != (REFRESH_BYTES * 4).div_ceil(3) {
            return None;
        }
        let bytes = Secret::new(from_base64url(text)?);
        let (named, mac) = bytes.expose().split_at_checked(20)?;
        hmac::verify(&self.0, &message(tenant, named), mac).ok()?;
        let (family, generation) = named.split_first_chunk::<16>()?;
        Some((Uuid::from_bytes(*family), u32::from_be_bytes(generation.try_into().ok()?)))
    }
}

/// What the MAC covers; every part has a fixed length.
fn message(tenant: Uuid, named: &[u8]) -> Vec<u8> {
    [tenant.as_bytes(), named].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::model::entropy::{SeededEntropy, SystemEntropy};

    #[test]
    fn a_secret_is_recognised_as_its_own_kind_only() {
        let entropy = SystemEntropy;
        for made in TokenKind::ALL {
            let secret = generate(*made, &entropy);
            let text = secret.expose();
            assert_eq!(text.len(), 53);
            assert!(text[4..].bytes().all(|b| b.is_ascii_alphanumeric()), "{text}");
            for kind in TokenKind::ALL {
                let expected = (made == kind).then(|| digest_of_secret(text));
                assert_eq!(recognise(*kind, text), expected);
            }
        }
    }

    #[test]
    fn every_typing_error_is_noticed() {
        let secret = generate(TokenKind::ClientSecret, &SeededEntropy::new(3));
        let text = secret.expose();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(bytes).unwrap();
            assert_eq!(recognise(TokenKind::ClientSecret, &wrong), None, "{wrong}");
            assert_eq!(recognise(TokenKind::ClientSecret, &text[..at]), None);
        }
        for wrong in ["", "ghs_", &format!("{text}0"), &format!(" {text}"), "ghs_äääääääääääääääääääääääää"]
        {
            assert_eq!(recognise(TokenKind::ClientSecret, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn letters_are_evenly_spread() {
        let mut counts = [0_u32; 128];
        let entropy = SeededEntropy::new(4);
        for _ in 0..2000 {
            for b in generate(TokenKind::Session, &entropy).expose()[4..47].bytes() {
                counts[usize::from(b)] += 1;
            }
        }
        // 86 000 letters over 62: about 1387 each, standard deviation 37.
        assert!(BASE62.iter().all(|b| (1150..1650).contains(&counts[usize::from(*b)])), "{counts:?}");
    }

    fn refresh_key() -> RefreshTokenKey {
        RefreshTokenKey::new(&MasterKey::generate(&SeededEntropy::new(5)))
    }

    #[test]
    fn a_refresh_token_opens_to_what_it_was_sealed_with() {
        let key = refresh_key();
        let (tenant, family) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let token = key.seal(tenant, family, 7);
        assert_eq!(token.expose().len(), 4 + 70);
        assert_eq!(key.open(tenant, token.expose()), Some((family, 7)));
        assert_eq!(key.seal(tenant, family, 7).expose(), token.expose(), "the successor can be computed again");
        assert_eq!(key.open(Uuid::from_u128(3), token.expose()), None, "another tenant");
        let other = RefreshTokenKey::new(&MasterKey::generate(&SeededEntropy::new(6)));
        assert_eq!(other.open(tenant, token.expose()), None, "another key");
    }

    #[test]
    fn an_altered_refresh_token_does_not_open() {
        let key = refresh_key();
        let token = key.seal(Uuid::nil(), Uuid::max(), u32::MAX);
        let text = token.expose();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.open(Uuid::nil(), std::str::from_utf8(&bytes).unwrap()), None, "at {at}");
            assert_eq!(key.open(Uuid::nil(), &text[..at]), None, "cut at {at}");
        }
    }
}
