//! Host conditions of rules.

/// A host condition.
#[derive(Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Any host below this domain; the text begins with a dot.
    Below(String),
}

impl HostPattern {
    /// A pattern from its configured form, in lower case.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        match pattern.strip_prefix('*') {
            Some(domain) => Self::Below(domain.to_owned()),
            None => Self::Exact(pattern.to_owned()),
        }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Below(text) => text,
        }
    }

    /// Whether it is this host, in lower case and without port.
    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(own) => own == host,
            Self::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
        }
    }
}

/// The host of an authority: lower case, without port, without the dot of a rooted name.
pub(super) fn host_of(authority: &[u8]) -> String {
    let text = String::from_utf8_lossy(authority).to_ascii_lowercase();
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let host = match text.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => text.as_str(),
    };
    host.strip_suffix('.').unwrap_or(host).to_owned()
}
