//! What a client must be, whoever makes or changes it.

use super::uris::{check_redirect_uri, check_web_uri, check_whole_web_uri, host, origin};
use crate::crypto::jwk::KeySet;
use crate::crypto::jws::{ASYMMETRIC_ALGS, MAC_ALGS};
use crate::domain::{Invalid, keys};
use crate::model::authorization::ResponseType;
use crate::model::client::{AuthMethod, Client, GrantType};
use crate::model::client_settings::{ClientSettings, SubjectType};
use crate::model::scope::OAuthScope;
use crate::model::session::ACR_VALUES;
use crate::model::text::DisplayName;

/// Scope names with a colon are permission codes, the others are what it may ask people for.
pub(super) fn split_scope(scope: &OAuthScope) -> (OAuthScope, OAuthScope) {
    let (codes, names): (Vec<&str>, Vec<&str>) = scope.iter().partition(|name| name.contains(':'));
    (OAuthScope::from_tokens(codes), OAuthScope::from_tokens(names))
}

/// Whether people are sent back to it through the browser.
fn redirects(client: &Client) -> bool {
    client.may_use(GrantType::AuthorizationCode) || client.may_use(GrantType::Implicit)
}

/// Gives response types to who needs some and said nothing, and takes them from who has no use for
/// any.
pub(super) fn settle(client: &mut Client) {
    let types = &mut client.settings.response_types;
    if !client.grant_types.iter().any(|grant| matches!(grant, GrantType::AuthorizationCode | GrantType::Implicit)) {
        types.clear();
    } else if types.is_empty() && client.grant_types.contains(&GrantType::AuthorizationCode) {
        types.push(ResponseType::CODE);
    }
}

/// The whole of a client.
pub(super) fn check(client: &Client) -> Result<(), Invalid> {
    client.name.parse::<DisplayName>().map_err(|why| Invalid::new("name", why.to_string()))?;
    let lives = [("access_token_ttl", client.access_token_ttl), ("refresh_token_ttl", client.refresh_token_ttl)];
    for (field, life) in lives {
        if life.is_some_and(|life| life.is_zero()) {
            return Err(Invalid::new(field, "must be at least 1 s"));
        }
    }
    if client.access_token_ttl.is_some_and(|life| life > keys::MAX_ACCESS_TOKEN_TTL) {
        return Err(Invalid::new("access_token_ttl", "must be between 1 s and one day"));
    }
    check_keys(client)?;
    check_grants(client)?;
    check_redirects(client)?;
    check_addresses(client)?;
    check_sector(client)?;
    check_requests(&client.settings)
}

/// RFC 7591 §2: keys by value or by reference, and some for who signs with them.
fn check_keys(client: &Client) -> Result<(), Invalid> {
    let settings = &client.settings;
    if let Some(jwks) = &client.jwks {
        KeySet::parse(jwks.as_bytes()).map_err(|why| Invalid::new("jwks", why.to_string()))?;
    }
    match (&client.jwks, &settings.jwks_uri) {
        (Some(_), Some(_)) => Err(Invalid::new("jwks_uri", "can't go with jwks: keys come from one place")),
        (None, None) if client.auth_method == AuthMethod::PrivateKeyJwt => {
            Err(Invalid::new("jwks", "or jwks_uri is required for private_key_jwt"))
        }
        (None, None) if settings.require_signed_request_object => {
            Err(Invalid::new("jwks", "or jwks_uri is required for signed request objects"))
        }
        _ => Ok(()),
    }
}

/// RFC 7591 §2.1: response types and grant types that go together.
fn check_grants(client: &Client) -> Result<(), Invalid> {
    let settings = &client.settings;
    if client.is_public() && client.is_service() {
        return Err(Invalid::new("auth_method", "none can't go with client_credentials (RFC 6749 §4.4)"));
    }
    if client.is_public() && !settings.require_pkce {
        return Err(Invalid::new("require_pkce", "can't be switched off for a public client (RFC 9700 §2.1.1)"));
    }
    if redirects(client) && settings.response_types.is_empty() {
        return Err(Invalid::new("response_types", "must not be empty for a client that people are sent back to"));
    }
    for wanted in &settings.response_types {
        let refuse = |why: &str| Err(Invalid::new("response_types", format!("{:?} {why}", wanted.to_string())));
        if wanted.code && !client.may_use(GrantType::AuthorizationCode) {
            return refuse("needs the grant type authorization_code (RFC 7591 §2.1)");
        }
        if wanted.is_front_channel() && !client.may_use(GrantType::Implicit) {
            return refuse("needs the grant type implicit (RFC 7591 §2.1)");
        }
        if wanted.is_front_channel() && !settings.legacy_response_types {
            return refuse("sends tokens through the browser, which must be allowed first (legacy response types)");
        }
    }
    Ok(())
}

/// RFC 6749 §3.1.2.2.
fn check_redirects(client: &Client) -> Result<(), Invalid> {
    if redirects(client) && client.redirect_uris.is_empty() {
        let why = "is required: people must be sent back somewhere (RFC 6749 §3.1.2.2)";
        return Err(Invalid::new("redirect_uri", why));
    }
    let runs = client.settings.application_type;
    client.redirect_uris.iter().try_for_each(|uri| check_redirect_uri("redirect_uri", uri, runs))?;
    let after = &client.post_logout_redirect_uris;
    after.iter().try_for_each(|uri| check_redirect_uri("post_logout_redirect_uri", uri, runs))
}

fn check_addresses(client: &Client) -> Result<(), Invalid> {
    let settings = &client.settings;
    let shown = [
        ("logo_uri", &settings.logo_uri),
        ("client_uri", &settings.client_uri),
        ("policy_uri", &settings.policy_uri),
        ("tos_uri", &settings.tos_uri),
        ("jwks_uri", &settings.jwks_uri),
    ];
    for (field, uri) in shown {
        uri.as_deref().map(|uri| check_web_uri(field, uri)).transpose()?;
    }
    let told = [
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("frontchannel_logout_uri", &settings.frontchannel_logout_uri),
    ];
    for (field, uri) in told {
        uri.as_deref().map(|uri| check_whole_web_uri(field, uri)).transpose()?;
    }
    // OpenID Connect Front-Channel Logout §2: so nobody has the sign-out page load another's page.
    let framed = settings.frontchannel_logout_uri.as_deref().and_then(origin);
    if framed.is_some() && !client.redirect_uris.iter().any(|uri| origin(uri) == framed) {
        return Err(Invalid::new("frontchannel_logout_uri", "must have the origin of a redirect URI"));
    }
    // OpenID Connect Core §4: no other scheme, not even for development.
    if settings.initiate_login_uri.as_deref().is_some_and(|uri| !uri.starts_with("https://")) {
        return Err(Invalid::new("initiate_login_uri", "must be https (OpenID Connect Core §4)"));
    }
    settings.initiate_login_uri.as_deref().map(|uri| check_web_uri("initiate_login_uri", uri)).transpose()?;
    // OpenID Connect Core §6.2: their fragments tell versions apart, and the length is bounded there.
    for uri in &settings.request_uris {
        check_web_uri("request_uris", uri)?;
        if uri.len() > 512 {
            return Err(Invalid::new("request_uris", "must be of at most 512 characters each"));
        }
    }
    Ok(())
}

/// OpenID Connect Core §8.1: whose subjects belong together.
fn check_sector(client: &Client) -> Result<(), Invalid> {
    let settings = &client.settings;
    if let Some(uri) = &settings.sector_identifier_uri {
        return check_web_uri("sector_identifier_uri", uri).map(drop);
    }
    if settings.subject_type != SubjectType::Pairwise {
        return Ok(());
    }
    let mut hosts: Vec<Option<String>> = client.redirect_uris.iter().map(|uri| host(uri)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts.as_slice() {
        [Some(_)] => Ok(()),
        _ => Err(Invalid::new(
            "sector_identifier_uri",
            "is required for pairwise subjects unless all redirect URIs have one host",
        )),
    }
}

fn check_requests(settings: &ClientSettings) -> Result<(), Invalid> {
    let unknown = |field, known: &[&str]| Err(Invalid::new(field, format!("must be one of {}", known.join(", "))));
    if settings.default_acr_values.iter().any(|acr| !ACR_VALUES.contains(&acr.as_str())) {
        return unknown("default_acr_values", ACR_VALUES);
    }
    let is_known = |alg: &String| ASYMMETRIC_ALGS.contains(&alg.as_str());
    if settings.request_object_signing_alg.as_ref().is_some_and(|alg| !is_known(alg)) {
        return unknown("request_object_signing_alg", ASYMMETRIC_ALGS);
    }
    let is_proof = |alg: &String| is_known(alg) || MAC_ALGS.contains(&alg.as_str());
    if settings.token_endpoint_auth_signing_alg.as_ref().is_some_and(|alg| !is_proof(alg)) {
        return unknown("token_endpoint_auth_signing_alg", &[ASYMMETRIC_ALGS, MAC_ALGS].concat());
    }
    Ok(())
}
