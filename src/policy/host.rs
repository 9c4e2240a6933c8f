//! Hosts of which there is one reading.
//!
//! Where rules name hosts, a Host that another server reads differently gets past them: a user before an
//! `@`, two hosts with a comma, which is how Envoy joins two headers, a letter percent-encoded. RFC 9110
//! section 7.2 wants such a request refused, and Envoy lets it pass.

/// Whether `authority` could be read as another host than the one it is taken for. None at all is one
/// reading too.
pub fn is_ambiguous(authority: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(authority) else { return true };
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, port)) => {
            let is_address = address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
            return !is_address || address.is_empty() || !is_port(port);
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if text.is_empty() {
        return false;
    }
    let rooted = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    !rooted.split('.').all(is_label) || !is_port(port)
}

/// Empty, or a colon and digits, of which there may be none (RFC 3986 section 3.2.3).
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
