//! The client's address: the peer's, unless the peer is one of our proxies; then the right-most
//! address in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not one of our proxies.
//!
//! A caller can write anything into these headers, a proxy of ours only appends. So they are read
//! from the right, and reading ends where trust ends: at a hop that can't be parsed, the address is
//! that of the hop which reported it. Where both headers are there and disagree, nobody knows which
//! of them our proxy writes, and neither is believed.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::RequestHead;
use actix_web::http::header::{self, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// By which way a request came.
pub(super) struct Via {
    /// The client's address; nothing where the transport has none.
    pub(super) address: Option<IpAddr>,
    /// Whether it came through a proxy of ours.
    pub(super) trusted: bool,
}

/// The client of a request.
pub(super) fn client(head: &RequestHead, trusted: &[IpNet]) -> Via {
    let Some(peer) = head.peer_addr.map(|peer| peer.ip().to_canonical()) else {
        return Via { address: None, trusted: false };
    };
    if !is_within(peer, trusted) {
        return Via { address: Some(peer), trusted: false };
    }
    let lines = |name: HeaderName| head.headers.get_all(name).map(|line| line.to_str().unwrap_or("?"));
    let forwarded: Vec<&str> = lines(header::FORWARDED).flat_map(|line| split(line, ',')).collect();
    let plain: Vec<&str> = lines(X_FORWARDED_FOR).flat_map(|line| line.split(',')).collect();
    let by_forwarded = walk(peer, trusted, forwarded.iter().rev().map(|element| forwarded_for(element)));
    let by_plain = walk(peer, trusted, plain.iter().rev().map(|hop| node(hop.trim())));
    let address = match (forwarded.is_empty(), plain.is_empty()) {
        (false, false) if by_forwarded != by_plain => peer,
        (false, _) => by_forwarded,
        (true, _) => by_plain,
    };
    Via { address: Some(address), trusted: true }
}

fn is_within(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// From the nearest hop outwards: the first address that is not ours.
fn walk(peer: IpAddr, trusted: &[IpNet], hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut reached = peer;
    for hop in hops {
        match hop {
            Some(address) if is_within(address, trusted) => reached = address,
            Some(address) => return address,
            None => return reached,
        }
    }
    reached
}

/// The `for` of one forwarded-element (RFC 7239 §4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = split(element, ';').into_iter().filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    node(value.trim().trim_matches('"'))
}

/// A node (RFC 7239 §6): an address with or without port, IPv6 with or without brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(bracketed)
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

/// Splits where the separator stands outside a quoted string.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted && !was_escaped => escaped = true,
            _ => {}
        }
        c == separator && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn address(peer: &str, headers: &[(&str, &str)]) -> String {
        let mut request = TestRequest::default().peer_addr(format!("{peer}:4711").parse().unwrap());
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()];
        client(request.to_http_request().head(), &trusted).address.unwrap().to_string()
    }

    #[test]
    fn headers_of_strangers_do_not_count() {
        assert_eq!(address("203.0.113.9", &[("x-forwarded-for", "198.51.100.1")]), "203.0.113.9");
        assert_eq!(address("203.0.113.9", &[("forwarded", "for=198.51.100.1")]), "203.0.113.9");
    }

    #[test]
    fn the_right_most_stranger_is_the_client() {
        for (headers, expected) in [
            (vec![], "10.0.0.1"),
            (vec![("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            (vec![("x-forwarded-for", "192.0.2.66, 198.51.100.1, 10.0.0.7")], "198.51.100.1"),
            (vec![("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            (vec![("x-forwarded-for", "198.51.100.1:8080")], "198.51.100.1"),
            (vec![("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            (vec![("forwarded", "for=198.51.100.1;proto=https;by=10.0.0.1")], "198.51.100.1"),
            (vec![("forwarded", "for=192.0.2.66, For=\"[2001:db8:2::17]:4711\"")], "2001:db8:2::17"),
            (vec![("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            (vec![("x-forwarded-for", "::ffff:198.51.100.1")], "198.51.100.1"),
        ] {
            assert_eq!(address("10.0.0.1", &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_can_not_be_read_never_opens_the_way_to_what_a_caller_wrote() {
        for headers in [
            vec![("x-forwarded-for", "192.0.2.66, nonsense")],
            vec![("x-forwarded-for", "192.0.2.66,")],
            vec![("forwarded", "for=192.0.2.66, for=unknown")],
            vec![("forwarded", "for=192.0.2.66, for=_hidden")],
            vec![("forwarded", "for=192.0.2.66, proto=https")],
            vec![("forwarded", "for=192.0.2.66, for=\"198.51.100.1, for=192.0.2.67")],
            vec![("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "198.51.100.1")],
        ] {
            assert_eq!(address("10.0.0.1", &headers), "10.0.0.1", "{headers:?}");
        }
    }
}
