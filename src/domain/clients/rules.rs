//! What a client must be, whoever makes or changes it.

use crate::crypto::jwk::KeySet;
use crate::domain::Invalid;
use crate::model::client::{AuthMethod, GrantType};
use crate::model::scope::OAuthScope;

/// Scope names with a colon are permission codes, the others are what it may ask people for.
pub(super) fn split_scope(scope: &OAuthScope) -> (OAuthScope, OAuthScope) {
    let (codes, names): (Vec<&str>, Vec<&str>) = scope.iter().partition(|name| name.contains(':'));
    (OAuthScope::from_tokens(codes), OAuthScope::from_tokens(names))
}

pub(super) fn check(method: &AuthMethod, jwks: Option<&str>, grants: &[GrantType]) -> Result<(), Invalid> {
    if let Some(jwks) = jwks {
        KeySet::parse(jwks.as_bytes()).map_err(|why| Invalid::new("jwks", why.to_string()))?;
    } else if *method == AuthMethod::PrivateKeyJwt {
        return Err(Invalid::new("jwks", "is required for private_key_jwt"));
    }
    if *method == AuthMethod::None && grants.contains(&GrantType::ClientCredentials) {
        return Err(Invalid::new("auth_method", "none can't go with client_credentials (RFC 6749 §4.4)"));
    }
    Ok(())
}

/// An absolute URI without fragment (RFC 6749 §3.1.2), of a scheme that can't run script.
pub(super) fn check_redirect_uri(uri: &str) -> Result<(), Invalid> {
    let refuse = |why: &str| Err(Invalid::new("redirect_uri", format!("{uri:?} {why}")));
    let Ok(parsed) = url::Url::parse(uri) else { return refuse("is not an absolute URI") };
    if uri.contains('#') {
        return refuse("has a fragment (RFC 6749 §3.1.2)");
    }
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) || uri.len() > 2048 {
        return refuse("has white space or is too long");
    }
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => refuse("is http on a host that is not loopback (RFC 9700 §2.6)"),
        // A private-use scheme of a native app names its owner's domain (RFC 8252 §7.1).
        scheme if scheme.contains('.') => Ok(()),
        _ => refuse("has a scheme that is neither https nor a reverse domain name"),
    }
}
