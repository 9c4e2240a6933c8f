//! Scopes (RFC 6749 section 3.3, RFC 8693 section 4.2) out of a claims set.

use serde_json::Value;

use super::claims::Claims;

/// The scopes in the first of `names` that is present: an array of strings, or one string with
/// spaces between. A claim of any other form grants nothing, and no further claim is asked:
/// what the issuer meant is not guessed. An item of an array that is no scope-token is no scope.
pub fn scopes_of(claims: &Claims, names: &[String]) -> Vec<String> {
    let Some(claim) = names.iter().find_map(|name| claims.get(name)) else {
        return Vec::new();
    };
    match claim {
        Value::String(text) => text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        Value::Array(items) => {
            let scopes: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            // With a space in it, it would be several where scopes are told in one text. One with a control character
            // stays, and has the token refused: it says something that no issuer means.
            let counts = |scope: &&str| is_scope_token(scope) || scope.bytes().any(|b| b.is_ascii_control());
            scopes.unwrap_or_default().into_iter().filter(counts).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether `text` is a scope-token (RFC 6749 section 3.3): visible ASCII but for `"` and `\`.
fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
