//! `match`: which requests a rule is for.

mod headers;

pub use headers::HeaderCondition;

use std::net::IpAddr;

use ipnet::IpNet;

use super::node::Node;
use super::openapi::import::template::without_names;
use super::template::{LONGEST_PATH_BYTES, Segment, spanning_expression};
use crate::http_syntax::is_token;
use crate::odd_path::Oddities;
use crate::setting::words;
use headers::read_headers;

#[cfg(feature = "schema")]
pub(super) mod written;

/// Which requests: one of `path`, `prefix` and `regex`, on the path without its query, percent-decoded
/// once; and `methods`, `hosts`, `client` and `headers`, as far as they are there; but not what `not` names.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Match",
        deny_unknown_fields,
        extend("oneOf" = [{"required": ["path"]}, {"required": ["prefix"]}, {"required": ["regex"]}]),
        extend("examples" = [
            {"path": "/items/{id}", "methods": ["GET"]},
            {"prefix": "/admin/", "hosts": ["api.example.com"]},
            {"regex": "/v[0-9]+/items/.*"},
            {"prefix": "/", "not": {"paths": ["/health"], "prefixes": ["/public/"]}},
            {"prefix": "/internal/", "client": ["10.0.0.0/8"], "headers": {"x-stage": {"not": "canary"}}},
            {"path": "/projects/{id}", "allow": ["encoded_slash"]},
        ]),
    )
)]
pub struct MatchConfig {
    /// The path condition.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::PathCondition"))]
    pub path: PathConfig,
    /// Methods, in upper case. Left out: every one. GET covers HEAD, unless
    /// a rule for the same path names HEAD. A request whose method is in lower case is refused if the rule for the
    /// upper case is another one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(regex(pattern = "^[^a-z]+$"))))]
    pub methods: Option<Vec<String>>,
    /// Hosts without port; `*.example.com` is every host below it. Left out: every one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub hosts: Option<Vec<String>>,
    /// What the rule is not for.
    #[cfg_attr(feature = "schema", schemars(rename = "not"))]
    pub except: Option<ExceptConfig>,
    /// Networks (CIDR) of which one must have the client's address, as Envoy trusts it. Left out: every client. A
    /// request that such a rule is for in all else is refused if its client has no IP address (a Unix socket).
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", length(min = 1), inner(length(min = 1)))
    )]
    pub client: Option<Vec<IpNet>>,
    /// Conditions on request headers; all of them must hold. If several lines of one name have different values,
    /// and the condition holds for some of them only, or for all of them joined by `, ` only, the request is refused with 400.
    /// A line with a comma is one value; so are several lines of a header that Envoy itself joins, such as `accept` and `user-agent`.
    /// Space around a value is no part of it. A client can send any header: let none but a header that the proxy in front sets make less of what is needed.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<std::collections::BTreeMap<String, written::HeaderCondition>>", extend("minProperties" = 1))
    )]
    pub headers: Vec<(String, HeaderCondition)>,
    /// What the path may have though there are two readings of it. The rule is matched on the raw segments, an encoded
    /// slash separates nothing, and the path is forwarded as it came. A rule that does not name what the path has is not
    /// for it. The request is refused with 400 if another reading of its path is for a rule before this one that asks for
    /// something and is enforced, so put this rule first. What `not` names is left out by every reading. Left out: none,
    /// and such a path is refused with 400.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Allowance>>", length(min = 1)))]
    pub allow: Oddities,
}

/// What a rule is not for: a request that one of these is for.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Except", deny_unknown_fields, extend("minProperties" = 1), extend("examples" = [
        {"paths": ["/health"], "methods": ["OPTIONS"]},
    ]))
)]
pub struct ExceptConfig {
    /// Path templates, as in `path`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", length(min = 1), inner(regex(pattern = "^/")))
    )]
    pub paths: Vec<PathConfig>,
    /// Prefixes, as in `prefix`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", length(min = 1), inner(regex(pattern = "^/[^{}]*$")))
    )]
    pub prefixes: Vec<PathConfig>,
    /// Methods, in upper case.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", length(min = 1), inner(regex(pattern = "^[^a-z]+$")))
    )]
    pub methods: Vec<String>,
    /// Hosts, as in `hosts`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", length(min = 1), inner(length(min = 1)))
    )]
    pub hosts: Vec<String>,
}

words! {
    /// What a path may have though there are two readings of it.
    enum Allowance {
        /// `%2F` within a segment.
        EncodedSlash = "encoded_slash",
        /// `%25` within a segment, if what follows is not an encoding again.
        EncodedPercent = "encoded_percent",
        /// `;` within a segment.
        Semicolon = "semicolon",
        /// A segment without text: `//`.
        EmptySegment = "empty_segment",
    }
}

/// The path condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathConfig {
    /// `path`: an OpenAPI path template.
    Template(String),
    /// `prefix`: whole segments.
    Prefix(String),
    /// `prefix` with `*` at its end: all that begins with the text before it.
    Beginning(String),
    /// `regex`: anchored at both ends.
    Regex(String),
}

impl PathConfig {
    /// What tells it apart from others, as a text: not what its parameters are called, nor a slash at the end of a prefix.
    #[must_use]
    pub fn key(&self) -> String {
        let (kind, text) = match self {
            Self::Template(path) => match spanning_expression(path) {
                Some(expression) => ("regex", expression),
                None => ("path", without_names(path)),
            },
            Self::Prefix(prefix) => ("prefix", prefix.trim_end_matches('/').to_owned()),
            Self::Beginning(text) => ("beginning", text.clone()),
            Self::Regex(regex) => ("regex", regex.clone()),
        };
        format!("{kind} {text}")
    }
}

impl MatchConfig {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let path = match object.one_of(&["path", "prefix", "regex"]) {
            Some("path") => object.optional("path", read_template).map(PathConfig::Template),
            Some("prefix") => object.optional("prefix", read_prefix),
            Some(_) => object.optional("regex", |n| n.text()).map(PathConfig::Regex),
            None => None,
        };
        let methods = object.optional("methods", |n| some(n, read_method));
        let hosts = object.optional("hosts", |n| some(n, read_host));
        let except = object.optional("not", ExceptConfig::read);
        let client = object.optional("client", |n| some(n, read_network));
        let headers = object.optional("headers", read_headers).unwrap_or_default();
        let allow = object.optional("allow", |n| some(n, |n| n.enumeration(Allowance::WORDS)));
        object.finish();
        Some(Self {
            path: path?,
            methods,
            hosts,
            except,
            client,
            headers,
            allow: oddities(&allow.unwrap_or_default()),
        })
    }

    /// Whether requests of some path, method and host may be left out all the same.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        self.except.is_some() || self.client.is_some() || !self.headers.is_empty()
    }
}

impl ExceptConfig {
    fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let paths = object.optional("paths", |n| {
            some(n, |n| {
                let path = read_template(n)?;
                // As a regular expression it would be compiled for each request.
                match spanning_expression(&path) {
                    Some(_) => n.error("several segments are at the end of an exception only"),
                    None => Some(PathConfig::Template(path)),
                }
            })
        });
        let prefixes = object.optional("prefixes", |n| some(n, read_prefix));
        let methods = object.optional("methods", |n| some(n, read_method));
        let hosts = object.optional("hosts", |n| some(n, read_host));
        if ["paths", "prefixes", "methods", "hosts"].iter().all(|key| !object.has(key)) {
            node.error::<()>("excepts nothing; name `paths`, `prefixes`, `methods` or `hosts`");
        }
        object.finish();
        Some(Self {
            paths: paths.unwrap_or_default(),
            prefixes: prefixes.unwrap_or_default(),
            methods: methods.unwrap_or_default(),
            hosts: hosts.unwrap_or_default(),
        })
    }
}

fn oddities(allowed: &[Allowance]) -> Oddities {
    allowed.iter().fold(Oddities::NONE, |all, allowance| {
        all | match allowance {
            Allowance::EncodedSlash => Oddities::ENCODED_SLASH,
            Allowance::EncodedPercent => Oddities::ENCODED_PERCENT,
            Allowance::Semicolon => Oddities::SEMICOLON,
            Allowance::EmptySegment => Oddities::EMPTY_SEGMENT,
        }
    })
}

/// A list that has something in it.
pub(super) fn some<T>(node: Node<'_>, read: impl Fn(Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    let list = node.list(read)?;
    if list.is_empty() && node.value.as_array().is_some_and(Vec::is_empty) {
        return node.error("would match nothing; leave it out to match all");
    }
    Some(list)
}

fn read_network(node: Node<'_>) -> Option<IpNet> {
    let text = node.string()?;
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>().ok(),
    };
    match network {
        Some(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => {
            node.error(format_args!("{text:?} is of IPv4; write it so"))
        }
        Some(network) if network == network.trunc() => Some(network),
        Some(network) => {
            node.error(format_args!("{text:?} names a client and a network; write `{}`", network.trunc()))
        }
        None => node.error(format_args!("{text:?} is not an IP address or a network such as `10.0.0.0/8`")),
    }
}

/// A path that a request in normal form can have.
pub fn read_path(node: Node<'_>) -> Option<String> {
    let path = node.string()?;
    if !path.starts_with('/') {
        return node.error(format_args!("{path:?} must begin with `/`"));
    }
    if path.len() > LONGEST_PATH_BYTES {
        return node.error(format_args!("can never match: a path has at most {LONGEST_PATH_BYTES} bytes"));
    }
    let ambiguous = |segment: &str| matches!(segment, "." | "..");
    if path.contains("//") || path.split('/').any(ambiguous) || path.contains(['%', '?', '#', ';', '\\']) {
        return node.error(format_args!(
            "{path:?} can never match: write it percent-decoded, without query, empty segments or dots"
        ));
    }
    Some(path)
}

fn read_prefix(node: Node<'_>) -> Option<PathConfig> {
    let prefix = read_path(node)?;
    if prefix.contains(['{', '}']) {
        return node.error("a prefix has no template segments; use `path`, or `regex`");
    }
    let (text, is_whole) = match prefix.strip_suffix('*') {
        Some(text) => (text, false),
        None => (prefix.as_str(), true),
    };
    if text.contains('*') {
        return node.error("`*` is at the end of a prefix only; use `path`, or `regex`");
    }
    Some(if is_whole { PathConfig::Prefix(prefix) } else { PathConfig::Beginning(text.to_owned()) })
}

fn read_template(node: Node<'_>) -> Option<String> {
    let path = read_path(node)?;
    let mut names = std::collections::BTreeSet::new();
    for segment in path.split('/') {
        if parameters(segment).any(|name| name.trim_end_matches(":path").contains([':', '*', '+'])) {
            return node.error(format_args!(
                "{segment:?} is not a template segment: `{{name:path}}` is several segments, `{{name}}` is one or a part \
                 of it"
            ));
        }
        if segment.contains('*') {
            return node.error(
                "`*` is no wildcard in a path: it would match itself alone; `{name}` is one segment, `{name:path}` is \
                 several",
            );
        }
        if Segment::parse(segment).is_none() {
            return node.error(format_args!(
                "{segment:?} is not a template segment: `{{name}}` matches one segment or a part of it"
            ));
        }
        for name in parameters(segment) {
            let name = name.trim_end_matches(":path");
            if !names.insert(name) {
                return node.error(format_args!("two parameters are named `{name}`"));
            }
        }
    }
    Some(path)
}

/// The names of the parameters of a template, in order.
pub fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn read_method(node: Node<'_>) -> Option<String> {
    let method = node.string()?;
    if method == "*" {
        return node.error("`*` is no method; leave `methods` out to match every one");
    }
    if !is_token(&method) || method.bytes().any(|b| b.is_ascii_lowercase()) {
        return node.error(format_args!("{method:?} is not a method: write it in upper case, such as GET"));
    }
    Some(method)
}

fn read_host(node: Node<'_>) -> Option<String> {
    let host = node.string()?.to_ascii_lowercase();
    // A rooted name is the same host; requests lose the dot as well.
    let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
    let name = host.strip_prefix("*.").unwrap_or(&host);
    let is_ipv6 = name.starts_with('[') && name.ends_with(']');
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if name.is_empty() || name.starts_with('.') || !(is_ipv6 || name.bytes().all(plain)) {
        return node.error(format_args!(
            "{host:?} is not a host: write a name without scheme and port, or `*.` and a name; an IPv6 address stands in brackets"
        ));
    }
    Some(host)
}
