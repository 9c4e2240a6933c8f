//! Scopes (RFC 6749 section 3.3, RFC 8693 section 4.2) out of a claims set.

use std::collections::HashSet;

use serde_json::Value;

use super::claims::Claims;
use super::error::TokenError;
use crate::http_syntax::is_scope_token;

/// The most scopes of a token. The upstream is told all of them in one header.
const MOST: usize = 1024;

/// The scopes in the first of `names` that is present, each once: an array of strings, or one string with
/// spaces between. A claim of any other form grants nothing, and no further claim is asked:
/// what the issuer meant is not guessed. What is no scope-token is no scope: with white space in it, or another
/// separator, it would be several to some upstream that is told it.
///
/// # Errors
/// If there are too many, or if one says what no issuer means: a control character.
pub fn scopes_of(claims: &Claims, names: &[String]) -> Result<Vec<String>, TokenError> {
    let Some(claim) = names.iter().find_map(|name| claims.get(name)) else {
        return Ok(Vec::new());
    };
    match claim {
        Value::String(text) => checked(text.split(' ')),
        Value::Array(items) => {
            let scopes: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            checked(scopes.unwrap_or_default().into_iter())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Ok(Vec::new()),
    }
}

fn checked<'c>(items: impl Iterator<Item = &'c str>) -> Result<Vec<String>, TokenError> {
    let mut seen = HashSet::new();
    let mut scopes = Vec::new();
    for item in items {
        if item.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
            return Err(TokenError::BadClaim("scopes".into()));
        }
        if is_scope_token(item) && seen.insert(item) {
            if scopes.len() >= MOST {
                return Err(TokenError::BadClaim(format!("more than {MOST} scopes")));
            }
            scopes.push(item.to_owned());
        }
    }
    Ok(scopes)
}
