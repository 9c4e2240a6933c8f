//! `resources`: protected resources, and the metadata that leads clients to a token for them (RFC 9728).

use super::fields::non_empty;
use super::matching::read_path;
use super::node::Node;
use super::rules::read_scope;
use crate::target_uri::normalized;

/// A protected resource, and what clients are told of it (RFC 9728 section 2).
///
/// Lychgate serves it as a JSON document, to everyone, at `/.well-known/oauth-protected-resource` followed by the path of
/// `resource`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Resource", deny_unknown_fields, extend("examples" = [
        {"resource": "https://api.example.com/mcp", "authorization_servers": ["https://idp.example"]},
    ]))
)]
pub struct ResourceConfig {
    /// The identifier of the resource (RFC 8707): an absolute URI as clients know it, without query and fragment. Tokens for
    /// it must name it in `aud`, unless the scheme has `audiences`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^https?://")))]
    pub resource: String,
    /// The issuers of tokens for it. Left out: those of the schemes of the rules below `path`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub authorization_servers: Option<Vec<String>>,
    /// The scopes that clients may ask for. Left out: those of the rules below `path`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<super::rules::written::Scope>>"))]
    pub scopes_supported: Option<Vec<String>>,
    /// A name for people.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub resource_name: Option<String>,
    /// The path of the requests that it is about, with all paths below it. Left out: the path of `resource`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", regex(pattern = "^/")))]
    pub path: String,
}

impl ResourceConfig {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let resource = object.required("resource", read_resource);
        let servers = object.optional("authorization_servers", |n| non_empty(n, |n| n.list(|n| n.text())));
        let scopes_supported = object.optional("scopes_supported", |n| n.list(read_scope));
        let resource_name = object.optional("resource_name", |n| n.text());
        let has_path = object.has("path");
        let path = object.optional("path", read_path);
        object.finish();
        let resource = resource?;
        let own = path_of(&resource).to_owned();
        if has_path && path.is_none() {
            return None;
        }
        Some(Self {
            path: path.unwrap_or(own),
            resource,
            authorization_servers: servers,
            scopes_supported,
            resource_name,
        })
    }

    /// The origin of `resource`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.resource.strip_suffix(path_of(&self.resource)).unwrap_or(&self.resource)
    }

    /// The path of the document (RFC 9728 section 3.1).
    #[must_use]
    pub fn metadata_path(&self) -> String {
        let path = path_of(&self.resource);
        format!("/.well-known/oauth-protected-resource{}", if path == "/" { "" } else { path })
    }
}

/// The path of an absolute URI without query and fragment; `/` if it has none.
fn path_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}

fn read_resource(node: Node<'_>) -> Option<String> {
    let resource = node.text()?;
    let is_plain =
        resource.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'?' | b'#' | b'%'));
    if !is_plain || normalized(&resource).is_none() {
        return node.error(format_args!(
            "{resource:?} is no resource identifier: write an absolute URI such as https://api.example.com/mcp, without \
             query and fragment"
        ));
    }
    Some(resource)
}
