//! `api_keys`: directories of keys, each kept as the SHA-256 of the key.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::node::Node;
use super::rules::read_scope;

/// One API key.
#[derive(Clone, Debug)]
pub struct ApiKeyConfig {
    /// Who the key belongs to; becomes the subject.
    pub id: String,
    /// SHA-256 (FIPS 180-4) of the key, as written 64 hexadecimal digits.
    pub sha256: [u8; 32],
    /// What the key may do: scope-tokens (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
    /// Unix time in seconds from which the key is no longer accepted.
    pub not_after: Option<i64>,
    /// Whether the key is switched off.
    pub disabled: bool,
}

impl ApiKeyConfig {
    /// Reads one key of a directory.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let id = object.required("id", |n| {
            let id = n.text()?;
            if crate::http_syntax::is_header_value(id.as_bytes()) {
                Some(id)
            } else {
                n.error("cannot be a header value: no control characters, no space at the ends")
            }
        });
        let sha256 = object.required("sha256", read_sha256);
        let scopes = object.optional("scopes", |n| n.list(read_scope));
        let not_after = object.optional("not_after", |n| {
            let text = n.string()?;
            match OffsetDateTime::parse(&text, &Rfc3339) {
                Ok(moment) => Some(moment.unix_timestamp()),
                Err(_) => {
                    n.error(format_args!("{text:?} is not an RFC 3339 time, such as 2027-01-01T00:00:00Z"))
                }
            }
        });
        let disabled = object.optional("disabled", |n| n.bool());
        object.finish();
        Some(Self {
            id: id?,
            sha256: sha256?,
            scopes: scopes.unwrap_or_default(),
            not_after,
            disabled: disabled.unwrap_or(false),
        })
    }
}

fn read_sha256(node: Node<'_>) -> Option<[u8; 32]> {
    let text = node.string()?;
    // The value is not quoted: who mistook the field wrote the key itself here.
    match crate::encoding::decode_hex32(&text) {
        Some(digest) => Some(digest),
        None => node.error(format_args!(
            "expected the SHA-256 of the key as 64 hex digits, got {} characters; \
             make it with: printf %s KEY | sha256sum",
            text.chars().count()
        )),
    }
}
