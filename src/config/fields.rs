//! Values that several sections of a configuration are made of: lists, names, algorithms, secrets.

use serde_json::Value;
use zeroize::Zeroizing;

use super::node::Node;
use crate::http_syntax::is_token;
use crate::keys::Algorithm;
use crate::secret::Secret;

/// Where a secret is read from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Written in the configuration.
    Inline(Secret),
    /// `{env: NAME}`: an environment variable of the plugin.
    Env(String),
}

/// A list that is not empty.
pub fn non_empty<T>(node: Node<'_>, read: impl FnOnce(Node<'_>) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let list = read(node)?;
    if list.is_empty() {
        return node.error("must not be empty; leave the key out to get its default");
    }
    Some(list)
}

/// An algorithm by its name.
pub fn read_algorithm(node: Node<'_>) -> Option<Algorithm> {
    let name = node.string()?;
    match Algorithm::from_name(&name) {
        Some(algorithm) => Some(algorithm),
        None if name.eq_ignore_ascii_case("none") => node.error("`none` is never accepted"),
        None => {
            // Longer than any name it may be a secret in the wrong place.
            let name = if name.len() <= 16 { format!("{name:?}") } else { "of that name".into() };
            node.error(format_args!(
                "unknown algorithm {name}; known: {}",
                Algorithm::ALL.map(Algorithm::name).join(", ")
            ))
        }
    }
}

/// A header name, in lower case as Envoy keeps them.
pub fn read_header_name(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    if is_token(&name) {
        Some(name.to_ascii_lowercase())
    } else {
        node.error(format_args!("{name:?} is not a header name"))
    }
}

/// Headers by which HTTP itself works. One of these neither carries a credential nor can be taken away or set.
const OF_HTTP: [&str; 12] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The name of a header that the filter sets: one with a meaning of its own would lose it.
pub fn read_own_header_name(node: Node<'_>) -> Option<String> {
    let name = read_header_name(node)?;
    if OF_HTTP.contains(&name.as_str())
        || matches!(name.as_str(), "authorization" | "cookie" | "dpop" | "proxy-authorization")
    {
        return node.error(format_args!("`{name}` has a meaning of its own; take another header"));
    }
    Some(name)
}

/// The name of a header that holds a credential, in lower case.
pub fn read_credential_header(node: Node<'_>) -> Option<String> {
    let name = read_header_name(node)?;
    if name == "cookie" {
        return node.error("a cookie is named by itself: `in: cookie`, or `{cookie: NAME}`");
    }
    if OF_HTTP.contains(&name.as_str()) {
        return node.error(format_args!("`{name}` has a meaning of its own in HTTP; no credential is there"));
    }
    Some(name)
}

/// The name of a header that a fetch is made with, in lower case: not one that the filter writes itself.
pub fn read_fetch_header(node: Node<'_>, name: &str) -> Option<String> {
    if !is_token(name) {
        return node.error(format_args!("{name:?} is not a header name"));
    }
    let name = name.to_ascii_lowercase();
    if OF_HTTP.contains(&name.as_str())
        || ["accept", "accept-encoding", "if-none-match"].contains(&name.as_str())
    {
        return node.error(format_args!("`{name}` is written by the filter itself"));
    }
    Some(name)
}

/// The name of a cookie.
pub fn read_cookie_name(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    if is_token(&name) { Some(name) } else { node.error(format_args!("{name:?} is not a cookie name")) }
}

/// A string, `{env: NAME}` or `{base64: ...}`.
pub fn read_secret(node: Node<'_>) -> Option<SecretSource> {
    match node.value {
        Value::String(text) => Some(SecretSource::Inline(Secret::new(text.clone().into_bytes()))),
        Value::Object(_) => {
            let object = node.object()?;
            if object.one_of(&["env", "base64"])? == "env" {
                return read_env(node);
            }
            let bytes = object.optional("base64", |n| {
                let text = Zeroizing::new(n.string()?);
                match crate::encoding::decode_any_base64(text.trim()) {
                    Some(bytes) => Some(bytes),
                    None => n.error("not base64 (RFC 4648)"),
                }
            });
            object.finish();
            bytes.map(|bytes| SecretSource::Inline(Secret::new(bytes)))
        }
        _ => node.error("expected a string, {env: NAME} or {base64: ...}"),
    }
}

/// The secret of an OAuth2 client. An empty one is a mistake: a client without a secret has no such key.
pub fn read_client_secret(node: Node<'_>) -> Option<SecretSource> {
    match read_secret(node)? {
        SecretSource::Inline(secret) if secret.expose().is_empty() => {
            node.error("the secret is empty; leave it out for a client without one")
        }
        secret => Some(secret),
    }
}

/// `{env: NAME}`.
pub fn read_env(node: Node<'_>) -> Option<SecretSource> {
    let object = node.object()?;
    let name = object.required("env", |n| n.text());
    object.finish();
    name.map(SecretSource::Env)
}

/// The same as written.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use crate::keys::Algorithm;

    /// A secret: its text, `{env: NAME}` for an environment variable that the plugin is given
    /// (`vm_config.environment_variables`), or `{base64: ...}` for its bytes.
    #[derive(JsonSchema)]
    #[schemars(untagged, extend("examples" = [{"env": "LYCHGATE_SECRET"}]))]
    pub enum Secret {
        Text(String),
        Env(Env),
        Base64(Base64),
    }

    /// From an environment variable.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct Env {
        /// The name of the variable. Envoy must be told that the plugin may read it.
        #[schemars(length(min = 1))]
        env: String,
    }

    /// Bytes.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct Base64 {
        /// RFC 4648 section 4 or 5, padded or not.
        base64: String,
    }

    impl JsonSchema for Algorithm {
        fn schema_name() -> Cow<'static, str> {
            "Algorithm".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "description": "A signature algorithm (RFC 7518 section 3.1, RFC 8037, RFC 8812; ML-DSA of \
                    FIPS 204). `none` is never accepted.",
                "type": "string",
                "enum": Self::ALL.map(Self::name),
            })
        }
    }
}
