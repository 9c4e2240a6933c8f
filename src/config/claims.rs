//! What is said of claims: references, conditions, roles, and headers that are made of them.

use serde_json::Value;

use super::fields::{non_empty, read_own_header_name};
use super::node::Node;
use super::rules::read_scope;
use crate::claim::{ClaimCondition, ClaimReference, Condition, Scalar};
use crate::setting::words;

/// The names under which the filter sets dynamic metadata of its own.
pub const METADATA_NAMES: [&str; 3] = ["subject", "scheme", "scopes"];

/// 2^53: a whole number beyond it is not the same in every JSON reader.
const LAST_EXACT: f64 = 9_007_199_254_740_992.0;

words! {
    /// Which of several claims counts.
    #[derive(Default)]
    pub enum ScopeMode {
        /// The first one that is present.
        #[default]
        First = "first",
        /// All that are present, together.
        All = "all",
    }
}

words! {
    /// What is done with a claim that cannot be a header value.
    #[derive(Default)]
    pub enum OnInvalidHeader {
        /// The token is refused.
        #[default]
        Refuse = "refuse",
        /// The header is not sent.
        Omit = "omit",
        /// The value is sent percent-encoded (RFC 3986 section 2.1): all but letters, digits and `-._~`. A valid value
        /// with a percent sign is encoded too, so that decoding gives the claim in every case.
        PercentEncode = "percent_encode",
    }
}

/// A header that is made of a claim.
#[derive(Clone, Debug)]
pub struct ClaimHeaderConfig {
    /// The claim.
    pub claim: ClaimReference,
    /// The header, in lower case.
    pub header: String,
    /// What becomes of a value that cannot be one of a header.
    pub on_invalid: OnInvalidHeader,
}

/// Names of roles or groups in a token, and the scopes that each of them grants.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, extend("examples" = [{
        "claims": ["realm_access.roles", "groups"], "grants": {"Domain Admins": ["admin", "items:read"]},
    }]))
)]
pub struct RolesConfig {
    /// The claims that hold roles, each a name or an array of names. All that are present count.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<written::Reference>", length(min = 1)))]
    pub claims: Vec<ClaimReference>,
    /// Role to the scopes that it grants, which are added to those of the token. A role is compared as a whole, with its
    /// spaces and its case.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, Vec<super::rules::written::Scope>>", extend("minProperties" = 1))
    )]
    pub grants: Vec<(String, Vec<String>)>,
}

impl RolesConfig {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let claims = object.required("claims", |n| non_empty(n, |n| n.list(read_reference)));
        let grants = object.required("grants", |n| {
            let grants = n.map(|n| n.list(read_scope))?;
            if grants.is_empty() {
                return n.error("grants no scope to any role; name roles, or leave `roles` out");
            }
            Some(grants)
        });
        object.finish();
        let grants =
            grants?.into_iter().map(|(role, scopes)| Some((role, scopes?))).collect::<Option<_>>()?;
        Some(Self { claims: claims?, grants })
    }
}

/// A claim reference.
pub fn read_reference(node: Node<'_>) -> Option<ClaimReference> {
    let text = node.string()?;
    node.errors.check(node.path, ClaimReference::parse(&text))
}

/// A list of claim references.
pub fn read_references(node: Node<'_>) -> Option<Vec<ClaimReference>> {
    node.list(read_reference)
}

/// `{REFERENCE: condition}`.
pub fn read_conditions(node: Node<'_>) -> Option<Vec<ClaimCondition>> {
    let read = node.map(|n| Some((n.errors.check(n.path, name_of(n)), read_condition(n))))?;
    read.into_iter()
        .map(|(_, read)| {
            let (claim, condition) = read?;
            Some(ClaimCondition { claim: claim?, condition: condition? })
        })
        .collect()
}

/// The reference that is the name of a member.
fn name_of(node: Node<'_>) -> Result<ClaimReference, String> {
    match node.path {
        super::Path::Key(_, name) => ClaimReference::parse(name),
        super::Path::Root | super::Path::Index(..) | super::Path::Text(_) => Err("not a member".into()),
    }
}

fn read_condition(node: Node<'_>) -> Option<Condition> {
    match node.value {
        Value::Array(values) => {
            if values.is_empty() {
                return node.error("an empty list is never met; name what the claim may be");
            }
            node.list(read_scalar).map(Condition::OneOf)
        }
        Value::Object(_) => {
            let object = node.object()?;
            let condition = match object.one_of(&["not", "present"]) {
                Some("not") => {
                    object.optional("not", read_condition).map(|not| Condition::Not(Box::new(not)))
                }
                Some(_) => object.optional("present", |n| match n.bool()? {
                    true => Some(Condition::Present),
                    false => n.error("write `{not: {present: true}}` for a claim that must be absent"),
                }),
                None => None,
            };
            object.finish();
            condition
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            read_scalar(node).map(|value| Condition::OneOf(vec![value]))
        }
    }
}

fn read_scalar(node: Node<'_>) -> Option<Scalar> {
    match node.value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Number(number) if number.as_f64().is_some_and(|value| value.abs() < LAST_EXACT) => {
            Some(Scalar::Number(number.clone()))
        }
        Value::Number(_) => node.error("a number beyond 2^53 cannot be compared exactly"),
        Value::Null => node.error("`null` is absence: write `{not: {present: true}}`"),
        Value::Array(_) | Value::Object(_) => {
            node.error("expected a string, a number, true or false: an array that contains it meets it too")
        }
    }
}

/// `claims_to_headers`.
pub fn read_claims_to_headers(node: Node<'_>) -> Option<Vec<ClaimHeaderConfig>> {
    let read = node.map(|n| {
        let claim = n.errors.check(n.path, name_of(n));
        let (header, on_invalid) = match n.value {
            Value::Object(_) => {
                let object = n.object()?;
                let header = object.required("header", read_own_header_name);
                let on_invalid = object.optional("on_invalid", |n| n.enumeration(OnInvalidHeader::WORDS));
                object.finish();
                (header, on_invalid.unwrap_or_default())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                (read_own_header_name(n), OnInvalidHeader::default())
            }
        };
        Some(ClaimHeaderConfig { claim: claim?, header: header?, on_invalid })
    })?;
    Some(read.into_iter().filter_map(|(_, header)| header).collect())
}

/// `claims_to_metadata`. The filter's own names are not to be a claim's.
pub fn read_claims_to_metadata(node: Node<'_>) -> Option<Vec<ClaimReference>> {
    node.list(|n| {
        let claim = read_reference(n)?;
        let name = claim.as_str();
        if METADATA_NAMES.contains(&name) {
            return n.error(format_args!("the filter sets `{name}` itself: write the claim as `/{name}`"));
        }
        Some(claim)
    })
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;

    use super::OnInvalidHeader;

    /// A claim: the name of a member, else steps with dots between them (`realm_access.roles`), or a JSON Pointer
    /// (RFC 6901) if it begins with `/` (`/kubernetes.io/namespace`). `null` is absence.
    #[derive(JsonSchema)]
    #[schemars(extend("examples" = ["sub", "realm_access.roles", "/kubernetes.io/namespace"]))]
    pub struct Reference(#[schemars(length(min = 1))] String);

    /// A value that a claim is compared with.
    #[derive(JsonSchema)]
    #[schemars(untagged, inline)]
    pub enum Scalar {
        Text(String),
        Number(f64),
        Bool(bool),
    }

    /// What a claim must be: a value (the claim is equal, or an array that contains it), a list of values (any one of
    /// them), `{not: condition}`, or `{present: true}`. A claim of another type than the values meets no condition, and no
    /// negation of one.
    #[derive(JsonSchema)]
    #[schemars(untagged, extend("examples" = ["access", ["a", "b"], {"not": "guest"}, {"present": true}]))]
    pub enum Condition {
        One(Scalar),
        Any(#[schemars(length(min = 1))] Vec<Scalar>),
        Not(Not),
        Present(Present),
    }

    /// The negation of a condition.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct Not {
        /// The condition that must not hold. It holds for a claim that is absent.
        not: Box<Condition>,
    }

    /// The claim is there.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct Present {
        /// `true`.
        #[schemars(extend("const" = true))]
        present: bool,
    }

    /// The header that a claim is copied to: its name, or what else is to be said of it.
    #[derive(JsonSchema)]
    #[schemars(untagged, extend("examples" = ["x-auth-name", {"header": "x-auth-name", "on_invalid": "percent_encode"}]))]
    pub enum ClaimHeader {
        Name(#[schemars(length(min = 1))] String),
        Object(ClaimHeaderObject),
    }

    /// A header that a claim is copied to.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct ClaimHeaderObject {
        /// The name of the header.
        #[schemars(length(min = 1))]
        header: String,
        /// What is done with a claim that cannot be a header value: one with a control character, or with a space at an end.
        #[schemars(default)]
        on_invalid: OnInvalidHeader,
    }
}
