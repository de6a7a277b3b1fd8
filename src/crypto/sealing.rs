//! Sealing at rest: secrets that must be read back (signing keys, clients' symmetric secrets) lie
//! in the database encrypted under a master key that does not.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::digest::{Digest, from_hex};
use crate::model::entropy::Entropy;
use crate::model::secret::Secret;

/// AES-256-GCM under the HKDF-derived sealing key, 12 random bytes of nonce.
const VERSION: u8 = 1;

/// A text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes, as 64 hex digits or as base64")]
pub struct NotAMasterKey;

/// Why a value can't be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Written by a newer release, or not a sealed value at all.
    #[error("the sealed value has an unknown format")]
    UnknownFormat,
    /// Wrong master key, wrong row, or altered bytes: the three can't be told apart.
    #[error("the sealed value does not belong to this key and place")]
    Rejected,
    /// The cipher refused to work; only for texts beyond its size limit.
    #[error("the value can't be sealed")]
    Unsealable,
}

/// The one secret that lives outside the database; every other key is derived from it.
#[derive(Clone)]
pub struct MasterKey(Secret<[u8; 32]>);

impl MasterKey {
    /// A new one.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(entropy.bytes()))
    }

    /// Reads 64 hex digits or base64 (either alphabet, padded or not); white space around it is
    /// ignored, as files end in a line break.
    ///
    /// # Errors
    /// If it isn't 32 bytes in one of these forms.
    pub fn parse(text: &str) -> Result<Self, NotAMasterKey> {
        let text = text.trim();
        let unpadded = text.trim_end_matches('=');
        let bytes = match text.len() {
            64 => from_hex(text),
            43 | 44 => STANDARD_NO_PAD.decode(unpadded).or_else(|_| URL_SAFE_NO_PAD.decode(unpadded)).ok(),
            _ => None,
        };
        let bytes = Secret::new(bytes.ok_or(NotAMasterKey)?);
        let key: [u8; 32] = bytes.expose().as_slice().try_into().map_err(|_| NotAMasterKey)?;
        Ok(Self(Secret::new(key)))
    }

    /// The key as base64, for the operator to keep.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(base64::engine::general_purpose::STANDARD.encode(self.0.expose()))
    }

    /// An independent key for one use (HKDF-SHA256, RFC 5869 §2.3; the label is its `info`).
    #[must_use]
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        let mut key = [0; 32];
        let info = [label.as_bytes()];
        // 32 bytes are far below HKDF's limit of 255 blocks, so neither step can fail; were it to,
        // a key of zeros must not be the answer.
        let filled = Salt::new(HKDF_SHA256, b"gatehouse")
            .extract(self.0.expose())
            .expand(&info, HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key));
        if filled.is_err() {
            key = *Digest::of_parts(label, &[self.0.expose()]).as_bytes();
        }
        Secret::new(key)
    }

    /// What the database keeps to recognise its own master key: says nothing about the key, but
    /// start-up can tell a wrong one before anything fails to open.
    #[must_use]
    pub fn key_check(&self) -> Digest {
        Digest::of(self.derive("gatehouse key check v1").expose())
    }
}

/// Where a sealed value belongs; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct SealContext<'a> {
    /// What it is, e.g. `"signing key"`.
    pub purpose: &'a str,
    /// Whose it is.
    pub tenant: Uuid,
    /// Which one it is, e.g. its `kid`.
    pub name: &'a str,
}

impl SealContext<'_> {
    fn associated_data(&self) -> [u8; 32] {
        let parts = [&[VERSION][..], self.tenant.as_bytes(), self.purpose.as_bytes(), self.name.as_bytes()];
        *Digest::of_parts("gatehouse sealed value", &parts).as_bytes()
    }
}

/// Seals and opens values with AES-256-GCM (NIST SP 800-38D).
pub struct Sealer(LessSafeKey);

impl Sealer {
    /// A sealer under the key derived from the master key.
    ///
    /// # Errors
    /// If the cipher refuses the key; it takes any 32 bytes.
    pub fn new(master: &MasterKey) -> Result<Self, SealError> {
        let key = master.derive("gatehouse sealing v1");
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError::Unsealable)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Version byte, nonce, ciphertext with its tag. Nonces are random: 96 bits allow four thousand
    /// million values under one key (SP 800-38D §8.3), and there are a few per tenant and month.
    ///
    /// # Errors
    /// [`SealError::Unsealable`].
    pub fn seal(
        &self,
        context: SealContext<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let text = sealed.get_mut(1 + NONCE_LEN..).ok_or(SealError::Unsealable)?;
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.associated_data()), text)
            .map_err(|_| SealError::Unsealable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The value, if this key sealed it for this place.
    ///
    /// # Errors
    /// [`SealError::UnknownFormat`] or [`SealError::Rejected`].
    pub fn open(&self, context: SealContext<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        let Some((&VERSION, rest)) = sealed.split_first() else {
            return Err(SealError::UnknownFormat);
        };
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::UnknownFormat)?;
        let mut text = text.to_vec();
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context.associated_data()), &mut text)
            .map_err(|_| SealError::Rejected)?
            .len();
        text.truncate(length);
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;

    fn context(name: &str) -> SealContext<'_> {
        SealContext { purpose: "signing key", tenant: Uuid::from_u128(7), name }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let entropy = SeededEntropy::new(1);
        let master = MasterKey::generate(&entropy);
        let sealer = Sealer::new(&master).unwrap();
        let sealed = sealer.seal(context("a"), b"hush", &entropy).unwrap();
        assert_eq!(sealed.len(), 1 + 12 + 4 + 16);
        assert_eq!(sealer.open(context("a"), &sealed).ok().unwrap().expose(), b"hush");

        let elsewhere = [
            context("b"),
            SealContext { purpose: "client secret", ..context("a") },
            SealContext { tenant: Uuid::from_u128(8), ..context("a") },
            SealContext { purpose: "signing keya", name: "", ..context("a") },
        ];
        for place in elsewhere {
            assert_eq!(sealer.open(place, &sealed).err(), Some(SealError::Rejected));
        }
        let other = Sealer::new(&MasterKey::generate(&entropy)).unwrap();
        assert_eq!(other.open(context("a"), &sealed).err(), Some(SealError::Rejected));
    }

    #[test]
    fn damage_is_noticed_everywhere() {
        let entropy = SeededEntropy::new(2);
        let sealer = Sealer::new(&MasterKey::generate(&entropy)).unwrap();
        let sealed = sealer.seal(context("a"), b"hush", &entropy).unwrap();
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(sealer.open(context("a"), &damaged).is_err(), "byte {at}");
            assert!(sealer.open(context("a"), &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(sealed, sealer.seal(context("a"), b"hush", &entropy).unwrap(), "nonces differ");
    }

    #[test]
    fn master_keys_are_read_in_every_usual_form() {
        let key = MasterKey(Secret::new([0xfb; 32]));
        for text in [
            "fb".repeat(32),
            "FB".repeat(32),
            key.to_text().expose().clone(),
            format!("  {}\n", key.to_text().expose()),
            URL_SAFE_NO_PAD.encode([0xfb; 32]),
        ] {
            assert_eq!(MasterKey::parse(&text).ok().unwrap().key_check(), key.key_check(), "{text}");
        }
        for text in ["", "secret", &"fb".repeat(31), &"zz".repeat(32), &"fb".repeat(33)] {
            assert_eq!(MasterKey::parse(text).err(), Some(NotAMasterKey), "{text}");
        }
    }

    #[test]
    fn derived_keys_are_independent() {
        let key = MasterKey(Secret::new([1; 32]));
        assert_ne!(key.derive("a").expose(), key.derive("b").expose());
        assert_ne!(key.derive("a").expose(), &[0; 32]);
        assert_ne!(key.key_check(), MasterKey(Secret::new([2; 32])).key_check());
    }
}
