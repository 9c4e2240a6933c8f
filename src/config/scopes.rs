//! `scopes`: a hierarchy of scopes.

use super::fields::non_empty;
use super::node::Node;
use super::rules::read_scope;
use crate::http_syntax::is_scope_token;
use crate::identity::ImpliedScopes;

/// What scopes say of other scopes.
///
/// Resolved: each scope with all that it grants in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Scopes", deny_unknown_fields, default, extend("examples" = [
        {"implies": {"admin": ["items:write"], "items:write": ["items:read"]}},
    ]))
)]
pub struct ScopesConfig {
    /// Scope to the scopes that it grants besides, and so on. It holds for tokens, users and API keys. A scope that grants
    /// itself in the end is an error.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, Vec<super::rules::written::Scope>>")
    )]
    pub implies: ImpliedScopes,
}

impl ScopesConfig {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let implies = object.optional("implies", |n| {
            let read = n.map(|n| non_empty(n, |n| n.list(read_scope)))?;
            let mut direct = Vec::new();
            for (scope, implied) in read {
                if !is_scope_token(&scope) {
                    return n.error(format_args!("{scope:?} is not a scope (RFC 6749 section 3.3)"));
                }
                direct.push((scope, implied?));
            }
            match ImpliedScopes::new(&direct) {
                Ok(implied) => Some(implied),
                Err(scope) => {
                    n.error(format_args!("`{scope}` implies itself in the end; remove one of the steps"))
                }
            }
        });
        object.finish();
        Some(Self { implies: implies.unwrap_or_default() })
    }
}
