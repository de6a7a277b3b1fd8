//! Signed tokens in JWS compact form (RFC 7515 §3.1, RFC 7519 §3).
//!
//! Verification is jsonwebtoken's, by its lower-level [`jsonwebtoken::crypto::verify`]: header and
//! claims are decoded once, here, and the algorithm is one that the key's own record allows.
//! Signing calls aws-lc directly, because jsonwebtoken keeps a private key as bytes and parses it
//! anew for every signature, which doubles the cost of RS256 and adds half to that of ES256.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{AlgorithmFamily, DecodingKey};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::digest::{base64url, from_base64url};
use super::jwk::{KeyError, PrivateKey, PublicJwk, VerifyingKey};
use crate::model::signing_key::SigningAlg;

pub use jsonwebtoken::Algorithm;

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The `typ` of access tokens (RFC 9068 §2.1).
pub const TYP_ACCESS_TOKEN: &str = "at+jwt";
/// The `typ` of ID tokens (RFC 7519 §5.1).
pub const TYP_JWT: &str = "JWT";
/// The `typ` of logout tokens (OpenID Connect Back-Channel Logout §2.4).
pub const TYP_LOGOUT_TOKEN: &str = "logout+jwt";

/// What clients may sign their assertions with, for discovery (RFC 8414 §2,
/// `token_endpoint_auth_signing_alg_values_supported`).
pub const ASYMMETRIC_ALGS: &[&str] = &["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// The left half of the digest that goes with an algorithm, for `at_hash` and `c_hash` (OpenID
/// Connect Core §3.1.3.6).
#[must_use]
pub fn half_hash(alg: SigningAlg, text: &str) -> String {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    let digest = match alg {
        SigningAlg::Es256 | SigningAlg::Rs256 => digest(&SHA256, text.as_bytes()),
        // Ed25519 hashes with SHA-512 inside (RFC 8032 §5.1).
        SigningAlg::EdDsa => digest(&SHA512, text.as_bytes()),
    };
    let bytes = digest.as_ref();
    base64url(bytes.split_at(bytes.len() / 2).0)
}

/// The same under a shared secret.
pub const MAC_ALGS: &[&str] = &["HS256", "HS384", "HS512"];

/// Why a token was not made or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not a compact JWS, too long, or with a header that gatehouse does not understand.
    #[error("not a signed token")]
    Malformed,
    /// The header's `typ` is not the wanted one (RFC 8725 §3.11).
    #[error("a token of another type")]
    WrongTyp,
    /// The header's `alg` is not one that the key allows (RFC 8725 §3.1).
    #[error("an algorithm that the key does not allow")]
    WrongAlg,
    /// The signature is not the key's.
    #[error("an invalid signature")]
    BadSignature,
    /// The payload does not have the wanted claims.
    #[error("missing or malformed claims")]
    BadClaims,
    /// The claims can't be written as JSON, or the library could not sign.
    #[error("the token can't be signed")]
    Unsignable,
}

/// One of our own keys, ready to sign; cheap to clone and to share between threads.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    key: PrivateKey,
    jwk: PublicJwk,
    kid: String,
    /// The encoded header of each usual `typ`, up to and including the dot.
    headers: Vec<(&'static str, String)>,
}

impl SigningKey {
    /// Makes the key ready: its public half, its `kid` and its usual headers are computed once.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if its public half can't be had.
    pub fn new(key: PrivateKey) -> Result<Self, KeyError> {
        let jwk = key.public_jwk()?;
        let kid = jwk.kid.clone().ok_or(KeyError::Unusable)?;
        let headers = [TYP_ACCESS_TOKEN, TYP_JWT, TYP_LOGOUT_TOKEN]
            .into_iter()
            .map(|typ| Ok((typ, encode_header(key.alg(), &kid, typ).map_err(|_| KeyError::Unusable)?)))
            .collect::<Result<_, KeyError>>()?;
        Ok(Self(Arc::new(Inner { key, jwk, kid, headers })))
    }

    /// The key's name: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn alg(&self) -> SigningAlg {
        self.0.key.alg()
    }

    /// The public half.
    #[must_use]
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.0.jwk
    }
}

fn encode_header(alg: SigningAlg, kid: &str, typ: &str) -> Result<String, JwsError> {
    let alg = match alg {
        SigningAlg::Es256 => Algorithm::ES256,
        SigningAlg::Rs256 => Algorithm::RS256,
        SigningAlg::EdDsa => Algorithm::EdDSA,
    };
    let mut header = jsonwebtoken::Header::new(alg);
    header.typ = Some(typ.to_owned());
    header.kid = Some(kid.to_owned());
    let json = serde_json::to_vec(&header).map_err(|_| JwsError::Unsignable)?;
    let mut text = URL_SAFE_NO_PAD.encode(json);
    text.push('.');
    Ok(text)
}

/// Signs the claims (RFC 7515 §5.1). The claims are written once as JSON and encoded straight into
/// the token; the signature is appended in place.
///
/// # Errors
/// [`JwsError::Unsignable`].
pub fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, JwsError> {
    let key = &*key.0;
    let mut json = Vec::with_capacity(512);
    serde_json::to_writer(&mut json, claims).map_err(|_| JwsError::Unsignable)?;

    let made;
    let header = match key.headers.iter().find(|(usual, _)| *usual == typ) {
        Some((_, header)) => header,
        None => {
            made = encode_header(key.key.alg(), &key.kid, typ)?;
            &made
        }
    };
    let mut token = String::with_capacity(header.len() + (json.len() * 4).div_ceil(3) + 352);
    token.push_str(header);
    URL_SAFE_NO_PAD.encode_string(&json, &mut token);
    let signature = key.key.sign(token.as_bytes(), |signature| URL_SAFE_NO_PAD.encode(signature));
    token.push('.');
    token.push_str(&signature.map_err(|_| JwsError::Unsignable)?);
    Ok(token)
}

/// Which `typ` a token must have. A comparison ignores case and a leading `application/`
/// (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// Exactly this one: for everything that gatehouse itself signs.
    Is(&'a str),
    /// None at all or one of these: for what clients sign, who often leave it out.
    AbsentOr(&'a [&'a str]),
}

impl Typ<'_> {
    /// A client's assertion (RFC 7523 §3 with its update): but never an access or logout token.
    pub const CLIENT_ASSERTION: Typ<'static> = Typ::AbsentOr(&[TYP_JWT, "client-authentication+jwt"]);

    fn fits(self, given: Option<&str>) -> bool {
        let same = |wanted: &str| given.is_some_and(|given| short(given).eq_ignore_ascii_case(wanted));
        match self {
            Self::Is(wanted) => same(wanted),
            Self::AbsentOr(wanted) => given.is_none() || wanted.iter().any(|wanted| same(wanted)),
        }
    }
}

fn short(typ: &str) -> &str {
    const MEDIA: &str = "application/";
    match typ.split_at_checked(MEDIA.len()) {
        Some((media, rest)) if media.eq_ignore_ascii_case(MEDIA) => rest,
        _ => typ,
    }
}

/// A token taken apart but not believed: what is needed to find the key that it claims to be
/// signed with. The only way on from here is [`Peeked::verify`] or [`Peeked::verify_hmac`].
pub struct Peeked<'t> {
    /// The algorithm that it claims.
    pub alg: Algorithm,
    /// The key that it names.
    pub kid: Option<String>,
    /// The type that it claims.
    pub typ: Option<String>,
    /// Header and payload as they were signed.
    message: &'t str,
    signature: &'t str,
    payload: Vec<u8>,
}

/// Takes a token apart: at most 16 KiB, exactly three parts, base64url without padding, a known
/// algorithm (`none` is not one), and no extension that must be understood (RFC 7515 §4.1.11).
#[must_use]
pub fn peek(token: &str) -> Option<Peeked<'_>> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        typ: Option<String>,
        kid: Option<String>,
        crit: Option<IgnoredAny>,
    }
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if payload.contains('.') || signature.is_empty() || !signature.bytes().all(base64url) {
        return None;
    }
    let header: Header = serde_json::from_slice(&from_base64url(header)?).ok()?;
    if header.crit.is_some() {
        return None;
    }
    Some(Peeked {
        alg: header.alg.parse().ok()?,
        kid: header.kid,
        typ: header.typ,
        message,
        signature,
        payload: from_base64url(payload)?,
    })
}

impl Peeked<'_> {
    /// Claims that nobody has vouched for: only to find out whose key to verify with.
    #[must_use]
    pub fn unverified<C: DeserializeOwned>(&self) -> Option<C> {
        serde_json::from_slice(&self.payload).ok()
    }

    /// The issuer that the token claims; see [`Peeked::unverified`].
    #[must_use]
    pub fn unverified_iss(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        self.unverified::<Issuer>().map(|claims| claims.iss)
    }

    /// The claims, if the type is the wanted one and this key signed them with an algorithm that
    /// its record allows. Times, issuer and audience are the caller's to check.
    ///
    /// # Errors
    /// Why the token is not accepted.
    pub fn verify<C: DeserializeOwned>(&self, key: &VerifyingKey, typ: Typ<'_>) -> Result<C, JwsError> {
        if !key.algorithms().contains(&self.alg) {
            return Err(JwsError::WrongAlg);
        }
        self.verify_with(key.decoding_key(), typ)
    }

    /// Like [`Peeked::verify`], with a shared secret: `client_secret_jwt`, HS256 to HS512
    /// (OpenID Connect Core §9).
    ///
    /// # Errors
    /// Why the token is not accepted.
    pub fn verify_hmac<C: DeserializeOwned>(&self, secret: &[u8], typ: Typ<'_>) -> Result<C, JwsError> {
        if self.alg.family() != AlgorithmFamily::Hmac {
            return Err(JwsError::WrongAlg);
        }
        self.verify_with(&DecodingKey::from_secret(secret), typ)
    }

    fn verify_with<C: DeserializeOwned>(&self, key: &DecodingKey, typ: Typ<'_>) -> Result<C, JwsError> {
        if !typ.fits(self.typ.as_deref()) {
            return Err(JwsError::WrongTyp);
        }
        match jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, self.alg) {
            Ok(true) => serde_json::from_slice(&self.payload).map_err(|_| JwsError::BadClaims),
            Ok(false) | Err(_) => Err(JwsError::BadSignature),
        }
    }
}

/// [`peek`] and [`Peeked::verify`] in one step, for when the key is already known.
///
/// # Errors
/// Why the token is not accepted.
pub fn verify<C: DeserializeOwned>(token: &str, key: &VerifyingKey, typ: Typ<'_>) -> Result<C, JwsError> {
    peek(token).ok_or(JwsError::Malformed)?.verify(key, typ)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crypto::digest::base64url;

    fn key(alg: SigningAlg) -> (SigningKey, VerifyingKey) {
        let key = SigningKey::new(PrivateKey::generate(alg).ok().unwrap()).ok().unwrap();
        let verifying = VerifyingKey::from_jwk(key.public_jwk()).ok().unwrap();
        (key, verifying)
    }

    fn forge(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let message =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let mac =
            aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", base64url(mac.as_ref()))
    }

    #[test]
    fn what_we_sign_verifies_here_and_in_plain_jsonwebtoken() {
        let claims = json!({ "sub": "usr_1", "iss": "https://id.example", "exp": 1 });
        for alg in SigningAlg::ALL {
            let (signing, verifying) = key(*alg);
            for typ in [TYP_ACCESS_TOKEN, TYP_JWT, TYP_LOGOUT_TOKEN, "secevent+jwt"] {
                let token = sign(&signing, typ, &claims).unwrap();
                let peeked = peek(&token).unwrap();
                assert_eq!(peeked.kid.as_deref(), Some(signing.kid()));
                assert_eq!(peeked.typ.as_deref(), Some(typ));
                assert_eq!(peeked.unverified_iss().as_deref(), Some("https://id.example"));
                assert_eq!(verify::<Value>(&token, &verifying, Typ::Is(typ)), Ok(claims.clone()), "{alg} {typ}");

                let jwk: jsonwebtoken::jwk::Jwk =
                    serde_json::from_value(serde_json::to_value(signing.public_jwk()).unwrap()).unwrap();
                let mut rules = jsonwebtoken::Validation::new(peeked.alg);
                rules.validate_exp = false;
                let theirs =
                    jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &rules).unwrap();
                assert_eq!(theirs.claims, claims);
            }
        }
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        let (signing, verifying) = key(SigningAlg::EdDsa);
        let token = sign(&signing, TYP_JWT, &json!({})).unwrap();
        let check = |typ: Typ<'_>| verify::<Value>(&token, &verifying, typ).err();
        assert_eq!(check(Typ::Is(TYP_ACCESS_TOKEN)), Some(JwsError::WrongTyp));
        assert_eq!(check(Typ::CLIENT_ASSERTION), None);
        assert_eq!(check(Typ::AbsentOr(&[TYP_LOGOUT_TOKEN])), Some(JwsError::WrongTyp));
        assert!(Typ::Is(TYP_ACCESS_TOKEN).fits(Some("Application/AT+JWT")));
        assert!(!Typ::Is(TYP_ACCESS_TOKEN).fits(None));
        assert!(Typ::CLIENT_ASSERTION.fits(None));
        assert!(!Typ::CLIENT_ASSERTION.fits(Some(TYP_ACCESS_TOKEN)));
    }

    #[test]
    fn the_algorithm_is_the_keys_never_the_headers() {
        let (signing, verifying) = key(SigningAlg::Rs256);
        let claims = json!({ "sub": "usr_1" });
        // The classic: the public key taken for an HMAC secret.
        let public = serde_json::to_vec(signing.public_jwk()).unwrap();
        let forged = forge(&json!({ "alg": "HS256", "typ": "at+jwt" }), &claims, &public);
        assert_eq!(verify::<Value>(&forged, &verifying, Typ::Is("at+jwt")), Err(JwsError::WrongAlg));
        // The same key, but an algorithm that its JWK does not name.
        let forged = forge(&json!({ "alg": "PS256", "typ": "at+jwt" }), &claims, &public);
        assert_eq!(verify::<Value>(&forged, &verifying, Typ::Is("at+jwt")), Err(JwsError::WrongAlg));
        let (_, other) = key(SigningAlg::Rs256);
        let token = sign(&signing, "at+jwt", &claims).unwrap();
        assert_eq!(verify::<Value>(&token, &other, Typ::Is("at+jwt")), Err(JwsError::BadSignature));
    }

    #[test]
    fn altered_tokens_are_refused_everywhere() {
        let (signing, verifying) = key(SigningAlg::Es256);
        let token = sign(&signing, TYP_JWT, &json!({ "sub": "usr_1" })).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(verify::<Value>(&altered, &verifying, Typ::Is(TYP_JWT)).is_err(), "at {at}");
        }
    }

    #[test]
    fn only_three_clean_parts_are_taken_apart() {
        let token = forge(&json!({ "alg": "HS256" }), &json!({}), b"x");
        assert!(peek(&token).is_some());
        let (message, _) = token.rsplit_once('.').unwrap();
        let long = forge(&json!({ "alg": "HS256" }), &json!({ "x": "y".repeat(MAX_TOKEN_BYTES) }), b"x");
        let critical = forge(&json!({ "alg": "HS256", "crit": ["b64"], "b64": false }), &json!({}), b"x");
        let none = forge(&json!({ "alg": "none" }), &json!({}), b"x");
        let twice = format!("{}.e30.AA", base64url(br#"{"alg":"HS256","alg":"none"}"#));
        for bad in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            message,
            &format!("{message}."),
            &format!("{token}."),
            &format!("{token}="),
            &format!("{token}.AA"),
            &format!(" {token}"),
            &long,
            &critical,
            &none,
            &twice,
        ] {
            assert!(peek(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn client_secret_assertions() {
        let token = forge(&json!({ "alg": "HS256" }), &json!({ "iss": "svc_1" }), b"shared");
        let peeked = peek(&token).unwrap();
        assert_eq!(peeked.verify_hmac::<Value>(b"shared", Typ::CLIENT_ASSERTION), Ok(json!({ "iss": "svc_1" })));
        assert_eq!(peeked.verify_hmac::<Value>(b"other", Typ::CLIENT_ASSERTION), Err(JwsError::BadSignature));
        let (signing, _) = key(SigningAlg::EdDsa);
        let token = sign(&signing, TYP_JWT, &json!({})).unwrap();
        assert_eq!(peek(&token).unwrap().verify_hmac::<Value>(b"x", Typ::CLIENT_ASSERTION), Err(JwsError::WrongAlg));
    }

    proptest::proptest! {
        #[test]
        fn no_text_upsets_the_parser(header in "\\PC{0,60}", rest in "[-_.=A-Za-z0-9é]{0,60}") {
            let _ = peek(&rest);
            let _ = peek(&format!("{}.{rest}", base64url(header.as_bytes())));
        }
    }

    /// RFC 8037 appendix A.4: an Ed25519 signature made by somebody else.
    #[test]
    fn the_vector_of_rfc_8037() {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let key = VerifyingKey::from_value(&jwk).ok().unwrap();
        assert_eq!(key.thumbprint().base64url(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        // The payload is a sentence, not claims; so the signature is good and the claims are not.
        assert_eq!(verify::<Value>(token, &key, Typ::CLIENT_ASSERTION), Err(JwsError::BadClaims));
    }
}
