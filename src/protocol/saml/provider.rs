//! An identity provider as its metadata describe it (Metadata §2.4.3), and what can be said about them
//! before anybody comes from there.

use super::answer;
use super::{POST, REDIRECT};
use crate::crypto::certificate::inspect;
use crate::model::connection::SamlProvider;
use crate::model::time::Timestamp;

/// The fewest bits of an RSA key that are not a reason to worry.
const RSA_BITS: usize = 2048;

/// What metadata say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its name.
    pub entity_id: String,
    /// Where people are sent to sign in, by HTTP-Redirect.
    pub sign_in: Option<String>,
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

/// What stands in the way of signing in by a connection, and what will, in plain words.
#[must_use]
pub fn diagnose(saml: &SamlProvider, now: Timestamp) -> Diagnosis {
    let mut found = Diagnosis::default();
    let idp = match read(&saml.metadata) {
        Ok(idp) => idp,
        Err(why) => {
            found.faults.push(why.to_string());
            return found;
        }
    };
    if idp.entity_id != saml.entity_id {
        found.faults.push(format!("the metadata are of {}, not of {}", idp.entity_id, saml.entity_id));
    }
    if saml.return_to.is_empty() {
        found.faults.push("there is nowhere to send people with their tokens: add a --return-to".to_owned());
    }
    if idp.sign_in.as_deref().is_some_and(|at| at.starts_with("http:")) {
        found.warnings.push("people are sent to the provider without TLS (http)".to_owned());
    }
    if let Some(until) = idp.valid_until.as_deref() {
        match Timestamp::parse_rfc3339(until) {
            Some(end) if end <= now => {
                found.warnings.push(format!("the metadata ran out at {until}: ask the provider for new ones"));
            }
            Some(_) => {}
            None => found.warnings.push(format!("the metadata are good until {until}, which is no time")),
        }
    }
    let facts: Vec<_> = idp.certificates.iter().filter_map(|text| inspect(text)).collect();
    for (n, fact) in facts.iter().enumerate() {
        let n = n + 1;
        if fact.not_after <= now {
            found.warnings.push(format!("certificate {n} ran out at {}", fact.not_after.rfc3339()));
        }
        if fact.not_before > now {
            let from = fact.not_before.rfc3339();
            found.warnings.push(format!("certificate {n} is good from {from} on: is a clock wrong?"));
        }
        match fact.rsa_bits {
            Some(bits) if bits < RSA_BITS => {
                found.warnings.push(format!("the key of certificate {n} is weak: RSA with {bits} bits"));
            }
            Some(_) => {}
            None => found.warnings.push(format!("the key of certificate {n} is not RSA: what it signs is refused")),
        }
    }
    if !facts.is_empty() && facts.iter().all(|fact| fact.rsa_bits.is_none()) {
        found.faults.push("no certificate has an RSA key, and nothing else is believed".to_owned());
    }
    found
}

/// What [`diagnose`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Nobody can sign in.
    pub faults: Vec<String>,
    /// They can, and somebody should look.
    pub warnings: Vec<String>,
}
