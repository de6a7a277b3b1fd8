//! What the addresses of a client must be.

use url::Url;

use crate::domain::Invalid;
use crate::model::client_settings::ApplicationType;

/// The longest address that is kept.
const MAX_BYTES: usize = 2048;

fn is_loopback(uri: &Url) -> bool {
    matches!(uri.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// An absolute URI that nothing about its spelling speaks against.
fn absolute(field: &'static str, uri: &str) -> Result<Url, Invalid> {
    let refuse = |why: &str| Err(Invalid::new(field, why));
    let Ok(parsed) = Url::parse(uri) else { return refuse("is not an absolute URI") };
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) || uri.len() > MAX_BYTES {
        return refuse("has white space or is too long");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refuse("holds a user name or password");
    }
    Ok(parsed)
}

/// An absolute URI without fragment (RFC 6749 §3.1.2), of a scheme that fits where the client runs and
/// can't run script (OpenID Connect Registration §2, RFC 8252 §7).
pub(super) fn check_redirect_uri(field: &'static str, uri: &str, runs: ApplicationType) -> Result<(), Invalid> {
    let refuse = |why: &str| Err(Invalid::new(field, why));
    let parsed = absolute(field, uri)?;
    if uri.contains('#') {
        return refuse("has a fragment (RFC 6749 §3.1.2)");
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&parsed) => Ok(()),
        "http" => refuse("is http on a host that is not loopback (RFC 9700 §2.6)"),
        // A private-use scheme of a native app names its owner's domain (RFC 8252 §7.1).
        scheme if scheme.contains('.') && runs == ApplicationType::Native => Ok(()),
        scheme if scheme.contains('.') => refuse("has a private-use scheme, which is for application_type native"),
        _ => refuse("has a scheme that is neither https nor a reverse domain name"),
    }
}

/// An address that a browser or gatehouse itself loads: https, or http on this machine for
/// development.
pub(in crate::domain) fn check_web_uri(field: &'static str, uri: &str) -> Result<Url, Invalid> {
    let parsed = absolute(field, uri)?;
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if is_loopback(&parsed) => Ok(parsed),
        _ => Err(Invalid::new(field, "is not https")),
    }
}

/// The same without fragment.
pub(super) fn check_whole_web_uri(field: &'static str, uri: &str) -> Result<Url, Invalid> {
    let parsed = check_web_uri(field, uri)?;
    if uri.contains('#') {
        return Err(Invalid::new(field, "has a fragment"));
    }
    Ok(parsed)
}

/// The host that a URI leads to, as it counts for sectors (OpenID Connect Core §8.1).
pub(super) fn host(uri: &str) -> Option<String> {
    Url::parse(uri).ok()?.host_str().map(str::to_owned)
}

/// The origin of a URI, as browsers write it.
pub(super) fn origin(uri: &str) -> Option<String> {
    Url::parse(uri).ok().map(|uri| uri.origin().ascii_serialization())
}
