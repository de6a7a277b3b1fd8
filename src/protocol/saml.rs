//! SAML 2.0 as a service provider: the Web Browser SSO profile (Profiles §4.1) with HTTP-Redirect for what
//! is asked and HTTP-POST for what is answered (Bindings §3.4, §3.5), and Single Logout (Profiles §4.4) by
//! HTTP-Redirect. Only `answer` names the library.

mod answer;
pub mod metadata;
pub mod provider;
mod request;
mod sign_in;
mod sign_out;

pub use sign_in::{Arrived, Posted, arrive, describe, set_out, set_out_from_page};
pub use sign_out::{leave, told};

use std::sync::Arc;

use crate::crypto::certificate::CertifiedKey;
use crate::domain::Ctx;
use crate::model::ids::OrganizationId;

/// Who gatehouse is towards the identity provider of a workspace.
pub struct ServiceProvider {
    /// Its name, which is where its metadata are.
    pub entity_id: String,
    /// Where answers go.
    pub acs: String,
    /// Where people and messages come who sign out.
    pub slo: String,
    /// Signs what is asked, opens what is encrypted.
    pub key: Arc<CertifiedKey>,
}

impl ServiceProvider {
    /// Who it is for this workspace.
    #[must_use]
    pub fn new(ctx: &Ctx<'_>, workspace: OrganizationId, key: Arc<CertifiedKey>) -> Self {
        let at = |path: &str| format!("{}/api/sso/saml/{path}/{}", ctx.tenant.issuer, workspace.uuid());
        Self { entity_id: at("metadata"), acs: at("acs"), slo: at("slo"), key }
    }
}

/// The namespace of the protocol's messages (Core §1.2).
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// The namespace of assertions (Core §1.2).
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// The namespace of metadata (Metadata §1.1).
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// HTTP-POST (Bindings §3.5).
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
/// HTTP-Redirect (Bindings §3.4).
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// A text as it may stand between tags or quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
