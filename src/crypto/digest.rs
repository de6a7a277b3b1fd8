//! SHA-256 digests and the two textual encodings that the whole program uses.

use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// A SHA-256 digest (FIPS 180-4 §6.2). Compared in constant time, so that looking something up by
/// digest tells nothing about the digests nearby.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_output(&digest(&SHA256, bytes))
    }

    /// The digest of several parts under a domain label. Every part is preceded by its length, so
    /// that no two different lists of parts, nor two domains, share an input.
    #[must_use]
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Self::from_output(&context.finish())
    }

    /// The library hands out a slice, of 32 bytes for SHA-256.
    fn from_output(output: &aws_lc_rs::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(output.as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// A digest that was computed before, as a storage column holds it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Like [`Digest::from_bytes`]; none unless there are 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Parses what [`Digest::hex`] writes; either case is accepted.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_slice(&from_hex(text)?)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// 43 characters of base64url without padding (RFC 4648 §5), as PKCE's S256 (RFC 7636 §4.2) and
    /// key thumbprints (RFC 7638 §3) have it.
    #[must_use]
    pub fn base64url(&self) -> String {
        base64url(&self.0)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Only the first four bytes: enough to tell two apart in a log, too few to look anything up by.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}…)", hex(self.0.first_chunk::<4>().map_or(&[], <[u8; 4]>::as_slice)))
    }
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Lower-case hex (RFC 4648 §8).
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
    }
    text
}

/// The bytes of a hex text of either case.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// Base64url without padding (RFC 4648 §5, RFC 7515 §2).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text; padding, other alphabets and stray trailing bits are refused, so
/// that every byte string has exactly one text.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_vector() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::from_hex(&digest.hex()), Some(digest));
        assert_eq!(format!("{digest:?}"), "Digest(ba7816bf…)");
    }

    #[test]
    fn pkce_vector_of_rfc_7636_appendix_b() {
        let challenge = Digest::of(b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").base64url();
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let digests = [
            Digest::of_parts("a", &[b"b", b"c"]),
            Digest::of_parts("a", &[b"bc"]),
            Digest::of_parts("a", &[b"", b"bc"]),
            Digest::of_parts("ab", &[b"c"]),
        ];
        let distinct: std::collections::HashSet<_> = digests.into_iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    #[test]
    fn encodings_are_strict() {
        assert_eq!(from_hex("00fF"), Some(vec![0, 255]));
        for bad in ["0", "0g", "é", "+1"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
        assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
        for bad in ["-_8=", "+/8", "-_9", "-_8\n"] {
            assert_eq!(from_base64url(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn encodings_are_inverses(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes.clone()));
            proptest::prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        }
    }
}
