//! `type: mutualTLS`: client certificates, and which of them may come in.

use super::fields::non_empty;
use super::node::Node;
use super::rules::read_scope;
use crate::encoding::decode_hex32;
use crate::http_syntax::is_header_value;
use crate::identity::CertificatePattern;

/// Client certificates (RFC 8446, OpenAPI 3.1).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("examples" = [{
        "type": "mutualTLS", "allow": [{"uri": "spiffe://example.org/ns/prod/sa/*", "scopes": ["items:read"]}],
    }]))
)]
pub struct MutualTlsConfig {
    /// The certificates that may come in; the first entry that matches counts.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub allow: Vec<AllowedCertificateConfig>,
}

/// A client certificate that may come in. One of `uri`, `dns`, `subject` and `sha256` says which.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "AllowedCertificate",
        deny_unknown_fields,
        extend("oneOf" = [
            {"required": ["uri"]}, {"required": ["dns"]}, {"required": ["subject"]}, {"required": ["sha256"]},
        ]),
        extend("examples" = [
            {"uri": "spiffe://example.org/ns/prod/sa/*"},
            {"dns": "*.clients.example.org", "id": "client"},
            {"sha256": "2a570fed1461570bf2a13db7f539939da4357b393cf9395c74c4e0a313a945a5", "id": "batch"},
        ]),
    )
)]
pub struct AllowedCertificateConfig {
    /// What it is recognised by.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Pattern"))]
    pub pattern: CertificatePattern,
    /// What the owner of the certificate is called; becomes the subject. Left out: the URI, name, subject or digest.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub id: Option<String>,
    /// What the owner of the certificate may do.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<super::rules::written::Scope>>"))]
    pub scopes: Vec<String>,
}

impl MutualTlsConfig {
    pub(super) fn read(object: &super::node::Object<'_>) -> Option<Self> {
        let allow = object.required("allow", |n| non_empty(n, |n| n.list(read_allowed)));
        Some(Self { allow: allow? })
    }
}

fn read_allowed(node: Node<'_>) -> Option<AllowedCertificateConfig> {
    let object = node.object()?;
    let pattern = match object.one_of(&["uri", "dns", "subject", "sha256"]) {
        Some("uri") => object.optional("uri", read_uri).map(CertificatePattern::Uri),
        Some("dns") => object.optional("dns", read_dns).map(CertificatePattern::Dns),
        Some("subject") => object.optional("subject", |n| n.text()).map(CertificatePattern::Subject),
        Some(_) => object.optional("sha256", read_sha256).map(CertificatePattern::Sha256),
        None => None,
    };
    let id = object.optional("id", |n| {
        let id = n.text()?;
        if is_header_value(id.as_bytes()) {
            Some(id)
        } else {
            n.error("goes into a header: no control characters")
        }
    });
    let scopes = object.optional("scopes", |n| n.list(read_scope)).unwrap_or_default();
    object.finish();
    Some(AllowedCertificateConfig { pattern: pattern?, id, scopes })
}

fn read_uri(node: Node<'_>) -> Option<String> {
    let uri = node.text()?;
    let Some((scheme, rest)) = uri.split_once("://") else {
        return node
            .error(format_args!("{uri:?} is no absolute URI such as spiffe://example.org/ns/prod/sa/*"));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_star_alone = path.split('/').all(|segment| segment == "*" || !segment.contains('*'));
    if scheme.contains('*') || authority.contains('*') || !is_star_alone {
        return node.error(format_args!("{uri:?}: `*` stands for one whole segment of the path"));
    }
    Some(uri)
}

fn read_dns(node: Node<'_>) -> Option<String> {
    let name = node.text()?;
    let rest = name.strip_prefix("*.").unwrap_or(&name);
    if rest.contains('*') || rest.is_empty() || name.contains('/') {
        return node.error(format_args!("{name:?}: write a DNS name; `*` stands for its first label"));
    }
    Some(name)
}

fn read_sha256(node: Node<'_>) -> Option<[u8; 32]> {
    let text = node.string()?;
    // As openssl writes it.
    match decode_hex32(&text.replace(':', "")) {
        Some(digest) => Some(digest),
        None => node.error("expected 64 hexadecimal digits: openssl x509 -in FILE -outform DER | sha256sum"),
    }
}

/// The same as written.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
mod written {
    use schemars::JsonSchema;

    /// `CertificatePattern`.
    #[derive(JsonSchema)]
    pub struct Pattern {
        /// The first URI among the subject alternative names of a certificate that Envoy has validated. `*` is one segment
        /// of its path.
        #[schemars(length(min = 1))]
        uri: Option<String>,
        /// The first DNS name among them, in any case. `*` is its first label.
        #[schemars(length(min = 1))]
        dns: Option<String>,
        /// The subject of a certificate that Envoy has validated, as Envoy writes it (RFC 2253).
        #[schemars(length(min = 1))]
        subject: Option<String>,
        /// The SHA-256 of the certificate in DER, as 64 hexadecimal digits, with or without colons. Envoy need not have
        /// validated it.
        #[schemars(regex(pattern = "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"))]
        sha256: Option<String>,
    }
}
