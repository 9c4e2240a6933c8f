//! `rules` and `security`: which request needs what.

use super::matching::MatchConfig;
use super::need::NeedConfig;
use super::node::Node;
use super::settings::Mode;
use crate::http_syntax::is_scope_token;
use crate::setting::words;
use crate::sort::insertion_sort;

/// OpenAPI's list of Security Requirement Objects: the list is OR, each object is AND, an empty
/// object allows anonymous access, an empty list is public. Each object is sorted by scheme name,
/// because Envoy's Struct keeps no order.
pub type SecurityConfig = Vec<Vec<(String, NeedConfig)>>;

/// What the requests of a rule need.
#[derive(Clone, Debug)]
pub enum RuleSecurity {
    /// One of these.
    Required(SecurityConfig),
    /// They are refused, whatever they have.
    Denied,
}

impl RuleSecurity {
    /// What is needed; `None`: it is refused.
    #[must_use]
    pub fn required(&self) -> Option<&SecurityConfig> {
        match self {
            Self::Required(security) => Some(security),
            Self::Denied => None,
        }
    }

    /// The same; `None` is what is refused where there is no top-level `security`.
    #[must_use]
    pub fn into_required(self) -> Option<SecurityConfig> {
        match self {
            Self::Required(security) => Some(security),
            Self::Denied => None,
        }
    }

    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        match node.value.as_str() {
            Some("denied") => Some(Self::Denied),
            Some(_) => node.error("expected a list of what is needed, or `denied`"),
            None => read_security(node).map(Self::Required),
        }
    }
}

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
    /// What they need; `denied`: they are refused to everyone with 403.
    ///
    /// `None` if that had an error.
    #[cfg_attr(feature = "schema", schemars(with = "written::RuleSecurity"))]
    pub security: Option<RuleSecurity>,
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

impl RuleConfig {
    /// Reads one entry of `rules`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let matcher = object.required("match", MatchConfig::read);
        let security = object.required("security", RuleSecurity::read);
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

/// Reads a list of Security Requirement Objects.
pub fn read_security(node: Node<'_>) -> Option<SecurityConfig> {
    read_alternatives(node, NeedConfig::read)
}

/// The same in an OpenAPI document, where scopes are all that can be asked for.
pub fn read_document_security(node: Node<'_>) -> Option<SecurityConfig> {
    read_alternatives(node, NeedConfig::read_scopes)
}

fn read_alternatives(node: Node<'_>, read: fn(Node<'_>) -> Option<NeedConfig>) -> Option<SecurityConfig> {
    node.list(|alternative| {
        let schemes = alternative.map(read)?;
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

    /// What the requests of a rule need, or `denied`.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    pub enum RuleSecurity {
        /// One of these.
        Required(Requirements),
        /// They are refused to everyone.
        Denied(Denied),
    }

    /// `denied`.
    #[derive(JsonSchema)]
    #[schemars(inline, rename_all = "snake_case")]
    pub enum Denied {
        /// Every request is refused with 403.
        Denied,
    }
}
