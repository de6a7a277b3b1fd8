//! What a client can find out by itself (RFC 8414 §2, OpenID Connect Discovery §3, and what each
//! extension adds). Advertises what works and nothing else.

use serde::Serialize;

use super::{claims, token};
use crate::crypto::jws;
use crate::model::authorization::{Prompt, ResponseMode, ResponseType};
use crate::model::client::{AuthMethod, GrantType};
use crate::model::client_settings::SubjectType;
use crate::model::session::ACR_VALUES;
use crate::model::signing_key::SigningAlg;

/// What of the optional things a tenant offers.
#[derive(Clone, Copy, Debug)]
pub struct Offers {
    /// Clients may register themselves (RFC 7591).
    pub registration: bool,
    /// Some client may use response types that send tokens through the browser.
    pub legacy: bool,
}

/// The metadata document of a tenant's issuer.
#[derive(Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is a registered member of its own
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    pushed_authorization_request_endpoint: String,
    device_authorization_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: Vec<&'static str>,
    claims_supported: Vec<&'static str>,
    claim_types_supported: [&'static str; 1],
    claims_parameter_supported: bool,
    response_types_supported: Vec<String>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    prompt_values_supported: Vec<&'static str>,
    display_values_supported: [&'static str; 4],
    acr_values_supported: &'static [&'static str],
    ui_locales_supported: [&'static str; 2],
    subject_types_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
    request_object_signing_alg_values_supported: &'static [&'static str],
    require_pushed_authorization_requests: bool,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
}

/// The document for this issuer.
#[must_use]
pub fn metadata(issuer: &str, offers: &Offers) -> Metadata {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = |public: bool| -> Vec<&'static str> {
        AuthMethod::ALL
            .iter()
            .filter(|method| public || **method != AuthMethod::None)
            .map(|method| method.as_str())
            .collect()
    };
    let assertion_algs = || [jws::ASYMMETRIC_ALGS, &["HS256", "HS384", "HS512"]].concat();
    let signing_algs = || SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect();
    let mut grants: Vec<&'static str> = token::SUPPORTED.iter().map(|grant: &GrantType| grant.as_str()).collect();
    grants.extend(offers.legacy.then_some(GrantType::Implicit.as_str()));
    let types = ResponseType::ALL.iter().filter(|one| offers.legacy || !one.is_front_channel());
    Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        userinfo_endpoint: at("/oauth/userinfo"),
        jwks_uri: at("/.well-known/jwks.json"),
        end_session_endpoint: at("/oauth/logout"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        pushed_authorization_request_endpoint: at("/oauth/par"),
        device_authorization_endpoint: at("/oauth/device_authorization"),
        registration_endpoint: offers.registration.then(|| at("/oauth/register")),
        scopes_supported: claims::scopes(),
        claims_supported: claims::supported(),
        claim_types_supported: ["normal"],
        claims_parameter_supported: true,
        response_types_supported: types.map(ToString::to_string).collect(),
        response_modes_supported: ResponseMode::ALL.iter().map(|mode| mode.as_str()).collect(),
        grant_types_supported: grants,
        prompt_values_supported: Prompt::ALL.iter().map(|prompt| prompt.as_str()).collect(),
        display_values_supported: ["page", "popup", "touch", "wap"],
        acr_values_supported: ACR_VALUES,
        ui_locales_supported: ["en", "zh-Hans"],
        subject_types_supported: SubjectType::ALL.iter().map(|subject| subject.as_str()).collect(),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: signing_algs(),
        userinfo_signing_alg_values_supported: signing_algs(),
        request_parameter_supported: true,
        request_uri_parameter_supported: true,
        require_request_uri_registration: true,
        request_object_signing_alg_values_supported: jws::ASYMMETRIC_ALGS,
        require_pushed_authorization_requests: false,
        token_endpoint_auth_methods_supported: methods(true),
        token_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        introspection_endpoint_auth_methods_supported: methods(false),
        introspection_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        revocation_endpoint_auth_methods_supported: methods(true),
        revocation_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
    }
}
