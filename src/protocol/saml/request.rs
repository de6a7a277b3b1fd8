//! What is asked of an identity provider: `<AuthnRequest>` (Core §3.4.1) by HTTP-Redirect (Bindings §3.4.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use super::{ASSERTION, POST, PROTOCOL, ServiceProvider, answer, escaped};
use crate::crypto::jwk::KeyError;
use crate::model::time::Timestamp;

/// RSA with SHA-256 (RFC 6931 §2.3.2).
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// Where the browser goes to ask, with the request of this id signed (Bindings §3.4.4.1).
///
/// # Errors
/// [`KeyError::Unusable`] if the library can't sign.
pub fn location(
    sp: &ServiceProvider,
    destination: &str,
    id: &str,
    relay_state: &str,
    now: Timestamp,
) -> Result<String, KeyError> {
    let request = format!(
        "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" Version=\"2.0\" \
         IssueInstant=\"{now}\" Destination=\"{destination}\" AssertionConsumerServiceURL=\"{acs}\" \
         ProtocolBinding=\"{POST}\"><saml:Issuer>{issuer}</saml:Issuer>\
         <samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>",
        now = now.rfc3339(),
        destination = escaped(destination),
        acs = escaped(&sp.acs),
        issuer = escaped(&sp.entity_id),
    );
    let packed = STANDARD.encode(answer::deflated(&request).ok_or(KeyError::Unusable)?);
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let signed =
        format!("SAMLRequest={}&RelayState={}&SigAlg={}", encoded(&packed), encoded(relay_state), encoded(RSA_SHA256));
    let signature = STANDARD.encode(sp.key.sign(signed.as_bytes())?);
    let mark = if destination.contains('?') { '&' } else { '?' };
    Ok(format!("{destination}{mark}{signed}&Signature={}", encoded(&signature)))
}
