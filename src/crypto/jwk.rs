//! JSON Web Keys (RFC 7517): our own key pairs, and the public keys that clients register.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

use super::digest::{Digest, base64url, from_base64url};
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;

/// No honest set is larger; a key set is input from outside.
const MAX_SET_BYTES: usize = 64 * 1024;
const MAX_SET_KEYS: usize = 50;
const MAX_KID_BYTES: usize = 512;

/// Why a key can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not JSON, not an object of the right form, or too large.
    #[error("is not a JWK set")]
    Malformed,
    /// A symmetric key, which a public set must never hold (RFC 7517 §9.2).
    #[error("holds a symmetric key")]
    Symmetric,
    /// A private member, which a public set must never hold (RFC 7517 §9.2).
    #[error("holds a private key")]
    Private,
    /// An RSA key under 2048 bits (RFC 7518 §3.3).
    #[error("holds an RSA key of fewer than 2048 bits")]
    TooWeak,
    /// A key type, curve or algorithm that gatehouse does not know, or that don't fit each other.
    #[error("holds a key of an unsupported type")]
    Unsupported,
    /// The numbers are no key: wrong length, not on the curve.
    #[error("holds an invalid key")]
    Invalid,
    /// No signature key that gatehouse can use is left.
    #[error("holds no usable signature key")]
    NoUsableKey,
    /// The library could not make, read or write a private key.
    #[error("the private key is unusable")]
    Unusable,
}

/// A public key as gatehouse publishes and stores it (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
/// Clients' keys are read through [`KeySet::parse`] or [`VerifyingKey::from_value`], which first
/// refuse what must not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    /// Key type: `EC`, `RSA` or `OKP`.
    pub kty: String,
    /// The curve of an EC or OKP key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// An EC point's first coordinate, or an OKP public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// An EC point's second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// An RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// An RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The one algorithm that it is used with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// For our own keys the thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

impl PublicJwk {
    fn new(kty: &str) -> Self {
        Self { kty: kty.to_owned(), crv: None, x: None, y: None, n: None, e: None, alg: None, key_use: None, kid: None }
    }

    /// The RFC 7638 thumbprint: SHA-256 over the required members in lexical order.
    ///
    /// # Errors
    /// If a required member is missing.
    pub fn thumbprint(&self) -> Result<Digest, KeyError> {
        fn need(member: &Option<String>) -> Result<&str, KeyError> {
            member.as_deref().ok_or(KeyError::Malformed)
        }
        // serde_json writes a struct's members in the order of declaration and without spaces,
        // which is the form that RFC 7638 §3 wants.
        #[derive(Serialize)]
        struct Required<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            crv: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            e: Option<&'a str>,
            kty: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            n: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            x: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            y: Option<&'a str>,
        }
        let mut required = Required { crv: None, e: None, kty: &self.kty, n: None, x: None, y: None };
        match self.kty.as_str() {
            "RSA" => {
                required.e = Some(need(&self.e)?);
                required.n = Some(need(&self.n)?);
            }
            "EC" => {
                required.crv = Some(need(&self.crv)?);
                required.x = Some(need(&self.x)?);
                required.y = Some(need(&self.y)?);
            }
            "OKP" => {
                required.crv = Some(need(&self.crv)?);
                required.x = Some(need(&self.x)?);
            }
            _ => return Err(KeyError::Unsupported),
        }
        let canonical = serde_json::to_vec(&required).map_err(|_| KeyError::Malformed)?;
        Ok(Digest::of(&canonical))
    }
}

/// One of our own key pairs, parsed and ready to sign.
pub struct PrivateKey {
    alg: SigningAlg,
    pair: Pair,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// A new key pair. RSA takes some 100 ms of one core: call it from a blocking thread.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library fails.
    pub fn generate(alg: SigningAlg) -> Result<Self, KeyError> {
        let pair = match alg {
            SigningAlg::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ecdsa),
            SigningAlg::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            SigningAlg::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Ok(Self { alg, pair: pair.map_err(|_| KeyError::Unusable)? })
    }

    /// Reads what [`PrivateKey::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if it is not a key for this algorithm.
    pub fn from_pkcs8(alg: SigningAlg, der: &[u8]) -> Result<Self, KeyError> {
        let pair = match alg {
            SigningAlg::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::Ecdsa),
            SigningAlg::Rs256 => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
            SigningAlg::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
        };
        Ok(Self { alg, pair: pair.map_err(|_| KeyError::Unusable)? })
    }

    /// The key pair as PKCS#8 DER (RFC 5208 §5), to be sealed before it is stored.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library fails.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, KeyError> {
        let der = match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Rsa(pair) => pair.as_der().map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        der.map(Secret::new).map_err(|_| KeyError::Unusable)
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub const fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The public half, with `alg`, `use` and the thumbprint as `kid`.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library hands out an unknown form of public key.
    pub fn public_jwk(&self) -> Result<PublicJwk, KeyError> {
        let mut jwk = match &self.pair {
            Pair::Ecdsa(pair) => {
                // SEC 1 §2.3.3: an uncompressed point is 04, x, y.
                let point = pair.public_key().as_ref().strip_prefix(&[4]).ok_or(KeyError::Unusable)?;
                let (x, y) = point.split_at_checked(32).ok_or(KeyError::Unusable)?;
                PublicJwk {
                    crv: Some("P-256".to_owned()),
                    x: Some(base64url(x)),
                    y: Some(base64url(y)),
                    ..PublicJwk::new("EC")
                }
            }
            Pair::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                PublicJwk { n: Some(base64url(&n)), e: Some(base64url(&e)), ..PublicJwk::new("RSA") }
            }
            Pair::Ed25519(pair) => PublicJwk {
                crv: Some("Ed25519".to_owned()),
                x: Some(base64url(pair.public_key().as_ref())),
                ..PublicJwk::new("OKP")
            },
        };
        jwk.kid = Some(jwk.thumbprint()?.base64url());
        jwk.alg = Some(self.alg.as_str().to_owned());
        jwk.key_use = Some("sig".to_owned());
        Ok(jwk)
    }

    /// The signature in the form that JWS wants (RFC 7518 §3.3, §3.4; RFC 8037 §3.1).
    pub(super) fn sign<T>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> T) -> Result<T, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).map(|signature| take(signature.as_ref())),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| take(&signature))
            }
            Pair::Ed25519(pair) => pair.try_sign(message).map(|signature| take(signature.as_ref())),
        }
        .map_err(|_| KeyError::Unusable)
    }
}

/// A public key, checked once and ready to verify with.
pub struct VerifyingKey {
    kid: Option<String>,
    thumbprint: Digest,
    algorithms: &'static [Algorithm],
    key: DecodingKey,
}

impl VerifyingKey {
    /// From a JWK that holds no private members, such as our own.
    ///
    /// # Errors
    /// Why the key can't be used.
    pub fn from_jwk(jwk: &PublicJwk) -> Result<Self, KeyError> {
        const RSA: &[Algorithm] = &[
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::RS384,
            Algorithm::PS384,
            Algorithm::RS512,
            Algorithm::PS512,
        ];
        let part = |member: &Option<String>| -> Result<Vec<u8>, KeyError> {
            member.as_deref().and_then(from_base64url).ok_or(KeyError::Invalid)
        };
        let (algorithms, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", None) => (RSA, rsa_key(&part(&jwk.n)?, &part(&jwk.e)?)?),
            ("EC", Some("P-256")) => {
                let point = ec_point(&part(&jwk.x)?, &part(&jwk.y)?, 32)?;
                check(&ECDSA_P256_SHA256_FIXED, &point)?;
                (&[Algorithm::ES256][..], DecodingKey::from_ec_der(&point))
            }
            ("EC", Some("P-384")) => {
                let point = ec_point(&part(&jwk.x)?, &part(&jwk.y)?, 48)?;
                check(&ECDSA_P384_SHA384_FIXED, &point)?;
                (&[Algorithm::ES384][..], DecodingKey::from_ec_der(&point))
            }
            ("OKP", Some("Ed25519")) => {
                let x = part(&jwk.x)?;
                check(&ED25519, &x)?;
                (&[Algorithm::EdDSA][..], DecodingKey::from_ed_der(&x))
            }
            ("oct", _) => return Err(KeyError::Symmetric),
            _ => return Err(KeyError::Unsupported),
        };
        let algorithms = match &jwk.alg {
            None => algorithms,
            Some(named) => algorithms
                .iter()
                .position(|alg| named.parse() == Ok(*alg))
                .and_then(|at| algorithms.get(at..=at))
                .ok_or(KeyError::Unsupported)?,
        };
        if jwk.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(KeyError::Malformed);
        }
        Ok(Self { kid: jwk.kid.clone(), thumbprint: jwk.thumbprint()?, algorithms, key })
    }

    /// From a JWK as somebody sent it: symmetric keys and private members are refused first.
    ///
    /// # Errors
    /// Why the key can't be used.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, KeyError> {
        Self::from_jwk(&public_only(value)?)
    }

    /// The key's own name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub const fn thumbprint(&self) -> Digest {
        self.thumbprint
    }

    /// What the key may be used with: one algorithm if its JWK names it, else all that fit its type.
    #[must_use]
    pub const fn algorithms(&self) -> &'static [Algorithm] {
        self.algorithms
    }

    pub(super) const fn decoding_key(&self) -> &DecodingKey {
        &self.key
    }
}

/// The public keys of one party (RFC 7517 §5).
pub struct KeySet(Vec<VerifyingKey>);

impl KeySet {
    /// Parses `{"keys":[…]}`. Symmetric keys, private members and weak RSA keys spoil the whole
    /// set, as whoever published them must learn of it; keys for encryption and keys of unknown type
    /// are passed over (RFC 7517 §5), but something usable must remain.
    ///
    /// # Errors
    /// What is wrong with the set.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        if json.len() > MAX_SET_BYTES {
            return Err(KeyError::Malformed);
        }
        let set: Set = serde_json::from_slice(json).map_err(|_| KeyError::Malformed)?;
        if set.keys.len() > MAX_SET_KEYS {
            return Err(KeyError::Malformed);
        }
        let mut keys = Vec::new();
        for value in &set.keys {
            let jwk = public_only(value)?;
            let for_signatures = jwk.key_use.as_deref().is_none_or(|key_use| key_use == "sig");
            if !for_signatures || !may_verify(value) {
                continue;
            }
            match VerifyingKey::from_jwk(&jwk) {
                Ok(key) => keys.push(key),
                Err(KeyError::Unsupported) => {}
                Err(error) => return Err(error),
            }
        }
        if keys.is_empty() { Err(KeyError::NoUsableKey) } else { Ok(Self(keys)) }
    }

    /// The keys that may have made a signature with this `kid` and algorithm. A header without a
    /// `kid` leaves every key of the right type; a key without one answers to none.
    pub fn candidates<'a>(&'a self, kid: Option<&'a str>, alg: Algorithm) -> impl Iterator<Item = &'a VerifyingKey> {
        self.0.iter().filter(move |key| (kid.is_none() || kid == key.kid()) && key.algorithms.contains(&alg))
    }

    /// Every usable key.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }
}

/// Reads a JWK after making sure that it is a public one.
fn public_only(value: &serde_json::Value) -> Result<PublicJwk, KeyError> {
    let members = value.as_object().ok_or(KeyError::Malformed)?;
    if members.get("kty").and_then(serde_json::Value::as_str) == Some("oct") || members.contains_key("k") {
        return Err(KeyError::Symmetric);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|private| members.contains_key(*private)) {
        return Err(KeyError::Private);
    }
    PublicJwk::deserialize(value).map_err(|_| KeyError::Malformed)
}

/// `key_ops`, where there is one, must allow verifying (RFC 7517 §4.3).
fn may_verify(value: &serde_json::Value) -> bool {
    value.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")))
}

fn rsa_key(n: &[u8], e: &[u8]) -> Result<DecodingKey, KeyError> {
    // RFC 7518 §6.3.1.1: no leading zero octets; so the first octet tells the size in bits.
    let first = n.first().filter(|first| **first != 0).ok_or(KeyError::Invalid)?;
    if e.first().is_none_or(|first| *first == 0) {
        return Err(KeyError::Invalid);
    }
    if n.len() * 8 - (first.leading_zeros() as usize) < 2048 {
        return Err(KeyError::TooWeak);
    }
    let components = RsaPublicKeyComponents { n, e };
    components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| KeyError::Invalid)?;
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

/// SEC 1 §2.3.3; RFC 7518 §6.2.1.2 wants coordinates of full length.
fn ec_point(x: &[u8], y: &[u8], length: usize) -> Result<Vec<u8>, KeyError> {
    if x.len() != length || y.len() != length {
        return Err(KeyError::Invalid);
    }
    Ok([&[4], x, y].concat())
}

/// Lets the library make sure that the bytes are a point on the curve.
fn check(algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]) -> Result<(), KeyError> {
    UnparsedPublicKey::new(algorithm, key).parse().map(|_| ()).map_err(|_| KeyError::Invalid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The key of RFC 7638 §3.1.
    fn rfc_key() -> Value {
        json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
        })
    }

    fn with(mut value: Value, name: &str, member: Value) -> Value {
        value[name] = member;
        value
    }

    fn parse(keys: &[Value]) -> Result<KeySet, KeyError> {
        KeySet::parse(&serde_json::to_vec(&json!({ "keys": keys })).unwrap())
    }

    #[test]
    fn thumbprint_vector_of_rfc_7638() {
        let key = VerifyingKey::from_value(&rfc_key()).ok().unwrap();
        assert_eq!(key.thumbprint().base64url(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(key.kid(), Some("2011-04-29"));
        assert_eq!(key.algorithms(), [Algorithm::RS256]);
    }

    #[test]
    fn our_own_keys_survive_storage_and_publish_only_public_members() {
        for alg in SigningAlg::ALL {
            let key = PrivateKey::generate(*alg).ok().unwrap();
            let jwk = key.public_jwk().unwrap();
            let stored = key.to_pkcs8().ok().unwrap();
            let again = PrivateKey::from_pkcs8(*alg, stored.expose()).ok().unwrap();
            assert_eq!(again.public_jwk().unwrap(), jwk);

            let json = serde_json::to_value(&jwk).unwrap();
            assert_eq!(json["use"], "sig");
            assert_eq!(json["alg"], alg.as_str());
            assert_eq!(json["kid"], jwk.thumbprint().unwrap().base64url());
            let set = parse(&[json]).ok().unwrap();
            assert_eq!(set.keys()[0].algorithms().len(), 1);
            for other in SigningAlg::ALL.iter().filter(|other| *other != alg) {
                assert!(PrivateKey::from_pkcs8(*other, stored.expose()).is_err());
            }
        }
    }

    #[test]
    fn what_must_not_be_in_a_public_set_spoils_it() {
        let secret = json!({ "kty": "oct", "k": "AAAA" });
        assert_eq!(parse(&[rfc_key(), secret]).err(), Some(KeyError::Symmetric));
        assert_eq!(parse(&[with(rfc_key(), "d", json!("AA"))]).err(), Some(KeyError::Private));
        assert_eq!(parse(&[with(rfc_key(), "oth", json!([]))]).err(), Some(KeyError::Private));
        let weak = base64url(&[0xff; 255]);
        assert_eq!(parse(&[with(rfc_key(), "n", json!(weak))]).err(), Some(KeyError::TooWeak));
        assert_eq!(parse(&[with(rfc_key(), "n", json!("AAAA"))]).err(), Some(KeyError::Invalid));
        assert_eq!(parse(&[with(rfc_key(), "n", json!(7))]).err(), Some(KeyError::Malformed));
        let off_curve = json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32]) });
        assert_eq!(parse(&[off_curve]).err(), Some(KeyError::Invalid));
        let short = json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 31]), "y": base64url(&[1; 32]) });
        assert_eq!(parse(&[short]).err(), Some(KeyError::Invalid));
        for malformed in [&b"[]"[..], b"", b"{}", b"{\"keys\":{}}", b"{\"keys\":[1]}", b"{\"keys\":[{}]}"] {
            assert_eq!(KeySet::parse(malformed).err(), Some(KeyError::Malformed));
        }
        assert_eq!(KeySet::parse(&vec![b' '; MAX_SET_BYTES + 1]).err(), Some(KeyError::Malformed));
        assert_eq!(parse(&vec![rfc_key(); MAX_SET_KEYS + 1]).err(), Some(KeyError::Malformed));
    }

    #[test]
    fn keys_for_other_purposes_are_passed_over() {
        let others = [
            with(rfc_key(), "use", json!("enc")),
            with(rfc_key(), "alg", json!("RSA-OAEP")),
            with(rfc_key(), "alg", json!("ES256")),
            with(rfc_key(), "key_ops", json!(["encrypt"])),
            json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
            json!({ "kty": "new" }),
        ];
        assert_eq!(parse(&others).err(), Some(KeyError::NoUsableKey));
        assert_eq!(parse(&[]).err(), Some(KeyError::NoUsableKey));
        let mixed: Vec<_> = others.into_iter().chain([rfc_key()]).collect();
        assert_eq!(parse(&mixed).ok().unwrap().keys().len(), 1);
    }

    #[test]
    fn candidates_fit_name_and_algorithm() {
        let mut nameless = rfc_key();
        let members = nameless.as_object_mut().unwrap();
        members.remove("kid");
        members.remove("alg");
        let set = parse(&[rfc_key(), nameless]).ok().unwrap();
        assert_eq!(set.candidates(Some("2011-04-29"), Algorithm::RS256).count(), 1);
        assert_eq!(set.candidates(None, Algorithm::RS256).count(), 2);
        assert_eq!(set.candidates(None, Algorithm::PS256).count(), 1);
        assert_eq!(set.candidates(None, Algorithm::ES256).count(), 0);
        assert_eq!(set.candidates(Some("other"), Algorithm::RS256).count(), 0);
    }
}
