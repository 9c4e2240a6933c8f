//! `rules` and `security`: which request needs what.

use super::need::NeedConfig;
use super::node::Node;
use super::settings::Mode;
use super::template::{LONGEST_PATH_BYTES, Segment};
use crate::http_syntax::{is_scope_token, is_token};
use crate::setting::words;
use crate::sort::insertion_sort;

/// OpenAPI's list of Security Requirement Objects: the list is OR, each object is AND, an empty
/// object allows anonymous access, an empty list is public. Each object is sorted by scheme name,
/// because Envoy's Struct keeps no order.
pub type SecurityConfig = Vec<Vec<(String, NeedConfig)>>;

/// Which requests, and what they need.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Rule", deny_unknown_fields, extend("examples" = [
        {"match": {"path": "/items/{id}", "methods": ["GET"]}, "security": [{"oauth2": ["items:read"]}]},
        {"name": "health", "match": {"path": "/health"}, "security": []},
    ]))
)]
pub struct RuleConfig {
    /// Which requests the rule is for.
    ///
    /// `None` if that had an error.
    #[cfg_attr(feature = "schema", schemars(rename = "match", with = "MatchConfig"))]
    pub matcher: Option<MatchConfig>,
    /// What they need.
    ///
    /// `None` if that had an error.
    #[cfg_attr(feature = "schema", schemars(with = "written::Requirements"))]
    pub security: Option<SecurityConfig>,
    /// The top-level `optional`, for this rule.
    #[cfg_attr(feature = "schema", schemars(rename = "optional"))]
    pub on_invalid: Option<OnInvalid>,
    /// The name under which the rule is counted and logged. Left out: what it matches.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[A-Za-z0-9_./-]{1,64}$"), extend("not" = {"enum": RESERVED_NAMES}))
    )]
    pub name: Option<String>,
    /// The top-level `mode`, for this rule.
    pub mode: Option<Mode>,
}

words! {
    /// What becomes of a credential that is there and invalid, where a request without a credential would pass.
    ///
    /// That is where `{}` is among the alternatives.
    #[derive(Default)]
    pub enum OnInvalid {
        /// The request is refused.
        #[default]
        Refuse = "refuse_invalid",
        /// It passes as if the credential were not there, as with FastAPI's `auto_error=False`. So it does if the
        /// credential cannot be checked now, because keys cannot be fetched or an issuer does not answer.
        Ignore = "ignore_invalid",
    }
}

/// Which requests: one of `path`, `prefix` and `regex`, on the path without its query, percent-decoded
/// once; and `methods`, and `hosts`.
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
}

/// The path condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathConfig {
    /// `path`: an OpenAPI path template.
    Template(String),
    /// `prefix`: whole segments.
    Prefix(String),
    /// `regex`: anchored at both ends.
    Regex(String),
}

/// A path condition as it is compared with others: the same for all the ways to write it.
#[derive(Debug, PartialEq, Eq)]
pub enum PathKey {
    /// By segments, without the names of parameters.
    Template(Vec<Segment>),
    /// Without a slash at its end.
    Prefix(String),
    /// As it is written.
    Regex(String),
}

impl PathConfig {
    /// What tells it apart from others: not what its parameters are called, nor a slash at the end of a prefix.
    #[must_use]
    pub fn key(&self) -> PathKey {
        let segment = |text: &str| Segment::parse(text).unwrap_or_else(|| Segment::Literal(text.to_owned()));
        match self {
            Self::Template(path) => PathKey::Template(path.split('/').map(segment).collect()),
            Self::Prefix(prefix) => PathKey::Prefix(prefix.trim_end_matches('/').to_owned()),
            Self::Regex(regex) => PathKey::Regex(regex.clone()),
        }
    }
}

impl RuleConfig {
    /// Reads one entry of `rules`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let matcher = object.required("match", MatchConfig::read);
        let security = object.required("security", read_security);
        let on_invalid = object.optional("optional", |n| n.enumeration(OnInvalid::WORDS));
        let name = object.optional("name", read_name);
        let mode = object.optional("mode", |n| n.enumeration(Mode::WORDS));
        object.finish();
        Some(Self { matcher, security, on_invalid, name, mode })
    }
}

/// What requests are counted under that no rule is for, so that no rule has such a name.
pub const RESERVED_NAMES: [&str; 7] =
    ["cors_preflight", "default", "documentation", "none", "other", "token_endpoint", "unknown"];

/// A name of a rule: it is in stats and logs, so it is short and plain.
fn read_name(node: Node<'_>) -> Option<String> {
    let name = node.text()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    if name.len() > 64 || !name.bytes().all(is_plain) {
        return node.error("a name has at most 64 letters, digits and signs of `_-./`");
    }
    if RESERVED_NAMES.contains(&name.as_str()) {
        return node.error(format_args!(
            "`{name}` is what requests are counted under that no rule is for; choose another name"
        ));
    }
    Some(name)
}

impl MatchConfig {
    fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let path = match object.one_of(&["path", "prefix", "regex"]) {
            Some("path") => object.optional("path", read_template).map(PathConfig::Template),
            Some("prefix") => object.optional("prefix", read_prefix).map(PathConfig::Prefix),
            Some(_) => object.optional("regex", |n| n.text()).map(PathConfig::Regex),
            None => None,
        };
        let methods = object.optional("methods", |n| n.list(read_method));
        let hosts = object.optional("hosts", |n| n.list(read_host));
        for (key, empty) in [
            ("methods", methods.as_ref().is_some_and(Vec::is_empty)),
            ("hosts", hosts.as_ref().is_some_and(Vec::is_empty)),
        ] {
            if empty {
                object.optional(key, |n| n.error::<()>("would match nothing; leave it out to match all"));
            }
        }
        object.finish();
        Some(Self { path: path?, methods, hosts })
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

fn read_prefix(node: Node<'_>) -> Option<String> {
    let prefix = read_path(node)?;
    if prefix.contains(['{', '}']) {
        return node.error("a prefix has no template segments; use `path`, or `regex`");
    }
    if prefix.contains('*') {
        return node.error(format_args!("{NO_WILDCARD}; a prefix has all below it without one"));
    }
    Some(prefix)
}

/// What `*` is not: in other gateways it is.
const NO_WILDCARD: &str = "`*` is no wildcard: it would match itself alone";

fn read_template(node: Node<'_>) -> Option<String> {
    let path = read_path(node)?;
    let mut names = std::collections::BTreeSet::new();
    for segment in path.split('/') {
        if parameters(segment).any(|name| name.contains([':', '*', '+'])) {
            return node.error(format_args!(
                "{segment:?}: a parameter stands for one segment or a part of it; for all that is below, use `prefix`"
            ));
        }
        if segment.contains('*') {
            return node.error(format_args!(
                "{NO_WILDCARD}; `{{name}}` is one segment, and `prefix` has all below it"
            ));
        }
        if Segment::parse(segment).is_none() {
            return node.error(format_args!(
                "{segment:?} is not a template segment: `{{name}}` stands for one segment or a part of it"
            ));
        }
        for name in parameters(segment) {
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
            "{host:?} is not a host: write a name without scheme and port, or `*.` and a name"
        ));
    }
    Some(host)
}

/// Reads a list of Security Requirement Objects.
pub fn read_security(node: Node<'_>) -> Option<SecurityConfig> {
    node.list(|alternative| {
        let schemes = alternative.map(NeedConfig::read)?;
        // A erroneous scope is noted; the scheme's name is still to be looked up.
        let mut schemes: Vec<_> =
            schemes.into_iter().map(|(name, need)| (name, need.unwrap_or_default())).collect();
        insertion_sort(&mut schemes, |left, right| left.0 < right.0);
        Some(schemes)
    })
}

/// RFC 6749 section 3.3: a scope-token is printable ASCII without space, quote and backslash.
pub fn read_scope(node: Node<'_>) -> Option<String> {
    let scope = node.string()?;
    if !is_scope_token(&scope) {
        return node.error(format_args!("{scope:?} is not a scope (RFC 6749 section 3.3)"));
    }
    Some(scope)
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;

    use super::super::need::written::Need;

    /// A scope-token (RFC 6749 section 3.3): printable ASCII without space, quote and backslash.
    #[derive(JsonSchema)]
    pub struct Scope(#[schemars(regex(pattern = "^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$"))] String);

    /// OpenAPI's list of Security Requirement Objects. The list is OR, each object is AND: scheme to the
    /// scopes that are needed, all of them, or to an object with conditions on the token. An empty object allows requests without a credential; an empty list
    /// is public.
    #[derive(JsonSchema)]
    #[schemars(extend("examples" = [
        [{"oauth2": ["items:read"]}, {"partner_key": ["items:read"]}],
        [{"oauth2": ["admin"], "partner_key": []}],
        [],
    ]))]
    pub struct Requirements(Vec<BTreeMap<String, Need>>);

    /// `PathConfig`.
    #[derive(JsonSchema)]
    pub struct PathCondition {
        /// An OpenAPI path template: `{name}` is one segment, or a part of one that is not empty:
        /// `/reports/{name}.csv`.
        #[schemars(regex(pattern = "^/"))]
        path: Option<String>,
        /// Whole segments: `/admin/` and `/admin` match `/admin` and all paths below it, not
        /// `/administrator`.
        #[schemars(regex(pattern = "^/[^{}]*$"))]
        prefix: Option<String>,
        /// A regular expression, anchored at both ends (syntax of the Rust crate `regex-lite`). All of them become
        /// one automaton; an expression that makes it too large is refused.
        #[schemars(length(min = 1))]
        regex: Option<String>,
    }
}
