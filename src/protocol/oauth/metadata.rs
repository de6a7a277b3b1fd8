//! What a client can find out by itself (RFC 8414 §2, OpenID Connect Discovery §3). Advertises what
//! works and nothing else.

use serde::Serialize;

use super::token;
use crate::crypto::jws;
use crate::model::client::{AuthMethod, GrantType};
use crate::model::signing_key::SigningAlg;

/// The metadata document of a tenant's issuer.
#[derive(Serialize)]
pub struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    grant_types_supported: Vec<&'static str>,
    response_types_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
}

/// The document for this issuer.
#[must_use]
pub fn metadata(issuer: &str) -> Metadata {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = |public: bool| -> Vec<&'static str> {
        AuthMethod::ALL
            .iter()
            .filter(|method| public || **method != AuthMethod::None)
            .map(|method| method.as_str())
            .collect()
    };
    let assertion_algs = || [jws::ASYMMETRIC_ALGS, &["HS256", "HS384", "HS512"]].concat();
    Metadata {
        issuer: issuer.to_owned(),
        token_endpoint: at("/oauth/token"),
        jwks_uri: at("/.well-known/jwks.json"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        grant_types_supported: token::SUPPORTED.iter().map(|grant: &GrantType| grant.as_str()).collect(),
        // Nobody signs in through a browser yet, so there is no authorization endpoint to name.
        response_types_supported: Vec::new(),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect(),
        token_endpoint_auth_methods_supported: methods(true),
        token_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        introspection_endpoint_auth_methods_supported: methods(false),
        introspection_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        revocation_endpoint_auth_methods_supported: methods(true),
        revocation_endpoint_auth_signing_alg_values_supported: assertion_algs(),
    }
}
