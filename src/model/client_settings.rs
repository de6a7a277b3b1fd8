//! What OpenID Connect and client registration say about a client, beside what OAuth itself does.
//! The members have the names under which they are registered (OpenID Connect Registration §2,
//! RFC 7591 §2), so that one type is column, registration and settings page.

use serde::{Deserialize, Serialize};

use super::authorization::ResponseType;
use super::signing_key::SigningAlg;
use super::text_enum::text_enum;

text_enum! {
    /// Where a client runs (OpenID Connect Registration §2).
    ApplicationType {
        /// On a server, or in a browser.
        Web = "web",
        /// On a person's own device (RFC 8252).
        Native = "native",
    }
}

text_enum! {
    /// What a client learns of whom it signs in (OpenID Connect Core §8).
    SubjectType {
        /// The same `sub` as every client.
        Public = "public",
        /// A `sub` of its sector's own.
        Pairwise = "pairwise",
    }
}

/// The settings of a client; all have defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // each is a registered member of its own
pub struct ClientSettings {
    /// Where it runs.
    pub application_type: ApplicationType,
    /// What its ID tokens are signed with: RS256 unless it says otherwise.
    pub id_token_signed_response_alg: SigningAlg,
    /// What `/oauth/userinfo` is signed with; plain JSON where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlg>,
    /// The one algorithm that its request objects may be signed with (RFC 9101); any that its keys
    /// fit where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<String>,
    /// The one algorithm that it signs its assertions with (RFC 7523); any that its keys fit where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Whether its requests must come in signed request objects (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// Whether its requests must be pushed (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// Whether it must use PKCE (RFC 7636). Only a confidential client may be excused.
    pub require_pkce: bool,
    /// Its response types.
    pub response_types: Vec<ResponseType>,
    /// Whether response types that send tokens through the browser are open to it (RFC 9700 §2.1.2).
    pub legacy_response_types: bool,
    /// Whether it belongs to the operator: people are not asked whether they want to sign in to it.
    pub first_party: bool,
    /// What it learns of whom it signs in.
    pub subject_type: SubjectType,
    /// Where the redirect URIs of its sector are listed (OpenID Connect Core §8.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Where its keys are found, if not given by value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Request objects that it may refer to, compared byte for byte, fragment and all.
    pub request_uris: Vec<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// What it does with people's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Who answers for it.
    pub contacts: Vec<String>,
    /// Where it begins a sign-in that starts elsewhere (OpenID Connect Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Where it is told of a sign-out (OpenID Connect Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether that needs `sid`; ours always has it.
    pub backchannel_logout_session_required: bool,
    /// What the sign-out page loads in a frame (OpenID Connect Front-Channel Logout §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether `iss` and `sid` are added to it.
    pub frontchannel_logout_session_required: bool,
    /// How old a sign-in may be, in seconds, where the request says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether its ID tokens say when the person signed in; ours always do.
    pub require_auth_time: bool,
    /// What kind of sign-in it wants where the request says nothing.
    pub default_acr_values: Vec<String>,
    /// SHA-256, in hex, of the token that manages a registered client (RFC 7592 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_token: Option<String>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            application_type: ApplicationType::Web,
            id_token_signed_response_alg: SigningAlg::Rs256,
            userinfo_signed_response_alg: None,
            request_object_signing_alg: None,
            token_endpoint_auth_signing_alg: None,
            require_signed_request_object: false,
            require_pushed_authorization_requests: false,
            require_pkce: true,
            response_types: vec![ResponseType::CODE],
            legacy_response_types: false,
            first_party: false,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            jwks_uri: None,
            request_uris: Vec::new(),
            logo_uri: None,
            client_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            initiate_login_uri: None,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: false,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            registration_token: None,
        }
    }
}
