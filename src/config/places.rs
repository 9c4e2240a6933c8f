//! `from`: where a credential may stand.

use super::fields::{non_empty, read_cookie_name, read_credential_header};
use super::node::Node;
use crate::credential::CredentialLocation;
use crate::http_syntax::is_token;

/// Reads a list of places. `scheme` is what stands before the credential in `Authorization`, if nothing else is said.
pub fn read_locations(node: Node<'_>, scheme: &str) -> Option<Vec<CredentialLocation>> {
    let locations = non_empty(node, |n| n.list(|n| read_location(n, scheme)))?;
    for (index, location) in locations.iter().enumerate() {
        if locations.iter().take(index).any(|earlier| earlier == location) {
            return node.error("one place is named twice");
        }
    }
    Some(locations)
}

fn read_location(node: Node<'_>, scheme: &str) -> Option<CredentialLocation> {
    let object = node.object()?;
    let location = match object.one_of(&["header", "query", "cookie", "subprotocol"]) {
        Some("header") => {
            let name = object.optional("header", read_credential_header);
            let prefix = object.optional("prefix", read_prefix);
            name.map(|name| {
                let default = if name == "authorization" { scheme } else { "" };
                CredentialLocation::Header {
                    prefix: prefix.unwrap_or_else(|| default.into()),
                    name: name.into(),
                }
            })
        }
        Some("query") => object.optional("query", |n| n.text()).map(CredentialLocation::Query),
        Some("cookie") => object.optional("cookie", read_cookie_name).map(CredentialLocation::Cookie),
        Some(_) => object.optional("subprotocol", |n| {
            let name = n.text()?;
            if !is_token(&name) {
                return n.error(format_args!("{name:?} is not the name of a subprotocol (RFC 9110 token)"));
            }
            Some(CredentialLocation::Subprotocol(name))
        }),
        None => None,
    };
    object.finish();
    location
}

/// A token by `DPoP` would be read as one without a proof, and one without a key would be accepted by it.
fn read_prefix(node: Node<'_>) -> Option<String> {
    let prefix = node.string()?;
    if prefix.trim_ascii().eq_ignore_ascii_case("dpop") {
        return node.error(
            "`DPoP` is a scheme of its own (RFC 9449): a token by it is read where one by `Bearer ` is; leave this place out",
        );
    }
    Some(prefix)
}

/// The two places of a list that read one value, if there are any: each would find a credential in it, and not the same one.
pub fn overlapping(locations: &[CredentialLocation], may_follow: bool) -> Option<(usize, usize)> {
    let header = |location: &CredentialLocation| match location {
        CredentialLocation::Header { name, prefix } => {
            Some((name.clone(), prefix.trim_ascii_end().to_ascii_lowercase()))
        }
        CredentialLocation::Query(_) | CredentialLocation::Cookie(_) | CredentialLocation::Subprotocol(_) => {
            None
        }
    };
    for (index, later) in locations.iter().enumerate() {
        let Some((name, prefix)) = header(later) else { continue };
        for (place, earlier) in locations.iter().take(index).enumerate() {
            let Some((own, before)) = header(earlier) else { continue };
            // Where the first place counts, a shorter prefix may follow a longer one.
            let is_one = prefix.starts_with(&before) || (!may_follow && before.starts_with(&prefix));
            if own == name && is_one {
                return Some((place, index));
            }
        }
    }
    None
}

/// The same as written.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;

    /// Where a credential may be.
    #[derive(JsonSchema)]
    #[schemars(
        deny_unknown_fields,
        extend("oneOf" = [
            {"required": ["header"]}, {"required": ["query"]}, {"required": ["cookie"]}, {"required": ["subprotocol"]},
        ]),
        extend("dependentRequired" = {"prefix": ["header"]}),
        extend("examples" = [
            {"header": "Authorization", "prefix": "Bearer "}, {"header": "X-Token"}, {"query": "access_token"},
            {"cookie": "session"}, {"subprotocol": "bearer"},
        ]),
    )]
    pub struct CredentialPlace {
        /// A request header.
        #[schemars(length(min = 1))]
        header: Option<String>,
        /// With `header`: the text before the credential, in any case. Left out: for `Authorization` `Bearer ` before a
        /// token and `Basic ` before a username and password, otherwise the empty text.
        prefix: Option<String>,
        /// A parameter of the query string.
        #[schemars(length(min = 1))]
        query: Option<String>,
        /// A cookie.
        #[schemars(length(min = 1))]
        cookie: Option<String>,
        /// A subprotocol of a WebSocket (`Sec-WebSocket-Protocol: bearer, TOKEN, graphql-ws`): the credential is behind this
        /// name. Both are removed from the list. `bearer` also reads the form of Kubernetes,
        /// `base64url.bearer.authorization.k8s.io.TOKEN`. A page must offer another subprotocol, which the service takes: of a
        /// list with nothing else in it nothing is left, the service names no subprotocol, and the browser closes the
        /// connection.
        #[schemars(length(min = 1))]
        subprotocol: Option<String>,
    }
}
