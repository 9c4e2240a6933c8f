//! `api_keys`: directories of keys, each kept as the SHA-256 of the key.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::node::Node;
use super::rules::read_scope;

/// An API key, kept as its SHA-256.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ApiKey", deny_unknown_fields, extend("examples" = [{
        "id": "demo-app",
        "sha256": "2a570fed1461570bf2a13db7f539939da4357b393cf9395c74c4e0a313a945a5",
        "scopes": ["items:read"],
        "not_after": "2027-01-01T00:00:00Z",
    }]))
)]
pub struct ApiKeyConfig {
    /// The owner of the key; becomes the subject. Several keys may have the same owner, so that one can be
    /// replaced by the next.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub id: String,
    /// SHA-256 of the key, as 64 hexadecimal digits. `lychgate hash-key` makes it, or
    /// `printf %s KEY | sha256sum`.
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^[0-9A-Fa-f]{64}$")))]
    pub sha256: [u8; 32],
    /// What the key may do.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<super::rules::written::Scope>>"))]
    pub scopes: Vec<String>,
    /// The time from which the key is refused (RFC 3339).
    ///
    /// Here in Unix seconds.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub not_after: Option<i64>,
    /// Whether the key is switched off.
    #[cfg_attr(feature = "schema", schemars(default))]
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
    // The value is not quoted: it may be the key itself, entered by mistake.
    match crate::encoding::decode_hex32(&text) {
        Some(digest) => Some(digest),
        None => node.error(format_args!(
            "expected the SHA-256 of the key as 64 hex digits, got {} characters; \
             make it with: printf %s KEY | sha256sum",
            text.chars().count()
        )),
    }
}
