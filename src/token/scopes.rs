//! Scopes (RFC 6749 section 3.3, RFC 8693 section 4.2) out of a claims set.

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use super::error::TokenError;
use crate::claim::{ClaimReference, Claims};
use crate::http_syntax::is_scope_token;
use crate::identity::ImpliedScopes;

/// The most scopes of a token. One header to the upstream has all of them.
const MOST: usize = 1024;

/// Where the scopes of a token are.
#[derive(Debug, Default)]
pub struct ScopeSettings {
    /// Claims that may hold scopes.
    pub claims: Vec<ClaimReference>,
    /// Whether all of them count, and not only the first that is present.
    pub takes_all: bool,
    /// Claims that may hold roles.
    pub role_claims: Vec<ClaimReference>,
    /// Role to the scopes that it grants.
    pub grants: Vec<(String, Vec<String>)>,
    /// The further scopes that a scope grants.
    pub implied: Rc<ImpliedScopes>,
}

impl ScopeSettings {
    /// The scopes of a token, each once: those of its scope claims, each an array of strings, or one string with
    /// spaces between, and those of its roles. A scope claim of any other form grants nothing, and where the first one
    /// counts, no further claim is asked: what the issuer meant is not guessed. What is no scope-token is no scope: with
    /// white space in it, or another separator, an upstream could read it as several.
    ///
    /// # Errors
    /// If there are too many, or if one contains a control character.
    pub fn of<'c>(&'c self, claims: &'c Claims) -> Result<Vec<String>, TokenError> {
        let mut found = Found::default();
        let present = self.claims.iter().filter_map(|claim| claim.find(claims));
        for claim in present.take(if self.takes_all { usize::MAX } else { 1 }) {
            match claim {
                Value::String(text) => found.take(text.split(' '))?,
                Value::Array(items) => {
                    let scopes: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                    found.take(scopes.unwrap_or_default().into_iter())?;
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
            }
        }
        for role in self.role_claims.iter().filter_map(|claim| claim.find(claims)).flat_map(roles) {
            let granted = self.grants.iter().filter(|(own, _)| own == role).flat_map(|(_, scopes)| scopes);
            found.take(granted.map(String::as_str))?;
        }
        let mut scopes = found.scopes;
        self.implied.expand(&mut scopes);
        if scopes.len() > MOST {
            return Err(too_many());
        }
        Ok(scopes)
    }
}

/// The names of roles in a claim: one, or an array of them.
fn roles(claim: &Value) -> impl Iterator<Item = &str> {
    let (one, several) = match claim {
        Value::String(role) => (Some(role.as_str()), None),
        Value::Array(items) => (None, Some(items)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => (None, None),
    };
    one.into_iter().chain(several.into_iter().flatten().filter_map(Value::as_str))
}

fn too_many() -> TokenError {
    TokenError::BadClaim(format!("more than {MOST} scopes"))
}

#[derive(Default)]
struct Found<'c> {
    scopes: Vec<String>,
    seen: HashSet<&'c str>,
}

impl<'c> Found<'c> {
    fn take(&mut self, items: impl Iterator<Item = &'c str>) -> Result<(), TokenError> {
        for item in items {
            if item.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
                return Err(TokenError::BadClaim("scopes".into()));
            }
            if is_scope_token(item) && self.seen.insert(item) {
                if self.scopes.len() >= MOST {
                    return Err(too_many());
                }
                self.scopes.push(item.to_owned());
            }
        }
        Ok(())
    }
}
