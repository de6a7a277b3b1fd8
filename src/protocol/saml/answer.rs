//! What an identity provider answers: the one file that names the library.
//!
//! The library verifies signatures and conditions and hands out what it read from the bytes that were
//! signed. It has two XML parsers inside, so nothing in which two could differ comes to it: [`shape`] refuses
//! everything but plain elements, attributes and text, a second assertion wherever it hides, and whatever is
//! not where the profile puts it. It is asked for the strict variant of each check: SHA-2 with RSA, the
//! audience, the recipient, the request, a minute of leeway.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml_rs::xml::dom::{self, Node};
use saml_rs::{
    AcsEndpoint, AuthnRequest, BrowserInput, CertificatePem, ClockSkew, Credentials, EntityId, FormField,
    IdpDescriptor, LogoutBinding, LogoutRequest, LogoutResponse, MetadataTrustPolicy, Pending, PendingSnapshot,
    PrivateKeyPem, RelayStateParam, ReplayCache, ReplayKey, ReplayPolicy, Saml, SamlError, SamlValidationContext,
    SloEndpoint, Sp, SpConfig, SpValidationPolicy, SsoResponse, XmlEncryptionPolicy, XmlPolicy, XmlSignatureProfile,
};
use saml_rs::{AssertionSignaturePolicy, AudienceValidationPolicy, ResponseSignaturePolicy};

use super::provider::IdentityProvider;
use super::{METADATA, POST, PROTOCOL, REDIRECT, ServiceProvider, escaped};
use crate::model::time::Timestamp;

/// How far the clocks may differ.
const LEEWAY_MILLIS: i64 = 60_000;
/// How long the wish of a provider to end a session counts.
const LOGOUT_MILLIS: i64 = 5 * 60_000;
/// No honest document is larger, in bytes, or deeper.
const MOST_BYTES: usize = 512 * 1024;
const MOST_DEEP: usize = 64;
/// A name that is never the same twice (Core §8.3.8).
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// Digests that count.
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
/// Exclusive canonicalization, and what takes a signature out of what it signs.
const TRANSFORMS: [&str; 2] =
    ["http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2000/09/xmldsig#enveloped-signature"];
/// What belongs to a NameID beside its text (Core §2.2.2).
const NAME_ID: [&str; 4] = ["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"];

/// Why an answer does not count, for the audit log; callers are not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl From<SamlError> for Refused {
    fn from(error: SamlError) -> Self {
        Self(error.to_string())
    }
}

fn refused<T>(why: &str) -> Result<T, Refused> {
    Err(Refused(why.to_owned()))
}

/// What an identity provider says about somebody: read from verified bytes alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The text of `<NameID>`.
    pub name_id: String,
    /// Its format and qualifiers, by the names of its attributes.
    pub name_id_attributes: BTreeMap<String, String>,
    /// The provider's name for the session (Core §2.7.2), where it gave one.
    pub session_index: Option<String>,
    /// Whether that is another one tomorrow.
    pub is_transient: bool,
    /// Values of attributes by name.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// How the person was authenticated there (Core §2.7.2.2).
    pub contexts: Vec<String>,
    /// When that was, where it says so.
    pub authenticated_at: Option<Timestamp>,
    /// What counts once, and until when that must be known.
    pub once: Vec<(String, Timestamp)>,
}

/// Checks an answer (Profiles §4.1.4.2, §4.1.4.3): `SAMLResponse` as it was posted, to the request of this
/// id, or to none.
///
/// # Errors
/// [`Refused`].
pub fn verify(
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    request_id: Option<&str>,
    posted: &str,
    now: Timestamp,
) -> Result<Assertion, Refused> {
    let (document, xml) = decoded(posted)?;
    let shape = shape(&xml, &idp.entity_id)?;
    let library = library(sp, shape)?;
    let described = described(idp)?;
    let input = BrowserInput::<SsoResponse>::post(vec![FormField::new("SAMLResponse", document)]);
    let mut once = Once::default();
    let context = context(now, &mut once);
    let session = match request_id {
        Some(id) => {
            let absent = RelayStateParam::absent();
            let snapshot =
                PendingSnapshot::<AuthnRequest>::authn_request(id, absent, &idp.entity_id, POST, &sp.acs, POST);
            library.finish_sso(&described, &Pending::<AuthnRequest>::from_snapshot(snapshot)?, input, context)?
        }
        None => library.accept_unsolicited_sso(&described, input, context)?,
    };
    let verified = &session.raw_flow().saml_content;
    if shape.encrypted && self::shape(verified, &idp.entity_id)?.encrypted {
        return refused("there is an assertion that was not decrypted");
    }
    let name_id = session.name_id().value().to_owned();
    if name_id.is_empty() || name_id.len() > 1024 {
        return refused("the NameID is empty or too long");
    }
    let values = |attribute: &saml_rs::Attribute| {
        attribute.values().iter().map(|value| value.as_str().trim().to_owned()).collect::<Vec<_>>()
    };
    let attributes = session.attributes().as_slice().iter().map(|one| (one.name().to_owned(), values(one))).collect();
    let is_transient = session.name_id().format().is_some_and(|format| format.as_uri() == TRANSIENT);
    let response = parsed(verified)?;
    let own =
        |(name, value): &(String, String)| NAME_ID.contains(&name.as_str()).then(|| (name.clone(), value.clone()));
    let name_ids = within(&response, &["Assertion", "Subject", "NameID"]);
    let statements = within(&response, &["Assertion", "AuthnStatement"]);
    Ok(Assertion {
        name_id_attributes: name_ids.iter().flat_map(|node| &node.attrs).filter_map(own).collect(),
        session_index: statements.iter().find_map(|node| node.attr("SessionIndex")).map(str::to_owned),
        contexts: contexts(&response),
        authenticated_at: statements.iter().find_map(|node| Timestamp::parse_rfc3339(node.attr("AuthnInstant")?)),
        name_id,
        is_transient,
        attributes,
        once: once.0,
    })
}

/// `<AuthnContextClassRef>` of the one assertion of a response.
fn contexts(response: &Node) -> Vec<String> {
    let found = within(response, &["Assertion", "AuthnStatement", "AuthnContext", "AuthnContextClassRef"]);
    found.into_iter().map(|node| node.text.trim().to_owned()).collect()
}

/// The elements at a path of names below one.
fn within<'a>(root: &'a Node, path: &[&str]) -> Vec<&'a Node> {
    let below = |nodes: Vec<&'a Node>, name: &&str| {
        nodes.into_iter().flat_map(|node| &node.children).filter(|child| child.local_name == *name).collect()
    };
    path.iter().fold(vec![root], below)
}

/// The document, as base64 in one line and as text.
fn decoded(posted: &str) -> Result<(String, String), Refused> {
    let base64: String = posted.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(&base64).map_err(|_| Refused("SAMLResponse is not base64".to_owned()))?;
    if bytes.len() > MOST_BYTES {
        return refused("the document is too large");
    }
    let xml = String::from_utf8(bytes).map_err(|_| Refused("the document is not UTF-8".to_owned()))?;
    Ok((base64, xml))
}

/// What a response is like that is not odd.
#[derive(Clone, Copy)]
struct Shape {
    /// Whether its one assertion is encrypted.
    encrypted: bool,
    /// Whether ECDSA has signed anything of it.
    ecdsa: bool,
}

/// DTDs, entities, comments and CDATA: nobody needs them, and parsers differ about them.
fn plain(xml: &str) -> Result<Node, Refused> {
    let after_declaration = xml.trim_start_matches('\u{feff}').strip_prefix("<?xml").unwrap_or(xml);
    if xml.contains("<!") || after_declaration.contains("<?") {
        return refused("the document has a DTD, a comment, CDATA or an instruction");
    }
    parsed(xml)
}

/// What a response is like; everything that is odd is refused.
fn shape(xml: &str, issuer: &str) -> Result<Shape, Refused> {
    let root = plain(xml)?;
    if root.local_name != "Response" {
        return refused("the document is no Response");
    }
    if let Some(said) = child(&root, "Issuer").filter(|said| said.text.trim() != issuer) {
        return Err(Refused(format!("the response is issued by {}", said.text)));
    }
    let mut found = Found::default();
    found.look(&root, &[])?;
    match (found.assertions, found.encrypted) {
        (1, 0) => Ok(Shape { encrypted: false, ecdsa: found.ecdsa }),
        (0, 1) => Ok(Shape { encrypted: true, ecdsa: found.ecdsa }),
        (0, 0) => refused("there is no assertion"),
        _ => refused("there is more than one assertion"),
    }
}

/// What was met in a document.
#[derive(Default)]
struct Found<'a> {
    assertions: usize,
    encrypted: usize,
    ecdsa: bool,
    ids: HashSet<&'a str>,
}

impl<'a> Found<'a> {
    /// Counts what is where it belongs, and refuses what is not.
    fn look(&mut self, node: &'a Node, above: &[&str]) -> Result<(), Refused> {
        match node.local_name.as_str() {
            "Assertion" if above == ["Response"] => self.assertions += 1,
            "EncryptedAssertion" if above == ["Response"] => self.encrypted += 1,
            "Response" if above.is_empty() => {}
            "Signature" if above == ["Response"] || above == ["Response", "Assertion"] => self.ecdsa |= by_ecdsa(node)?,
            "Assertion" | "EncryptedAssertion" | "Response" | "Signature" | "Object" => {
                return Err(Refused(format!("there is a {} where none belongs", node.local_name)));
            }
            _ => {}
        }
        for (name, value) in &node.attrs {
            if matches!(name.to_ascii_lowercase().as_str(), "id" | "assertionid") && !self.ids.insert(value) {
                return refused("two elements have one ID");
            }
        }
        let path: Vec<&str> = above.iter().copied().chain([node.local_name.as_str()]).collect();
        let signatures: Vec<_> = node.children.iter().filter(|child| child.local_name == "Signature").collect();
        match signatures.as_slice() {
            [] => {}
            [one] if is_over(one, node) => {}
            [_] => return refused("a signature is over another element than the one in which it is"),
            _ => return refused("something is signed twice"),
        }
        node.children.iter().try_for_each(|child| self.look(child, &path))
    }
}

/// Whether a signature is by ECDSA; one that is made in a way that does not count is refused (XML Signature
/// §4.4).
fn by_ecdsa(signature: &Node) -> Result<bool, Refused> {
    let method = |path: &[&str]| match within(signature, path).as_slice() {
        [one] => one.attr("Algorithm").unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let algorithm = method(&["SignedInfo", "SignatureMethod"]);
    let digest = method(&["SignedInfo", "Reference", "DigestMethod"]);
    let mut transforms = within(signature, &["SignedInfo", "Reference", "Transforms", "Transform"]);
    transforms.extend(within(signature, &["SignedInfo", "CanonicalizationMethod"]));
    let plain = transforms.iter().all(|one| one.attr("Algorithm").is_some_and(|name| TRANSFORMS.contains(&name)));
    match is_ecdsa(&algorithm) {
        Some(ecdsa) if plain && DIGESTS.contains(&digest.as_str()) => Ok(ecdsa),
        _ => refused("a signature's algorithm is not allowed"),
    }
}

/// Whether a method of signing that counts, RSA or ECDSA over SHA-2 (RFC 6931 §2.3), is the latter.
fn is_ecdsa(method: &str) -> Option<bool> {
    match method.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")? {
        "rsa-sha256" | "rsa-sha384" | "rsa-sha512" => Some(false),
        "ecdsa-sha256" | "ecdsa-sha384" | "ecdsa-sha512" => Some(true),
        _ => None,
    }
}

/// Whether a signature says that it is over the element in which it is (Core §5.4.2).
fn is_over(signature: &Node, element: &Node) -> bool {
    let own = element.attr("ID").map(|id| format!("#{id}"));
    let references = within(signature, &["SignedInfo", "Reference"]);
    own.is_some() && references.iter().all(|reference| reference.attr("URI") == own.as_deref())
}

fn parsed(xml: &str) -> Result<Node, Refused> {
    Ok(dom::parse_with_limits(xml, xml_policy(false).limits)?.root)
}

fn child<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    node.children.iter().find(|child| child.local_name == name)
}

fn xml_policy(encrypted: bool) -> XmlPolicy {
    let mut policy = XmlPolicy::default();
    policy.limits.max_bytes = MOST_BYTES;
    policy.limits.max_depth = MOST_DEEP;
    if encrypted {
        policy.encryption = XmlEncryptionPolicy::encrypt_assertions();
    }
    policy
}

/// The library, set up strictly. It takes either encrypted assertions or others, never both.
fn library(sp: &ServiceProvider, Shape { encrypted, ecdsa }: Shape) -> Result<Saml<Sp>, Refused> {
    let mut validation = SpValidationPolicy::recommended();
    validation.audience = AudienceValidationPolicy::Validate;
    validation.xml_signatures = XmlSignatureProfile::StrictRsaSha2;
    if ecdsa && !encrypted {
        // Its strict profile knows RSA alone. All signatures there are have been looked at: none is hidden.
        validation.xml_signatures = XmlSignatureProfile::AllowProviderSupportedForCompatibility;
    }
    // A signed response covers its assertion; one that covers neither is refused all the same.
    validation.assertions = AssertionSignaturePolicy::AllowUnsignedForCompatibility;
    // CBC tells nobody that it was tampered with (XML Encryption 1.1 §6.1).
    validation.responses = ResponseSignaturePolicy::RequireForEncryptedCbc;
    let certificate = CertificatePem::new(sp.key.certificate_pem());
    let credentials = Credentials {
        encryption_certificate: Some(certificate),
        decryption_key: Some(PrivateKeyPem::new(sp.key.private_pem().expose().as_str())),
        ..Credentials::default()
    };
    let config = SpConfig::builder(EntityId::try_new(sp.entity_id.as_str())?)
        .acs_endpoint(AcsEndpoint::post(sp.acs.as_str())?)
        .slo_endpoint(SloEndpoint::redirect(sp.slo.as_str())?)
        .credentials(credentials)
        .validation(validation)
        .xml(xml_policy(encrypted))
        .build()?;
    Ok(Saml::sp(config)?)
}

/// The provider as the library wants to be told of it: the name and certificates that we read.
fn described(idp: &IdentityProvider) -> Result<IdpDescriptor, Refused> {
    let key = |certificate: &String| {
        format!(
            "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
             <X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>",
            escaped(certificate)
        )
    };
    let keys: String = idp.certificates.iter().map(key).collect();
    let xml = format!(
        "<EntityDescriptor xmlns=\"{METADATA}\" entityID=\"{}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"{PROTOCOL}\">{keys}<SingleSignOnService Binding=\"{REDIRECT}\" \
         Location=\"{}\"/></IDPSSODescriptor></EntityDescriptor>",
        escaped(&idp.entity_id),
        escaped(idp.sign_in.as_deref().unwrap_or("https://nowhere.invalid/")),
    );
    let id = EntityId::try_new(idp.entity_id.as_str())?;
    Ok(IdpDescriptor::from_metadata_xml_for(id, &xml, MetadataTrustPolicy::UnsignedForCompatibility)?)
}

/// What a provider wants to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutWish {
    /// The `ID` of the request.
    pub id: String,
    /// Whose sessions, by the text of `<NameID>`.
    pub name_id: String,
    /// Which of them; all of them where it names none.
    pub indexes: Vec<String>,
    /// What counts once, and until when that must be known.
    pub once: Vec<(String, Timestamp)>,
}

/// Checks a `<LogoutRequest>` that came as a query (Profiles §4.4.4.1).
///
/// # Errors
/// [`Refused`].
pub fn logout_wish(
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    query: &str,
    now: Timestamp,
) -> Result<LogoutWish, Refused> {
    detached(query, "SAMLRequest")?;
    let mut once = Once::default();
    let input = BrowserInput::<LogoutRequest>::redirect(query);
    let library = library(sp, Shape { encrypted: false, ecdsa: false })?;
    let received = library.receive_slo(&described(idp)?, input, context(now, &mut once))?;
    let request = received.message();
    // One that does not say until when it counts would count for ever.
    let issued = Timestamp::parse_rfc3339(request.issue_instant().as_str());
    let age = issued.map(|issued| now.millis().saturating_sub(issued.millis()));
    if !age.is_some_and(|age| (-LEEWAY_MILLIS..=LEEWAY_MILLIS + LOGOUT_MILLIS).contains(&age)) {
        return refused("the request is too old, or not of now");
    }
    let Some(name_id) = request.name_id() else { return refused("the request names nobody") };
    Ok(LogoutWish {
        id: request.id().as_str().to_owned(),
        name_id: name_id.value().to_owned(),
        indexes: request.session_indexes().iter().map(|index| index.as_str().to_owned()).collect(),
        once: once.0,
    })
}

/// Checks a `<LogoutResponse>` that came as a query, to the request of this id (Profiles §4.4.4.2).
///
/// # Errors
/// [`Refused`].
pub fn logout_done(
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    (request_id, relay_state): (&str, &str),
    query: &str,
    now: Timestamp,
) -> Result<(), Refused> {
    detached(query, "SAMLResponse")?;
    let relay_state = RelayStateParam::try_from_option(Some(relay_state.to_owned()))?;
    let by = LogoutBinding::Redirect;
    let snapshot = PendingSnapshot::<LogoutRequest>::logout_request(request_id, relay_state, &idp.entity_id, by);
    let pending = Pending::<LogoutRequest>::from_snapshot(snapshot)?;
    let input = BrowserInput::<LogoutResponse>::redirect(query);
    // What it answers is used up with it, so its own name need not be remembered.
    let mut once = Once::default();
    let library = library(sp, Shape { encrypted: false, ecdsa: false })?;
    library.finish_slo(&described(idp)?, &pending, input, context(now, &mut once))?;
    Ok(())
}

/// That the message of a query is plain, and its signature (Bindings §3.4.4.1) made in a way that counts.
fn detached(query: &str, field: &str) -> Result<(), Refused> {
    let value = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let algorithm = value("SigAlg").unwrap_or_default();
    if is_ecdsa(&algorithm).is_none() {
        return refused("a signature's algorithm is not allowed");
    }
    let packed: String = value(field).unwrap_or_default().split_ascii_whitespace().collect();
    let packed = STANDARD.decode(packed).map_err(|_| Refused("the message is not base64".to_owned()))?;
    let bytes = saml_rs::binding::deflate_raw_decode_with_limit(&packed, MOST_BYTES)?;
    let xml = String::from_utf8(bytes).map_err(|_| Refused("the message is not UTF-8".to_owned()))?;
    plain(&xml).map(drop)
}

/// When it is, with a minute of leeway, and what sees to it that a message counts once.
fn context(now: Timestamp, once: &mut Once) -> SamlValidationContext<'_> {
    let since = Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    SamlValidationContext::new(SystemTime::UNIX_EPOCH + since, ReplayPolicy::RequireCache(once))
        .with_clock_skew(ClockSkew::from_millis(-LEEWAY_MILLIS, LEEWAY_MILLIS))
        .with_replay_retention(Duration::from_millis(LOGOUT_MILLIS.unsigned_abs()) * 2)
}

/// The identifiers that the library wants to see once; the database says whether it does.
#[derive(Default)]
struct Once(Vec<(String, Timestamp)>);

impl ReplayCache for Once {
    fn check_and_store(&mut self, key: ReplayKey, expires_at: SystemTime) -> Result<(), SamlError> {
        let since = expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        self.0.push((key.cache_key(), Timestamp::from_millis(millis)));
        Ok(())
    }
}

/// Reads what matters from metadata. Comments are fine there; a DTD is not.
pub(super) fn read_metadata(xml: &str) -> Result<IdentityProvider, Refused> {
    let mut limits = xml_policy(false).limits;
    limits.max_bytes = crate::domain::connections::MAX_METADATA;
    let root = dom::parse_with_limits(xml, limits)?.root;
    let mut entities = Vec::new();
    descriptors(&root, &mut entities);
    let [entity] = entities.as_slice() else { return refused("it must describe exactly one entity") };
    let mut found = IdentityProvider {
        entity_id: entity.attr("entityID").unwrap_or_default().trim().to_owned(),
        valid_until: entity.attr("validUntil").or_else(|| root.attr("validUntil")).map(str::to_owned),
        ..IdentityProvider::default()
    };
    for role in entity.children.iter().filter(|child| child.local_name == "IDPSSODescriptor") {
        for service in role.children.iter().filter(|child| child.local_name == "SingleSignOnService") {
            match (service.attr("Binding"), service.attr("Location")) {
                (Some(REDIRECT), Some(at)) => found.sign_in = found.sign_in.or_else(|| Some(at.to_owned())),
                (Some(other), _) => found.other_bindings.push(other.to_owned()),
                _ => {}
            }
        }
        let redirect = |service: &&Node| service.attr("Binding") == Some(REDIRECT);
        for service in role.children.iter().filter(|child| child.local_name == "SingleLogoutService").filter(redirect) {
            if let Some(at) = service.attr("Location").filter(|at| at.starts_with("http")) {
                let answers = service.attr("ResponseLocation").unwrap_or(at);
                found.sign_out = Some((at.to_owned(), answers.to_owned()));
            }
        }
        let signing = |key: &&Node| key.local_name == "KeyDescriptor" && key.attr("use").is_none_or(|u| u == "signing");
        for key in role.children.iter().filter(signing) {
            let data = key.children.iter().flat_map(|info| &info.children).flat_map(|data| &data.children);
            let certificates = data.filter(|one| one.local_name == "X509Certificate");
            found.certificates.extend(certificates.map(|one| one.text.split_ascii_whitespace().collect::<String>()));
        }
    }
    Ok(found)
}

fn descriptors<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    match node.local_name.as_str() {
        "EntityDescriptor" => found.push(node),
        "EntitiesDescriptor" => node.children.iter().for_each(|child| descriptors(child, found)),
        _ => {}
    }
}

/// Packed for a query string (Bindings §3.4.4.1); none if the library fails.
pub(super) fn deflated(text: &str) -> Option<Vec<u8>> {
    saml_rs::binding::deflate_raw_encode(text.as_bytes()).ok()
}
