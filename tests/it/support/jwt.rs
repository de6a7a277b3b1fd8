//! Tokens read without trust, and assertions written by hand: also those that must be refused.

use gatehouse::crypto::jwk::{PrivateKey, PublicJwk};
use gatehouse::crypto::{digest, jws};
use gatehouse::model::signing_key::SigningAlg;
use serde_json::{Value, json};

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).expect("a JWT");
    serde_json::from_slice(&digest::from_base64url(text).expect("base64url")).expect("JSON")
}

/// The header, unverified.
pub fn header_of(token: &str) -> Value {
    part(token, 0)
}

/// The claims, unverified.
pub fn claims_of(token: &str) -> Value {
    part(token, 1)
}

/// A client's own key.
pub struct Signer(jws::SigningKey);

impl Signer {
    pub fn new(alg: SigningAlg) -> Self {
        Self(jws::SigningKey::new(PrivateKey::generate(alg).unwrap()).unwrap())
    }

    pub fn jwk(&self) -> &PublicJwk {
        self.0.public_jwk()
    }

    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    pub fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.0, "JWT", claims).unwrap()
    }
}

/// Header and claims as they are signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| digest::base64url(value.to_string().as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

/// A JWT under a shared secret.
pub fn mac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = unsigned(header, claims);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", digest::base64url(aws_lc_rs::hmac::sign(&key, signed.as_bytes()).as_ref()))
}
