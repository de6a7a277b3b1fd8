//! How single values are written in the file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crypto::digest::Digest;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from)
}

/// A moment, RFC 3339 with milliseconds: lists are in the order of these.
#[derive(Clone, Copy)]
pub(super) struct At(pub(super) Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_chrono().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let moment = Timestamp::parse_rfc3339(&text(from)?);
        moment.map(Self).ok_or_else(|| D::Error::custom("not a time as in 2030-01-31T18:00:00Z (RFC 3339)"))
    }
}

/// A SHA-256, in hex.
#[derive(Clone, Copy)]
pub(super) struct Sha256(pub(super) [u8; 32]);

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Digest::from_bytes(self.0).hex())
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digest = Digest::from_hex(&text(from)?);
        digest.map(|digest| Self(*digest.as_bytes())).ok_or_else(|| D::Error::custom("not 64 hexadecimal digits"))
    }
}

/// Bytes, in base64url without padding.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        URL_SAFE_NO_PAD.decode(text(from)?).map(Self).map_err(|_| D::Error::custom("not base64url without padding"))
    }
}

/// The same of what must not be printed.
pub(super) struct SecretBytes(pub(super) Secret<Vec<u8>>);

impl Serialize for SecretBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0.expose()))
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Bytes::deserialize(from).map(|Bytes(bytes)| Self(Secret::new(bytes)))
    }
}
