//! Client certificates that may come in.

use crate::host::PeerCertificate;

/// What a certificate is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificatePattern {
    /// The first URI of its subject alternative names. `*` is one segment of the path.
    Uri(String),
    /// The first DNS name of them. `*` is the first label.
    Dns(String),
    /// Its subject, as the host writes it.
    Subject(String),
    /// The SHA-256 of its DER.
    Sha256([u8; 32]),
}

/// A client certificate that may come in.
#[derive(Clone, Debug)]
pub struct AllowedCertificate {
    /// What it is recognised by.
    pub pattern: CertificatePattern,
    /// What its owner is called; `None`: what was recognised.
    pub id: Option<String>,
    /// What its owner may do.
    pub scopes: Vec<String>,
}

/// The client certificates that may come in, in order.
#[derive(Clone, Debug, Default)]
pub struct AllowedCertificates(Vec<AllowedCertificate>);

impl AllowedCertificates {
    /// These.
    #[must_use]
    pub fn new(allowed: Vec<AllowedCertificate>) -> Self {
        Self(allowed)
    }

    /// The first entry that `certificate` is, and what its owner is called. A certificate that the host has not validated
    /// says what its maker liked, and is recognised by its digest alone.
    #[must_use]
    pub fn find(&self, certificate: &PeerCertificate) -> Option<(&AllowedCertificate, String)> {
        self.0.iter().find_map(|allowed| {
            let found = allowed.pattern.matches(certificate)?;
            Some((allowed, allowed.id.clone().unwrap_or(found)))
        })
    }
}

impl CertificatePattern {
    fn matches(&self, certificate: &PeerCertificate) -> Option<String> {
        let validated = |text: &Option<String>| text.clone().filter(|_| certificate.is_validated);
        match self {
            Self::Uri(pattern) => validated(&certificate.uri).filter(|uri| is_uri(pattern, uri)),
            Self::Dns(pattern) => validated(&certificate.dns).filter(|name| is_name(pattern, name)),
            Self::Subject(subject) => validated(&certificate.subject).filter(|own| own == subject),
            Self::Sha256(digest) => (certificate.sha256 == *digest).then(|| hex(digest)),
        }
    }
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Segment by segment; `*` is one that is not empty. What is before the path has no `*`.
fn is_uri(pattern: &str, uri: &str) -> bool {
    let mut segments = uri.split('/');
    let is_same = pattern.split('/').all(|wanted| match segments.next() {
        Some(segment) if wanted == "*" => !segment.is_empty(),
        Some(segment) => segment == wanted,
        None => false,
    });
    is_same && segments.next().is_none()
}

/// Without regard to case (RFC 5280 section 7.2); `*` is the first label.
fn is_name(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(name),
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && label != "*" && rest.eq_ignore_ascii_case(parent)
        }),
    }
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
