//! Scopes (RFC 6749 section 3.3, RFC 8693 section 4.2) out of a claims set.

use serde_json::Value;

use super::claims::Claims;

/// The scopes in the first of `names` that is present: an array of strings, or one string with
/// spaces between. A claim of any other form grants nothing, and no further claim is asked:
/// what the issuer meant is not guessed.
pub fn scopes_of(claims: &Claims, names: &[String]) -> Vec<String> {
    let Some(claim) = names.iter().find_map(|name| claims.get(name)) else {
        return Vec::new();
    };
    match claim {
        Value::String(text) => text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        Value::Array(items) => {
            let scopes: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            scopes.unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
