//! What is sent to an identity provider by HTTP-Redirect (Bindings §3.4.4): `<AuthnRequest>` (Core §3.4.1),
//! `<LogoutRequest>` (Core §3.7.1) and `<LogoutResponse>` (Core §3.7.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use super::{ASSERTION, POST, PROTOCOL, ServiceProvider, answer, escaped};
use crate::crypto::jwk::KeyError;
use crate::model::connection::SamlSession;
use crate::model::time::Timestamp;

/// RSA with SHA-256 (RFC 6931 §2.3.2).
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// A message that is about to be sent.
pub struct Outgoing<'a> {
    /// From whom.
    pub sp: &'a ServiceProvider,
    /// To which address of the provider.
    pub destination: &'a str,
    /// Its `ID`.
    pub id: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Outgoing<'_> {
    /// Where the browser goes to ask that somebody signs in; with `again`, also who is signed in there.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library can't sign.
    pub fn authn_request(&self, relay_state: &str, again: bool) -> Result<String, KeyError> {
        let force = if again { " ForceAuthn=\"true\"" } else { "" };
        let attributes =
            format!(" AssertionConsumerServiceURL=\"{}\" ProtocolBinding=\"{POST}\"{force}", escaped(&self.sp.acs));
        let inside = "<samlp:NameIDPolicy AllowCreate=\"true\"/>";
        self.redirect("SAMLRequest", "AuthnRequest", &attributes, inside, Some(relay_state))
    }

    /// Where it goes to ask that a session ends everywhere.
    ///
    /// # Errors
    /// As [`Outgoing::authn_request`].
    pub fn logout_request(&self, session: &SamlSession, relay_state: &str) -> Result<String, KeyError> {
        let attribute = |(name, value): (&String, &String)| format!(" {name}=\"{}\"", escaped(value));
        let attributes: String = session.name_id_attributes.iter().map(attribute).collect();
        let index = session
            .index
            .as_deref()
            .map(|index| format!("<samlp:SessionIndex>{}</samlp:SessionIndex>", escaped(index)));
        let inside = format!(
            "<saml:NameID{attributes}>{}</saml:NameID>{}",
            escaped(&session.name_id),
            index.unwrap_or_default()
        );
        self.redirect("SAMLRequest", "LogoutRequest", "", &inside, Some(relay_state))
    }

    /// Where it goes to say that what a provider wanted to end has ended.
    ///
    /// # Errors
    /// As [`Outgoing::authn_request`].
    pub fn logout_response(&self, request_id: &str, relay_state: Option<&str>) -> Result<String, KeyError> {
        let attributes = format!(" InResponseTo=\"{}\"", escaped(request_id));
        let inside = "<samlp:Status><samlp:StatusCode \
                      Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>";
        self.redirect("SAMLResponse", "LogoutResponse", &attributes, inside, relay_state)
    }

    /// The address with the message, signed (Bindings §3.4.4.1).
    fn redirect(
        &self,
        field: &str,
        name: &str,
        attributes: &str,
        inside: &str,
        relay_state: Option<&str>,
    ) -> Result<String, KeyError> {
        let Self { sp, destination, id, now } = self;
        let message = format!(
            "<samlp:{name} xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{}\" Destination=\"{}\"{attributes}><saml:Issuer>{}</saml:Issuer>{inside}</samlp:{name}>",
            now.rfc3339(),
            escaped(destination),
            escaped(&sp.entity_id),
        );
        let packed = STANDARD.encode(answer::deflated(&message).ok_or(KeyError::Unusable)?);
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let state = relay_state.map(|state| format!("&RelayState={}", encoded(state))).unwrap_or_default();
        let signed = format!("{field}={}{state}&SigAlg={}", encoded(&packed), encoded(RSA_SHA256));
        let signature = STANDARD.encode(sp.key.sign(signed.as_bytes())?);
        let mark = if destination.contains('?') { '&' } else { '?' };
        Ok(format!("{destination}{mark}{signed}&Signature={}", encoded(&signature)))
    }
}
