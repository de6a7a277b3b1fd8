//! From where an API client may call what: three lists, each in one form so that they can be compared.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::error::Invalid;

/// The longest list.
const MOST: usize = 100;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 1024;

/// Three lists as somebody wrote them; an empty one is any.
#[derive(Clone, Debug, Default)]
pub struct AllowLists {
    /// Which `Origin` headers may stand on a request: `https://app.example.org`.
    pub origins: Vec<String>,
    /// From which networks: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    pub networks: Vec<String>,
    /// Which paths, and what is below them: `/internal/users`.
    pub paths: Vec<String>,
}

/// The same as they are compared.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    pub(in crate::domain) origins: Vec<String>,
    pub(in crate::domain) networks: Vec<IpNet>,
    pub(in crate::domain) paths: Vec<String>,
}

impl AllowLists {
    /// Reads them.
    ///
    /// # Errors
    /// Names the list that has something else in it.
    pub fn read(&self) -> Result<Allowed, Invalid> {
        Ok(Allowed {
            origins: origins(&self.origins)?,
            networks: networks(&self.networks)?,
            paths: paths(&self.paths)?,
        })
    }
}

fn each<T>(
    field: &'static str,
    list: &[String],
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Invalid> {
    if list.len() > MOST {
        return Err(Invalid::new(field, format!("must be at most {MOST}")));
    }
    list.iter().map(|text| read(text.trim()).ok_or_else(|| Invalid::new(field, what))).collect()
}

pub(super) fn origins(list: &[String]) -> Result<Vec<String>, Invalid> {
    each("origins", list, "must be origins such as https://app.example.org", origin)
}

pub(super) fn networks(list: &[String]) -> Result<Vec<IpNet>, Invalid> {
    each("networks", list, "must be networks such as 192.0.2.0/24 or 2001:db8::/32", network)
}

pub(super) fn paths(list: &[String]) -> Result<Vec<String>, Invalid> {
    each("paths", list, "must be paths such as /internal/users, written without escapes", path)
}

/// An origin as browsers write it (RFC 6454 §6.2): scheme and host in lower case, no port where it is the
/// scheme's own, nothing after it.
pub(super) fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let rest = text.split_once("://")?.1;
    let bare = !rest.contains(['/', '?', '#', '@']) && url.has_host();
    (bare && matches!(url.scheme(), "https" | "http")).then(|| url.origin().ascii_serialization())
}

/// A network, or an address as the network of its own; IPv4 is IPv4 also where it is written as IPv6.
fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse().ok()?,
    };
    let network = match network {
        IpNet::V6(wide) if wide.prefix_len() >= 96 => match wide.addr().to_ipv4_mapped() {
            Some(address) => IpNet::new(IpAddr::V4(address), wide.prefix_len() - 96).ok()?,
            None => network,
        },
        other => other,
    };
    Some(network.trunc())
}

/// A path without escapes, dot segments and the slash at its end.
fn path(text: &str) -> Option<String> {
    let plain = |c: char| !c.is_control() && !matches!(c, '%' | '?' | '#' | '\\' | ';');
    let path = text.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let whole = text == "/" || path.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    (whole && text.len() <= LONGEST_PATH && text.chars().all(plain)).then(|| format!("/{path}"))
}

/// Whether a path is an allowed one or below it, by whole segments.
pub(super) fn covers(allowed: &str, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(allowed) else { return false };
    allowed == "/" || rest.is_empty() || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_form() {
        for (given, form) in [
            ("https://app.example.org", "https://app.example.org"),
            ("HTTPS://App.Example.ORG:443", "https://app.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            assert_eq!(origin(given).as_deref(), Some(form), "{given}");
        }
        for bad in [
            "",
            "null",
            "*",
            "app.example.org",
            "https://",
            "https://a.b/",
            "https://a.b/c",
            "https://u@a.b",
            "ftp://a.b",
            "https://a.b?c",
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_are_read_as_what_they_hold() {
        for (given, form) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(network(given).unwrap().to_string(), form, "{given}");
        }
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "example.org", "::/129", "10.0.0.1-10.0.0.9"] {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn paths_cover_whole_segments() {
        for (given, form) in [("/", "/"), ("/internal", "/internal"), ("/internal/", "/internal"), ("/a b", "/a b")] {
            assert_eq!(path(given).as_deref(), Some(form), "{given}");
        }
        for bad in ["", "internal", "//", "/a//b", "/a/../b", "/.", "/a%2fb", "/a?b", "/a;b", "/a\\b", "/a\nb"] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert!(covers("/internal", "/internal") && covers("/internal", "/internal/x") && covers("/", "/internal"));
        assert!(!covers("/internal", "/internalx") && !covers("/internal/users", "/internal"));
    }
}
