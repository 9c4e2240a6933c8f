//! What a requirement asks of one scheme: scopes, and conditions on the token's claims.

use serde_json::Value;

use super::claims::read_conditions;
use super::fields::non_empty;
use super::node::Node;
use super::rules::read_scope;
use crate::claim::ClaimCondition;
use crate::json::object;
use crate::setting::Number;

/// What a requirement asks of one scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeedConfig {
    /// Scopes, all of them.
    pub scopes: Vec<String>,
    /// Conditions on the token's claims, all of them.
    pub claims: Vec<ClaimCondition>,
    /// Accepted authentication contexts (`acr`, RFC 9470); empty: any.
    pub acr: Vec<String>,
    /// How long ago the user may have logged in at most (`auth_time`), in seconds.
    pub max_age_seconds: Option<u32>,
}

const MAX_AGE_SECONDS: Number<u32> = Number { least: 1, most: 31_536_000, default: 3600 };

impl NeedConfig {
    /// Reads a list of scopes, or an object.
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        match node.value {
            Value::Array(_) => Some(Self { scopes: node.list(read_scope)?, ..Self::default() }),
            Value::Object(_) => {
                let object = node.object()?;
                let has = ["scopes", "claims", "acr", "max_age_seconds"].map(|key| object.has(key));
                let scopes = object.optional("scopes", |n| n.list(read_scope));
                let claims = object.optional("claims", read_conditions);
                let acr = object.optional("acr", |n| non_empty(n, |n| n.list(read_acr)));
                let max_age = object.optional("max_age_seconds", |n| {
                    u32::try_from(n.integer(MAX_AGE_SECONDS.least..=MAX_AGE_SECONDS.most)?).ok()
                });
                object.finish();
                let read = [scopes.is_some(), claims.is_some(), acr.is_some(), max_age.is_some()];
                // What had an error must not be left out of what is asked for.
                (has == read).then(|| Self {
                    scopes: scopes.unwrap_or_default(),
                    claims: claims.unwrap_or_default(),
                    acr: acr.unwrap_or_default(),
                    max_age_seconds: max_age,
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                node.error("expected an array of scopes, or an object such as {scopes: [], claims: {}}")
            }
        }
    }

    /// The same for a requirement of an OpenAPI document: a list of scopes.
    pub(super) fn read_scopes(node: Node<'_>) -> Option<Self> {
        Some(Self { scopes: node.list(read_scope)?, ..Self::default() })
    }

    /// As it is written: a list of scopes if that is all.
    #[must_use]
    pub fn to_json(&self) -> Value {
        if !self.has_conditions() {
            return self.scopes.as_slice().into();
        }
        let claims = self.claims.iter().map(|own| (own.claim.as_str().to_owned(), own.condition.to_json()));
        let mut members = vec![("scopes".to_owned(), self.scopes.as_slice().into())];
        if !self.claims.is_empty() {
            members.push(("claims".to_owned(), object(claims)));
        }
        if !self.acr.is_empty() {
            members.push(("acr".to_owned(), self.acr.as_slice().into()));
        }
        members.extend(self.max_age_seconds.map(|seconds| ("max_age_seconds".to_owned(), seconds.into())));
        object(members.into_iter())
    }

    /// Whether it asks for more than scopes, which is all that OpenAPI can say.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        !self.claims.is_empty() || !self.acr.is_empty() || self.max_age_seconds.is_some()
    }
}

/// A value of `acr`: it is in a quoted string of a challenge, with spaces between several.
fn read_acr(node: Node<'_>) -> Option<String> {
    let acr = node.text()?;
    if acr.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
        return Some(acr);
    }
    node.error(format_args!(
        "{acr:?} is no value of `acr_values`: printable ASCII without space, quote and backslash"
    ))
}

/// The same as written.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;

    use super::super::claims::written::Condition;
    use super::super::rules::written::Scope;
    use super::MAX_AGE_SECONDS;

    /// What is asked of the credential of one scheme: a list of scopes, or an object with more.
    #[derive(JsonSchema)]
    #[schemars(untagged, extend("examples" = [
        ["items:read"], {"scopes": ["items:write"], "claims": {"tenant": ["a", "b"]}, "acr": ["mfa"], "max_age_seconds": 300},
    ]))]
    pub enum Need {
        Scopes(Vec<Scope>),
        Object(NeedObject),
    }

    /// What is asked of the token of one scheme.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub struct NeedObject {
        /// The scopes that are needed, all of them.
        scopes: Option<Vec<Scope>>,
        /// Conditions on claims of the token, all of them: 403 otherwise.
        claims: Option<BTreeMap<String, Condition>>,
        /// Accepted values of the claim `acr`: how the user was authenticated. Another one is answered with 401 and the
        /// challenge of RFC 9470, so that the client can have the user log in in such a way.
        #[schemars(length(min = 1), inner(length(min = 1)))]
        acr: Option<Vec<String>>,
        /// How long ago the user may have been authenticated (`auth_time`) at most, in seconds. An older login, or a token
        /// without `auth_time`, is answered as above.
        #[schemars(range(min = MAX_AGE_SECONDS.least, max = MAX_AGE_SECONDS.most))]
        max_age_seconds: Option<u32>,
    }
}
