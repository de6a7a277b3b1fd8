//! What a workspace's identity provider must know about gatehouse (Metadata §2.4.4).

use super::{METADATA, POST, PROTOCOL, REDIRECT, ServiceProvider, escaped};

/// The media type of metadata (Metadata §A).
pub const MEDIA_TYPE: &str = "application/samlmetadata+xml";

/// What assertions may be encrypted with (XML Encryption 1.1 §5.2, §5.5.2), the best first.
const ENCRYPTION: [&str; 5] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];

/// The metadata as XML.
#[must_use]
pub fn write(sp: &ServiceProvider) -> String {
    let (entity_id, acs, slo) = (escaped(&sp.entity_id), escaped(&sp.acs), escaped(&sp.slo));
    let certificate = sp.key.certificate();
    let key = |usage: &str, methods: &str| {
        format!(
            "<md:KeyDescriptor use=\"{usage}\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>"
        )
    };
    let methods: String =
        ENCRYPTION.iter().map(|method| format!("<md:EncryptionMethod Algorithm=\"{method}\"/>")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <md:EntityDescriptor xmlns:md=\"{METADATA}\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
         entityID=\"{entity_id}\">\
         <md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\" \
         protocolSupportEnumeration=\"{PROTOCOL}\">{signing}{encryption}\
         <md:SingleLogoutService Binding=\"{REDIRECT}\" Location=\"{slo}\"/>\
         <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>\
         <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
         <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>\
         <md:AssertionConsumerService Binding=\"{POST}\" Location=\"{acs}\" index=\"0\" isDefault=\"true\"/>\
         </md:SPSSODescriptor></md:EntityDescriptor>\n",
        signing = key("signing", ""),
        encryption = key("encryption", &methods),
    )
}
