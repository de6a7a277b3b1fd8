//! Which addresses may be connected to.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 that is not the public internet (the IANA special-purpose registry, RFC 6890), multicast
/// (RFC 5771) and what is reserved.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 3),
];

/// All that IPv6 gives to single hosts of the public internet (RFC 4291 §2.4).
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What of it is special all the same: protocol assignments with Teredo, documentation, and 6to4,
/// whose addresses hold IPv4 ones. NAT64 and mapped addresses stand outside of [`GLOBAL_V6`].
const SPECIAL_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(address: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = address;
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// What may be reached.
pub(super) struct Targets {
    allowed: Vec<IpNet>,
}

impl Targets {
    /// The public internet, and these networks.
    pub(super) fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Whether a connection may go there: over TLS anywhere public, else into allowed networks alone.
    pub(super) fn may_reach(&self, address: IpAddr, tls: bool) -> bool {
        self.is_allowed(address) || (tls && is_public(address))
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address) || network.contains(&canonical))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allowed: &[&str], address: &str, tls: bool) -> bool {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        Targets::new(&allowed).may_reach(address.parse().unwrap(), tls)
    }

    #[test]
    fn the_public_internet_may_be_reached_over_tls_alone() {
        for public in ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(reach(&[], public, true), "{public}");
            assert!(!reach(&[], public, false), "{public}");
        }
    }

    #[test]
    fn special_networks_may_not() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::101:101",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!reach(&[], special, true), "{special}");
        }
    }

    #[test]
    fn allowed_networks_may_in_every_spelling() {
        for (network, address) in [
            ("127.0.0.0/8", "127.0.0.1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1"),
            ("::1/128", "::1"),
            ("64:ff9b::/96", "64:ff9b::101:101"),
        ] {
            assert!(reach(&[network], address, false), "{network} {address}");
            assert!(reach(&[network], address, true), "{network} {address}");
        }
        assert!(!reach(&["127.0.0.0/8"], "10.0.0.1", true));
    }
}
