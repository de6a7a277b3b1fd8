//! What OpenID Connect and client registration say about a client, as flags of `create` and `update`.

use std::str::FromStr;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::names::one_of;
use crate::model::authorization::ResponseType;
use crate::model::client_settings::{ApplicationType, ClientSettings, SubjectType};
use crate::model::signing_key::SigningAlg;

/// The flags; what is not named stays as it is.
#[derive(Args, Default, PartialEq)]
#[command(next_help_heading = "Sign-in and registration ('' takes an address or list away, =false switches off)")]
pub(in crate::cli) struct SettingsArgs {
    /// Where it runs; native apps may have redirect URIs of a private-use scheme
    #[arg(long, value_name = "TYPE", value_parser = one_of!(ApplicationType))]
    application_type: Option<ApplicationType>,
    /// It is the operator's own: people are not asked whether they want to sign in to it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
    /// It may do without PKCE (RFC 7636); never for a public client
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_pkce: Option<bool>,
    /// It may use response types that send tokens through the browser (RFC 9700 §2.1.2 advises against)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    legacy_response_types: Option<bool>,
    /// A response type, such as "code id_token"; may be given several times [default: code]
    #[arg(long = "response-type", value_name = "TYPE")]
    response_types: Vec<String>,
    /// People have a subject of its sector's own there (OpenID Connect Core §8)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pairwise: Option<bool>,
    /// Where the redirect URIs of its sector are listed
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
    /// Where its public keys are found
    #[arg(long, value_name = "URI", conflicts_with = "jwks_file")]
    jwks_uri: Option<String>,
    /// Its picture
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// Its home page
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// What it does with people's data
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
    /// An address of who answers for it; may be given several times
    #[arg(long = "contact", value_name = "EMAIL")]
    contacts: Vec<String>,
    /// Where it is told of a sign-out (Back-Channel Logout)
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// What the sign-out page loads in a frame (Front-Channel Logout); gets iss and sid
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// Where it begins a sign-in that starts elsewhere
    #[arg(long, value_name = "URI")]
    initiate_login_uri: Option<String>,
    /// A request object that it may refer to (RFC 9101); may be given several times
    #[arg(long = "request-uri", value_name = "URI")]
    request_uris: Vec<String>,
    /// The one algorithm of its request objects
    #[arg(long, value_name = "ALG")]
    request_object_alg: Option<String>,
    /// Its requests must be pushed (RFC 9126)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_par: Option<bool>,
    /// Its requests must be signed request objects (RFC 9101)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_request_object: Option<bool>,
    /// What its ID tokens are signed with [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = one_of!(SigningAlg))]
    id_token_alg: Option<SigningAlg>,
    /// What its answers of /oauth/userinfo are signed with [default: plain JSON]
    #[arg(long, value_name = "ALG")]
    userinfo_alg: Option<String>,
    /// How old a sign-in may be where the request says nothing
    #[arg(long, value_name = "SECONDS")]
    default_max_age: Option<String>,
    /// What kind of sign-in it wants where the request says nothing; may be given several times
    #[arg(long = "default-acr", value_name = "ACR")]
    default_acr_values: Vec<String>,
}

impl SettingsArgs {
    /// Whether nothing is named.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These settings with what is named.
    pub(super) fn applied(&self, mut settings: ClientSettings) -> Result<ClientSettings, Failure> {
        fn set<T: Copy>(place: &mut T, wish: Option<T>) {
            *place = wish.unwrap_or(*place);
        }
        fn optional<T: FromStr<Err: ToString>>(
            flag: &str,
            place: &mut Option<T>,
            wish: Option<&String>,
        ) -> Result<(), Failure> {
            if let Some(wish) = wish {
                *place = match wish.as_str() {
                    "" => None,
                    text => Some(parsed(flag, text)?),
                };
            }
            Ok(())
        }
        fn list<T: FromStr<Err: ToString>>(flag: &str, place: &mut Vec<T>, wish: &[String]) -> Result<(), Failure> {
            if !wish.is_empty() {
                let named = wish.iter().filter(|text| !text.is_empty());
                *place = named.map(|text| parsed(flag, text)).collect::<Result<_, _>>()?;
            }
            Ok(())
        }
        fn parsed<T: FromStr<Err: ToString>>(flag: &str, text: &str) -> Result<T, Failure> {
            text.parse().map_err(|why: T::Err| Failure::Usage(format!("--{flag} {text:?}: {}", why.to_string())))
        }
        let s = &mut settings;
        set(&mut s.application_type, self.application_type);
        set(&mut s.first_party, self.first_party);
        set(&mut s.require_pkce, self.no_pkce.map(|without| !without));
        set(&mut s.legacy_response_types, self.legacy_response_types);
        set(&mut s.require_pushed_authorization_requests, self.require_par);
        set(&mut s.require_signed_request_object, self.require_request_object);
        set(&mut s.id_token_signed_response_alg, self.id_token_alg);
        let subjects = |pairwise| if pairwise { SubjectType::Pairwise } else { SubjectType::Public };
        set(&mut s.subject_type, self.pairwise.map(subjects));
        optional("sector-identifier-uri", &mut s.sector_identifier_uri, self.sector_identifier_uri.as_ref())?;
        optional("jwks-uri", &mut s.jwks_uri, self.jwks_uri.as_ref())?;
        optional("logo-uri", &mut s.logo_uri, self.logo_uri.as_ref())?;
        optional("client-uri", &mut s.client_uri, self.client_uri.as_ref())?;
        optional("policy-uri", &mut s.policy_uri, self.policy_uri.as_ref())?;
        optional("tos-uri", &mut s.tos_uri, self.tos_uri.as_ref())?;
        optional("backchannel-logout-uri", &mut s.backchannel_logout_uri, self.backchannel_logout_uri.as_ref())?;
        optional("frontchannel-logout-uri", &mut s.frontchannel_logout_uri, self.frontchannel_logout_uri.as_ref())?;
        optional("initiate-login-uri", &mut s.initiate_login_uri, self.initiate_login_uri.as_ref())?;
        optional("request-object-alg", &mut s.request_object_signing_alg, self.request_object_alg.as_ref())?;
        optional("userinfo-alg", &mut s.userinfo_signed_response_alg, self.userinfo_alg.as_ref())?;
        optional("default-max-age", &mut s.default_max_age, self.default_max_age.as_ref())?;
        list::<ResponseType>("response-type", &mut s.response_types, &self.response_types)?;
        list("request-uri", &mut s.request_uris, &self.request_uris)?;
        list("contact", &mut s.contacts, &self.contacts)?;
        list("default-acr", &mut s.default_acr_values, &self.default_acr_values)?;
        if self.frontchannel_logout_uri.is_some() {
            s.frontchannel_logout_session_required = s.frontchannel_logout_uri.is_some();
        }
        Ok(settings)
    }
}
