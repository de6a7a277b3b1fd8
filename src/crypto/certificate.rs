//! X.509 certificates (RFC 5280), where a protocol names keys by them: our own, signed by its own key,
//! and what those of others say of themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::jwk::{KeyError, PrivateKey};
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;
use crate::model::time::Timestamp;

/// How many years one of ours is good for: its key is what others compare, and nothing renews it by itself.
const YEARS: i32 = 20;

/// An RSA key pair of ours with the certificate that carries its public half.
pub struct CertifiedKey {
    key: PrivateKey,
    pkcs8: Secret<Vec<u8>>,
    certificate: String,
}

impl CertifiedKey {
    /// A new one. Takes some 100 ms of one core: call it from a blocking thread.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library fails.
    pub fn generate(name: &str, now: Timestamp) -> Result<Self, KeyError> {
        use chrono::Datelike as _;
        let key = PrivateKey::generate(SigningAlg::Rs256)?;
        let pkcs8 = key.to_pkcs8()?;
        let pair = rcgen::KeyPair::try_from(pkcs8.expose().as_slice()).map_err(|_| KeyError::Unusable)?;
        let year = now.to_chrono().year();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        // From the year before on, for whoever's clock is behind.
        params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
        params.not_after = rcgen::date_time_ymd(year + YEARS, 1, 1);
        let certificate = params.self_signed(&pair).map_err(|_| KeyError::Unusable)?;
        Ok(Self { key, pkcs8, certificate: STANDARD.encode(certificate.der()) })
    }

    /// Puts together what was taken apart to be stored.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if it is no RSA key.
    pub fn from_stored(pkcs8: Secret<Vec<u8>>, certificate: String) -> Result<Self, KeyError> {
        Ok(Self { key: PrivateKey::from_pkcs8(SigningAlg::Rs256, pkcs8.expose())?, pkcs8, certificate })
    }

    /// The key pair as PKCS#8 DER (RFC 5208 §5), to be sealed before it is stored.
    #[must_use]
    pub const fn pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// The key pair as PEM (RFC 7468 §10).
    #[must_use]
    pub fn private_pem(&self) -> Secret<String> {
        Secret::new(pem("PRIVATE KEY", &STANDARD.encode(self.pkcs8.expose())))
    }

    /// The certificate's DER as base64, in one line.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The certificate as PEM (RFC 7468 §5).
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The signature over these bytes by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.sign(message, <[u8]>::to_vec)
    }
}

fn pem(label: &str, base64: &str) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// What a certificate says of itself. None of it is proved by anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// How many bits its RSA key has; none if the key is of another type.
    pub rsa_bits: Option<usize>,
    /// The same of an elliptic curve's key.
    pub ec_bits: Option<usize>,
}

/// Reads a certificate from base64 with or without line breaks, or PEM; none if it is none.
#[must_use]
pub fn inspect(text: &str) -> Option<CertificateFacts> {
    let body = text.replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "");
    let base64: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    let (rest, certificate) = X509Certificate::from_der(&der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let (rsa_bits, ec_bits) = match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => (Some(key.key_size()), None),
        PublicKey::EC(point) => (None, Some(point.key_size())),
        _ => (None, None),
    };
    let validity = certificate.validity();
    let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some(CertificateFacts {
        not_before: Timestamp::from_seconds(not_before),
        not_after: Timestamp::from_seconds(not_after),
        rsa_bits,
        ec_bits,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_after_it_was_stored() {
        let now = Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let made = CertifiedKey::generate("gatehouse", now).unwrap();
        let again = CertifiedKey::from_stored(made.pkcs8().clone(), made.certificate().to_owned()).unwrap();
        assert_eq!(again.sign(b"x").unwrap(), made.sign(b"x").unwrap());
        assert_eq!(again.certificate_pem(), made.certificate_pem());
        assert!(made.private_pem().expose().starts_with("-----BEGIN PRIVATE KEY-----\nMII"));
        let facts = inspect(&made.certificate_pem()).unwrap();
        assert_eq!(facts.rsa_bits, Some(2048));
        assert_eq!(facts.not_before.rfc3339(), "2025-01-01T00:00:00Z");
        assert_eq!(facts.not_after.rfc3339(), "2046-01-01T00:00:00Z");
        assert_eq!(inspect(made.certificate()), Some(facts));
        assert_eq!(inspect("MII"), None);
        assert_eq!(inspect(&made.certificate()[..100]), None);
    }
}
