//! An identity provider as its metadata describe it (Metadata §2.4.3), and what can be said about them
//! before anybody comes from there.

use super::answer;
use super::{POST, REDIRECT};
use crate::crypto::certificate::{CertificateFacts, inspect};
use crate::model::connection::SamlProvider;
use crate::model::time::Timestamp;
use crate::protocol::upstream::{Finding, fine, wrong};

/// The fewest bits of an RSA key that are not a reason to worry.
const RSA_BITS: usize = 2048;

/// What metadata say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its name.
    pub entity_id: String,
    /// Where people are sent to sign in, by HTTP-Redirect.
    pub sign_in: Option<String>,
    /// Where people are sent to sign out, by HTTP-Redirect, and where the answer to such a wish is sent.
    pub sign_out: Option<(String, String)>,
    /// Which other ways there are to send them.
    pub other_bindings: Vec<String>,
    /// The certificates of the keys that it signs with: base64, as it was written.
    pub certificates: Vec<String>,
    /// When the metadata say that they should be fetched anew.
    pub valid_until: Option<String>,
}

/// Why metadata can't be used. The text is for whoever sets the connection up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoMetadata(pub String);

/// Reads metadata.
///
/// # Errors
/// [`NoMetadata`] says what is wrong with them.
pub fn read(xml: &str) -> Result<IdentityProvider, NoMetadata> {
    let found = answer::read_metadata(xml).map_err(|why| NoMetadata(format!("this is no SAML metadata: {why}")))?;
    let wrong = |why: &str| Err(NoMetadata(why.to_owned()));
    if found.entity_id.is_empty() {
        return wrong("the metadata have no entityID");
    }
    if found.certificates.is_empty() {
        return wrong("the metadata name no certificate for signing: what the provider says could not be checked");
    }
    if let Some(bad) = found.certificates.iter().position(|text| inspect(text).is_none()) {
        return Err(NoMetadata(format!("certificate {} of the metadata can't be read", bad + 1)));
    }
    let sign_in = found.sign_in.as_deref();
    if sign_in.is_some_and(|at| url::Url::parse(at).is_ok_and(|at| matches!(at.scheme(), "https" | "http"))) {
        return Ok(found);
    }
    match found.other_bindings.first() {
        Some(other) => {
            let other = if other == POST { "HTTP-POST" } else { other.as_str() };
            Err(NoMetadata(format!("the provider takes people by {other} only; {REDIRECT} is needed")))
        }
        None => wrong("the metadata say nowhere to send people (no SingleSignOnService of an IDPSSODescriptor)"),
    }
}

/// Looks at a connection: everything that can be found out without a person.
#[must_use]
pub fn trial(saml: &SamlProvider, now: Timestamp) -> Vec<Finding> {
    let idp = match read(&saml.metadata) {
        Ok(idp) => idp,
        Err(why) => return vec![wrong("metadata", why.to_string())],
    };
    let mut findings = vec![if idp.entity_id == saml.entity_id {
        fine("metadata", format!("of {}", idp.entity_id))
    } else {
        wrong("metadata", format!("of {}, and not of {}", idp.entity_id, saml.entity_id))
    }];
    if let Some(until) = &idp.valid_until {
        findings.push(match Timestamp::parse_rfc3339(until) {
            Some(end) if end > now => fine("metadata", format!("good until {until}")),
            Some(_) => {
                wrong("metadata", format!("ran out at {until}; sign-ins go on, but ask the provider for new ones"))
            }
            None => wrong("metadata", format!("good until {until}, which is no time")),
        });
    }
    let sign_in = idp.sign_in.unwrap_or_default();
    findings.push(if sign_in.starts_with("http:") {
        wrong("sign-in", format!("people are sent to {sign_in} without TLS"))
    } else {
        fine("sign-in", format!("people are sent to {sign_in} by HTTP-Redirect"))
    });
    findings.push(match &idp.sign_out {
        Some((at, _)) => fine("sign-out", format!("who signs out there is sent to {at} by HTTP-Redirect")),
        None => fine("sign-out", "it names no SingleLogoutService by HTTP-Redirect: nobody is signed out there too"),
    });
    findings.push(match saml.return_to.first() {
        Some(first) => fine("return", format!("people go on to {first} with their tokens, or to what they named")),
        None => wrong("return", "there is nowhere to send people with their tokens: nobody can sign in"),
    });
    findings.extend(idp.certificates.iter().filter_map(|text| inspect(text)).map(|facts| certificate(&facts, now)));
    findings
}

fn certificate(facts: &CertificateFacts, now: Timestamp) -> Finding {
    const WHAT: &str = "certificate";
    let (from, until) = (facts.not_before.rfc3339(), facts.not_after.rfc3339());
    let key = match (facts.rsa_bits, facts.ec_bits) {
        (Some(bits), _) if bits < RSA_BITS => return wrong(WHAT, format!("its key is weak: RSA with {bits} bits")),
        (Some(bits), _) => format!("RSA with {bits} bits"),
        (None, Some(bits)) => format!("an elliptic curve's key with {bits} bits"),
        (None, None) => {
            return wrong(WHAT, "its key is neither RSA nor of an elliptic curve: what it signs is refused");
        }
    };
    if facts.not_before > now {
        return wrong(WHAT, format!("good from {from} on: is a clock wrong?"));
    }
    if facts.not_after <= now {
        return wrong(
            WHAT,
            format!("ran out at {until}; what it signs is believed all the same, until it is taken out"),
        );
    }
    fine(WHAT, format!("{key}, good until {until}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::crypto::certificate::CertifiedKey;

    fn metadata(attributes: &str, keys: &str, services: &str) -> String {
        format!(
            "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" {attributes}><IDPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}{services}</IDPSSODescriptor>\
             </EntityDescriptor>"
        )
    }

    fn key(usage: &str, certificate: &str) -> String {
        format!(
            "<KeyDescriptor{usage}><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
             <X509Certificate>\n{certificate}\n</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )
    }

    fn service(binding: &str) -> String {
        format!("<SingleSignOnService Binding=\"{binding}\" Location=\"https://idp.example/sso\"/>")
    }

    #[test]
    fn metadata_are_read() {
        let now = Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let own = CertifiedKey::generate("idp", now).unwrap();
        let (pem, redirect) = (own.certificate(), service(REDIRECT));
        let keys = [key(" use=\"signing\"", pem), key("", pem), key(" use=\"encryption\"", pem)].concat();
        let whole = metadata("entityID=\"x\" validUntil=\"2026-11-21T00:00:00Z\"", &keys, &redirect);
        let found = read(&whole).unwrap();
        assert_eq!((found.entity_id.as_str(), found.certificates.len()), ("x", 2));
        assert_eq!(found.sign_in.as_deref(), Some("https://idp.example/sso"));
        for (bad, why) in [
            (metadata("", &keys, &redirect), "no entityID"),
            (metadata("entityID=\"x\"", "", &redirect), "no certificate"),
            (metadata("entityID=\"x\"", &key("", "MII"), &redirect), "certificate 1"),
            (metadata("entityID=\"x\"", &keys, ""), "nowhere"),
            (metadata("entityID=\"x\"", &keys, &service(POST)), "HTTP-POST only"),
            (format!("<!DOCTYPE x>{whole}"), "no SAML metadata"),
            ("x".to_owned(), "no SAML metadata"),
            (format!("<EntitiesDescriptor>{whole}{whole}</EntitiesDescriptor>"), "exactly one"),
        ] {
            let said = read(&bad).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let saml = SamlProvider { metadata: whole, entity_id: "x".to_owned(), idp_initiated: false, return_to: vec![] };
        let wrong: Vec<String> = trial(&saml, now).into_iter().filter(|one| !one.fine).map(|one| one.detail).collect();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("ran out") && wrong[1].contains("nowhere"), "{wrong:?}");
        let late = now + std::time::Duration::from_secs(25 * 365 * 86_400);
        assert!(trial(&saml, late).iter().any(|one| one.what == "certificate" && !one.fine));
    }
}
