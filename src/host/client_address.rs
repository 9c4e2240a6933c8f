//! The client's address, as far as it tells one client from another.

use std::net::Ipv6Addr;

use super::Host;

/// An address that something is counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    text: String,
    site: Option<String>,
}

impl ClientAddress {
    /// The address of the client whose request is being decided. Clients without one count as one.
    #[must_use]
    pub fn of(host: &dyn Host) -> Self {
        let text = host.client_address().unwrap_or_default();
        match text.parse::<Ipv6Addr>() {
            Ok(ipv6) => match ipv6.to_ipv4_mapped() {
                Some(ipv4) => Self { text: ipv4.to_string(), site: None },
                None => Self { text: prefix(ipv6, 4), site: Some(prefix(ipv6, 3)) },
            },
            Err(_) => Self { text, site: None },
        }
    }

    /// The address itself; of an IPv6 address the first 64 bits, for a client chooses the rest at will.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
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
