//! A SAML identity provider that says what a test wants it to say. What it writes is canonical as it stands
//! (Exclusive XML Canonicalization), so signing takes no XML library.

use std::fmt::Write as _;
use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::crypto::certificate::CertifiedKey;
use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, NewConnection};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::model::connection::{Connection, ConnectionSettings, Provider, SamlProvider};
use gatehouse::model::ids::OrganizationId;
use gatehouse::model::time::{Clock as _, SystemClock, Timestamp};
use rsa::pkcs8::DecodePrivateKey as _;
use url::Url;

pub use super::database::next_number as next;
use super::{Answer, TestApp};

pub const IDP: &str = "https://idp.example.com/metadata";
pub const FRONT_END: &str = "https://app.example.com/signed-in";
pub const SLO: &str = "https://idp.example.com/slo";
const SSO: &str = "https://idp.example.com/sso?tenant=7";
const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// A key of an identity provider; the same number, the same key.
pub fn key(number: usize) -> &'static CertifiedKey {
    static KEYS: [OnceLock<CertifiedKey>; 3] = [const { OnceLock::new() }; 3];
    KEYS[number].get_or_init(|| CertifiedKey::generate(&format!("idp {number}"), SystemClock.now()).unwrap())
}

/// A key of an identity provider that signs by ECDSA: its PKCS#8 and its certificate.
pub fn ec_key() -> &'static (Vec<u8>, String) {
    static KEY: OnceLock<(Vec<u8>, String)> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();
        (pair.serialize_der(), STANDARD.encode(certificate.der()))
    })
}

/// Metadata that name these keys.
pub fn metadata(keys: &[&CertifiedKey]) -> String {
    metadata_of(&keys.iter().map(|key| key.certificate()).collect::<Vec<_>>())
}

/// Metadata that name these certificates.
pub fn metadata_of(certificates: &[&str]) -> String {
    let key = |certificate: &&str| {
        format!(
            "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
             <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </md:KeyDescriptor>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?>\n<!-- of a test -->\n<md:EntityDescriptor \
         xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{IDP}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{}<md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{SSO}\"/>\
         <md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"{SLO}\" ResponseLocation=\"{SLO}/done\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
        certificates.iter().map(key).collect::<String>()
    )
}

/// A workspace with a connection to the provider.
pub struct Sso<'a> {
    pub app: &'a TestApp,
    pub workspace: OrganizationId,
    pub connection: Connection,
}

/// Somebody who was sent to the provider.
#[derive(Clone, Debug)]
pub struct Journey {
    pub relay_state: String,
    pub request_id: String,
    pub request: String,
}

impl<'a> Sso<'a> {
    pub async fn new(app: &'a TestApp) -> Self {
        Self::with(app, |_, _| {}, |_| {}).await
    }

    pub async fn with(
        app: &'a TestApp,
        change: impl FnOnce(&mut SamlProvider, &mut ConnectionSettings),
        more: impl FnOnce(&mut NewConnection),
    ) -> Self {
        let ctx = app.ctx().await;
        let name = format!("Workspace {}", next());
        let new = NewOrganization { name: &name, ..Default::default() };
        let workspace = organizations::create(&ctx, &new).await.unwrap().id;
        let mut saml = SamlProvider {
            metadata: metadata(&[key(0)]),
            entity_id: IDP.to_owned(),
            idp_initiated: false,
            return_to: vec![FRONT_END.to_owned(), "https://app.example.com/other?a=b".to_owned()],
        };
        let mut settings = ConnectionSettings::default();
        change(&mut saml, &mut settings);
        let mut new = NewConnection {
            organization: Some(workspace),
            name: "Company".to_owned(),
            provider: Provider::Saml(saml),
            settings,
            domains: Vec::new(),
            secret: None,
        };
        more(&mut new);
        let connection = connections::create(&ctx, &Powers::operator(), new).await.unwrap();
        Self { app, workspace, connection }
    }

    pub fn path(&self, endpoint: &str) -> String {
        format!("/api/sso/saml/{endpoint}/{}", self.workspace.uuid())
    }

    pub fn acs(&self) -> String {
        format!("{}{}", self.app.config.http.issuer, self.path("acs"))
    }

    pub fn entity_id(&self) -> String {
        format!("{}{}", self.app.config.http.issuer, self.path("metadata"))
    }

    /// Sets out for the provider.
    pub async fn set_out(&self) -> Journey {
        self.set_out_for("").await
    }

    pub async fn set_out_for(&self, query: &str) -> Journey {
        let answer = self.app.get(&format!("{}{query}", self.path("login"))).await.expect(302);
        let at = Url::parse(answer.header("location").unwrap()).unwrap();
        assert!(at.as_str().starts_with(SSO), "{at}");
        Journey::at(at.as_str())
    }

    /// What an honest provider would say about Alice.
    pub fn says(&self, journey: &Journey) -> Says {
        Says {
            now: self.app.now(),
            issuer: IDP.to_owned(),
            destination: Some(self.acs()),
            recipient: self.acs(),
            audience: Some(self.entity_id()),
            in_response_to: Some(journey.request_id.clone()),
            response_in_response_to: Some(journey.request_id.clone()),
            not_before: -5,
            not_on_or_after: 300,
            response_id: format!("_r{}", next()),
            assertion_id: format!("_a{}", next()),
            name_id: "alice@example.com".to_owned(),
            name_id_format: EMAIL_FORMAT,
            attributes: [("email", "alice@example.com"), ("name", "Alice Example"), ("role", "staff")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport".to_owned(),
            key: key(0),
            sign: Sign::Sha256,
        }
    }

    /// The answer to a form with this document.
    pub async fn post(&self, relay_state: &str, document: &str) -> Answer {
        self.post_raw(relay_state, &STANDARD.encode(document)).await
    }

    pub async fn post_raw(&self, relay_state: &str, response: &str) -> Answer {
        let fields = [("SAMLResponse", response), ("RelayState", relay_state)];
        self.app.form(&self.path("acs"), &fields).await
    }

    /// Signs Alice in as an honest provider would.
    pub async fn sign_in(&self) -> Landed {
        self.sign_in_as(|_| {}).await
    }

    pub async fn sign_in_as(&self, change: impl FnOnce(&mut Says)) -> Landed {
        let journey = self.set_out().await;
        let mut says = self.says(&journey);
        change(&mut says);
        Landed::of(&self.post(&journey.relay_state, &says.response()).await)
    }

    /// Why people were not let in, oldest first.
    pub async fn reasons(&self) -> Vec<String> {
        let sql = self.app.sql().await;
        let found = sql
            .texts("SELECT coalesce(detail, '') FROM audit_log WHERE action = 'user.sign_in' AND outcome = 'failure' ORDER BY id")
            .await;
        sql.close().await;
        found
    }

    pub async fn users(&self) -> i64 {
        let sql = self.app.sql().await;
        let found = sql.number("SELECT count(*) FROM users").await;
        sql.close().await;
        found
    }
}

impl Journey {
    /// That to which an address leads.
    pub fn at(address: &str) -> Self {
        let at = Url::parse(address).unwrap();
        let value = |name: &str| at.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let packed = STANDARD.decode(value("SAMLRequest")).unwrap();
        let request = String::from_utf8(saml_rs::binding::deflate_raw_decode(&packed).unwrap()).unwrap();
        let (_, id) = request.split_once(" ID=\"").unwrap();
        let request_id = id.split_once('"').unwrap().0.to_owned();
        Self { relay_state: value("RelayState"), request_id, request }
    }
}

/// Where somebody landed, with what in the fragment.
#[derive(Debug)]
pub struct Landed {
    pub at: String,
    pub fragment: Vec<(String, String)>,
}

impl Landed {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 302, "{answer:?}");
        let (at, fragment) = answer.header("location").unwrap().split_once('#').unwrap();
        let fragment = url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
        Self { at: at.to_owned(), fragment }
    }

    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        &self.fragment.iter().find(|(key, _)| key == name).unwrap().1
    }
}

/// With what something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Sha256,
    /// RSA with SHA-1.
    Sha1,
    /// RSA with SHA-256 over a digest by SHA-1.
    Sha1Digest,
    /// ECDSA with SHA-256, by [`ec_key`].
    Ecdsa,
    Nothing,
}

/// What a provider says. Change what you want wrong.
#[derive(Clone)]
pub struct Says {
    pub now: Timestamp,
    pub issuer: String,
    pub destination: Option<String>,
    pub recipient: String,
    pub audience: Option<String>,
    pub in_response_to: Option<String>,
    pub response_in_response_to: Option<String>,
    /// Seconds from now.
    pub not_before: i64,
    pub not_on_or_after: i64,
    pub response_id: String,
    pub assertion_id: String,
    /// As XML.
    pub name_id: String,
    pub name_id_format: &'static str,
    pub attributes: Vec<(String, String)>,
    pub context: String,
    pub key: &'static CertifiedKey,
    pub sign: Sign,
}

impl Says {
    fn at(&self, seconds: i64) -> String {
        Timestamp::from_seconds(self.now.seconds() + seconds).rfc3339()
    }

    /// The assertion, not signed.
    pub fn unsigned(&self) -> String {
        let now = self.at(0);
        let in_response_to =
            self.in_response_to.as_ref().map(|id| format!(" InResponseTo=\"{id}\"")).unwrap_or_default();
        let audience = self.audience.as_ref().map(|audience| {
            format!("<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>")
        });
        let mut attributes: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in &self.attributes {
            match attributes.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => attributes.push((name, vec![value])),
            }
        }
        let mut listed = String::new();
        for (name, values) in attributes {
            write!(listed, "<saml:Attribute Name=\"{name}\">").unwrap();
            for value in values {
                write!(listed, "<saml:AttributeValue>{value}</saml:AttributeValue>").unwrap();
            }
            listed.push_str("</saml:Attribute>");
        }
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" \
             IssueInstant=\"{now}\" Version=\"2.0\"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>\
             <saml:NameID Format=\"{format}\">{name_id}</saml:NameID><saml:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData{in_response_to} \
             NotOnOrAfter=\"{end}\" Recipient=\"{recipient}\"></saml:SubjectConfirmationData>\
             </saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{start}\" \
             NotOnOrAfter=\"{end}\">{audience}</saml:Conditions><saml:AuthnStatement AuthnInstant=\"{now}\" \
             SessionIndex=\"s1\"><saml:AuthnContext><saml:AuthnContextClassRef>{context}\
             </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>\
             {listed}</saml:AttributeStatement></saml:Assertion>",
            id = self.assertion_id,
            issuer = self.issuer,
            format = self.name_id_format,
            name_id = self.name_id,
            start = self.at(self.not_before),
            end = self.at(self.not_on_or_after),
            recipient = self.recipient,
            audience = audience.unwrap_or_default(),
            context = self.context,
        )
    }

    /// The assertion, signed.
    pub fn assertion(&self) -> String {
        signed(&self.unsigned(), &self.assertion_id, self.key, self.sign)
    }

    /// A response around this, not signed.
    pub fn around(&self, inside: &str) -> String {
        let attribute = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {name}=\"{value}\"")).unwrap_or_default()
        };
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"{} ID=\"{}\"{} \
             IssueInstant=\"{}\" Version=\"2.0\"><saml:Issuer \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer><samlp:Status>\
             <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>\
             </samlp:Status>{inside}</samlp:Response>",
            attribute("Destination", &self.destination),
            self.response_id,
            attribute("InResponseTo", &self.response_in_response_to),
            self.at(0),
            self.issuer,
        )
    }

    /// The response, with the assertion signed.
    pub fn response(&self) -> String {
        self.around(&self.assertion())
    }

    /// The response, itself signed.
    pub fn sealed(&self, inside: &str) -> String {
        signed(&self.around(inside), &self.response_id, self.key, self.sign)
    }
}

/// An element with a signature over it, behind its issuer.
pub fn signed(element: &str, id: &str, key: &CertifiedKey, sign: Sign) -> String {
    if sign == Sign::Nothing {
        return element.to_owned();
    }
    element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{}", signature(element, id, key, sign)), 1)
}

/// A signature over an element that is canonical.
pub fn signature(element: &str, id: &str, key: &CertifiedKey, sign: Sign) -> String {
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let (digest_method, hash) = match sign {
        Sign::Sha1 | Sign::Sha1Digest => ("http://www.w3.org/2000/09/xmldsig#sha1", &SHA1_FOR_LEGACY_USE_ONLY),
        Sign::Sha256 | Sign::Ecdsa | Sign::Nothing => ("http://www.w3.org/2001/04/xmlenc#sha256", &SHA256),
    };
    let method = match sign {
        Sign::Sha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        Sign::Ecdsa => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        _ => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    };
    let digest_value = STANDARD.encode(digest(hash, element.as_bytes()));
    let info = |namespace: &str| {
        format!(
            "<ds:SignedInfo{namespace}><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\">\
             </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform><ds:Transform \
             Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms><ds:DigestMethod \
             Algorithm=\"{digest_method}\"></ds:DigestMethod><ds:DigestValue>{digest_value}</ds:DigestValue>\
             </ds:Reference></ds:SignedInfo>"
        )
    };
    let message = info(&format!(" xmlns:ds=\"{DS}\""));
    let value = match sign {
        Sign::Sha1 => sha1_signature(message.as_bytes(), key),
        Sign::Ecdsa => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &ec_key().0).unwrap();
            pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
        }
        _ => key.sign(message.as_bytes()).unwrap(),
    };
    format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        info(""),
        STANDARD.encode(value),
        if sign == Sign::Ecdsa { &ec_key().1 } else { key.certificate() }
    )
}

/// RSASSA-PKCS1-v1_5 with SHA-1, which the library of the program does not make any more.
fn sha1_signature(message: &[u8], key: &CertifiedKey) -> Vec<u8> {
    // RFC 8017 §9.2, note 1.
    const PREFIX: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let mut named = PREFIX.to_vec();
    named.extend_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, message).as_ref());
    let key = rsa::RsaPrivateKey::from_pkcs8_der(key.pkcs8().expose()).unwrap();
    key.sign(rsa::Pkcs1v15Sign::new_unprefixed(), &named).unwrap()
}

/// An assertion for the eyes of whoever has this certificate: AES-256-GCM under RSA-OAEP.
pub fn encrypted(assertion: &str, certificate: &str) -> String {
    let der = STANDARD.decode(certificate).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
    let public = PublicEncryptingKey::from_der(parsed.public_key().raw).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let (secret, nonce) = ([7_u8; 32], [9_u8; NONCE_LEN]);
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public.encrypt(&OAEP_SHA1_MGF1SHA1, &secret, &mut wrapped, None).unwrap().to_vec();
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret).unwrap());
    let mut text = assertion.as_bytes().to_vec();
    cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text).unwrap();
    let sealed = STANDARD.encode([&nonce[..], &text].concat());
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><xenc:EncryptedData \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Type=\"http://www.w3.org/2001/04/xmlenc#Element\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"></xenc:EncryptionMethod>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey><xenc:EncryptionMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"></ds:DigestMethod></xenc:EncryptionMethod>\
         <xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>\
         </saml:EncryptedAssertion>",
        STANDARD.encode(wrapped)
    )
}
