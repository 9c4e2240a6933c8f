//! The client's address, as far as it tells one client from another.

use std::net::{IpAddr, Ipv6Addr};

use super::Host;

/// An address that something is counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    text: Option<String>,
    site: Option<String>,
}

impl ClientAddress {
    /// The address of the client whose request is being decided. A client of a Unix socket or of one of
    /// Envoy's internal listeners has none: what the host says in its place tells no client from another.
    #[must_use]
    pub fn of(host: &dyn Host) -> Self {
        match Self::ip_of(host) {
            Some(IpAddr::V4(ipv4)) => Self { text: Some(ipv4.to_string()), site: None },
            Some(IpAddr::V6(ipv6)) => Self { text: Some(prefix(ipv6, 4)), site: Some(prefix(ipv6, 3)) },
            None => Self { text: None, site: None },
        }
    }

    /// The IP address of the client whose request is being decided; `None`: it has none.
    #[must_use]
    pub fn ip_of(host: &dyn Host) -> Option<IpAddr> {
        let text = host.client_address()?;
        // A link-local address may name its interface, which is no part of the address.
        let ip: IpAddr = text.split('%').next()?.parse().ok()?;
        Some(ip.to_canonical())
    }

    /// The address itself; of an IPv6 address the first 64 bits, for a client chooses the rest at will.
    /// `None`: the client has no address.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The first 48 bits of an IPv6 address: what a site usually has, and 65,536 addresses with it.
    #[must_use]
    pub fn site(&self) -> Option<&str> {
        self.site.as_deref()
    }
}

fn prefix(address: Ipv6Addr, segments: usize) -> String {
    address.segments().iter().take(segments).map(|segment| format!("{segment:x}:")).collect()
}
