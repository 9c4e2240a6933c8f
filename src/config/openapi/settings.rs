//! The options for a document, and for the page of Swagger UI.

use crate::config::matching::{parameters, read_path};
use crate::config::node::Node;
use crate::config::rules::read_scope;
use crate::setting::words;

words! {
    /// The requirement for a path that differs from an operation's by a slash at its end or the case of its letters.
    pub enum Neighbours {
        /// What the operation needs, in case the application takes one for the other.
        Same = "same",
        /// What a request needs that no rule matches.
        Default = "default",
    }
}

/// What Swagger UI fills in where a user logs in by OAuth 2.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, extend("examples" = [{"client_id": "docs", "scopes": ["items:read"]}]))
)]
pub struct DocsOAuth {
    /// The client under which the issuer knows the page. It is public: the page has no secret.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub client_id: String,
    /// The scopes that are chosen at first.
    #[cfg_attr(feature = "schema", schemars(default, with = "Vec<crate::config::rules::written::Scope>"))]
    pub scopes: Vec<String>,
    /// Whether the authorization code flow has a proof key (RFC 7636).
    #[cfg_attr(feature = "schema", schemars(extend("default" = true), with = "Option<bool>"))]
    pub pkce: bool,
}

impl DocsOAuth {
    /// Reads `docs_oauth`.
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let client_id = object.required("client_id", |n| n.text());
        let scopes = object.optional("scopes", |n| n.list(read_scope)).unwrap_or_default();
        let pkce = object.optional("pkce", |n| n.bool()).unwrap_or(true);
        object.finish();
        Some(Self { client_id: client_id?, scopes, pkce })
    }
}

/// Operations that need all of their alternatives together.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"all": ["read_admin", "reports"]}]))]
#[expect(dead_code, reason = "a schema is derived from it")]
pub struct Combine {
    /// The `operationId` of an operation, or a tag of several.
    #[schemars(inner(length(min = 1)))]
    all: Vec<String>,
}

/// Reads `combine`.
pub fn read_combine(node: Node<'_>) -> Option<Vec<String>> {
    let object = node.object()?;
    let all = object.required("all", |n| n.list(|n| n.text()));
    object.finish();
    all
}

/// Reads an entry of `multi_segment`.
pub fn read_multi_segment(node: Node<'_>) -> Option<String> {
    let path = read_path(node)?;
    if parameters(&path).next().is_none() {
        return node.error(format_args!(
            "{path:?} has no parameter; give a path of the document such as /files/{{path}}"
        ));
    }
    Some(path)
}

/// Notes that an entry matches nothing in the document.
pub fn say_unused(node: Node<'_>, key: &str, number: usize) {
    let path = node.path.key(key);
    let (path, message) = match key {
        "combine" => (path.key("all"), "no operation of the document has this `operationId` or tag"),
        _ => (path, "the document has no operation of this path"),
    };
    let _: Option<()> = Node { path: &path.index(number), ..node }.error(message);
}
