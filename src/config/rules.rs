//! `rules` and `security`: which request needs what.

use super::node::Node;
use super::settings::Mode;
use super::template::{LONGEST_PATH_BYTES, Segment};
use crate::http_syntax::is_token;

/// OpenAPI's list of Security Requirement Objects: the list is OR, each object is AND, an empty
/// object allows anonymous access, an empty list is public. Each object is sorted by scheme name,
/// because Envoy's Struct keeps no order.
pub type SecurityConfig = Vec<Vec<(String, Vec<String>)>>;

/// One entry of `rules`.
#[derive(Clone, Debug)]
pub struct RuleConfig {
    /// Which requests it is for; nothing if that had an error.
    pub matcher: Option<MatchConfig>,
    /// What they need; nothing if that had an error.
    pub security: Option<SecurityConfig>,
    /// `optional`, where the rule has its own.
    pub on_invalid: Option<OnInvalid>,
    /// `name`: what it is counted and logged under.
    pub name: Option<String>,
    /// `mode`, where the rule has its own.
    pub mode: Option<Mode>,
}

/// `optional`: what becomes of a credential that is there and bad, where a request without any
/// would pass (`{}` among the alternatives).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalid {
    /// The request is refused.
    #[default]
    Refuse,
    /// It passes as if the credential were not there, as with FastAPI's `auto_error=False`.
    Ignore,
}

impl OnInvalid {
    /// Reads `optional`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        node.enumeration(&[("refuse_invalid", Self::Refuse), ("ignore_invalid", Self::Ignore)])
    }
}

/// `match`.
#[derive(Clone, Debug)]
pub struct MatchConfig {
    /// The path condition.
    pub path: PathConfig,
    /// Methods; unset: every one.
    pub methods: Option<Vec<String>>,
    /// Hosts; unset: every one.
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

impl RuleConfig {
    /// Reads one entry of `rules`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let matcher = object.required("match", MatchConfig::read);
        let security = object.required("security", read_security);
        let on_invalid = object.optional("optional", OnInvalid::read);
        let name = object.optional("name", read_name);
        let mode = object.optional("mode", Mode::read);
        object.finish();
        Some(Self { matcher, security, on_invalid, name, mode })
    }
}

/// What requests are counted under that no rule is for, so that no rule has such a name.
pub const RESERVED_NAMES: [&str; 7] =
    ["cors_preflight", "default", "documentation", "none", "other", "token_endpoint", "unknown"];

/// A name of a rule: it stands in stats and logs, so it is short and plain.
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
    Some(prefix)
}

fn read_template(node: Node<'_>) -> Option<String> {
    let path = read_path(node)?;
    let mut names = std::collections::BTreeSet::new();
    for segment in path.split('/') {
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
        let schemes = alternative.map(|scopes| scopes.list(read_scope))?;
        // A erroneous scope is noted; the scheme's name is still to be looked up.
        let mut schemes: Vec<_> =
            schemes.into_iter().map(|(name, scopes)| (name, scopes.unwrap_or_default())).collect();
        schemes.sort();
        Some(schemes)
    })
}

/// RFC 6749 section 3.3: a scope-token is printable ASCII without space, quote and backslash.
pub fn read_scope(node: Node<'_>) -> Option<String> {
    let scope = node.string()?;
    let valid = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    if scope.is_empty() || !scope.bytes().all(valid) {
        return node.error(format_args!("{scope:?} is not a scope (RFC 6749 section 3.3)"));
    }
    Some(scope)
}
