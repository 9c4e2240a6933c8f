//! Claims: when a token is valid, its subject, and what of it is sent to the upstream.

use serde_json::Value;

use super::error::TokenError;
pub use crate::claim::Claims;
use crate::http_syntax::is_header_value;
use crate::target_uri::{is_unreserved, percent_encoded};

/// When a token may be accepted: `from <= now < until`, in Unix seconds, leeway included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From this second on.
    pub from: i64,
    /// Up to and without this second.
    pub until: i64,
}

impl Validity {
    /// Whether `now`, in Unix seconds, is within.
    pub fn is_valid_at(self, now: i64) -> bool {
        self.from <= now && now < self.until
    }
}

/// The seconds of `exp`, `nbf` and `iat` against `now`, with `leeway` on all three.
///
/// # Errors
/// If one of them is not a date, or the token is not valid at `now`.
pub fn check_times(claims: &Claims, now: i64, leeway: i64) -> Result<Validity, TokenError> {
    let mut validity = Validity { from: i64::MIN, until: i64::MAX };
    if let Some(exp) = numeric_date(claims, "exp")? {
        // The fraction is dropped: a token is never valid for longer than `exp` says.
        validity.until = whole(exp.floor()).saturating_add(leeway);
        if now >= validity.until {
            return Err(TokenError::Expired);
        }
    }
    for (name, error) in [("nbf", TokenError::NotYetValid), ("iat", TokenError::IssuedInFuture)] {
        if let Some(date) = numeric_date(claims, name)? {
            let from = whole(date.ceil()).saturating_sub(leeway);
            if now < from {
                return Err(error);
            }
            validity.from = validity.from.max(from);
        }
    }
    Ok(validity)
}

/// A NumericDate (RFC 7519 section 2): seconds, fractions allowed.
///
/// # Errors
/// If it is present and not a date.
pub fn numeric_date(claims: &Claims, name: &str) -> Result<Option<f64>, TokenError> {
    const LAST: f64 = 9_007_199_254_740_992.0; // 2^53, beyond which seconds run together
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(date) if (0.0..=LAST).contains(&date) => Ok(Some(date)),
            _ => Err(TokenError::BadClaim(name.into())),
        },
        Some(_) => Err(TokenError::BadClaim(name.into())),
    }
}

/// `iat` in Unix seconds, if it is a date.
pub fn issued(claims: &Claims) -> Option<i64> {
    numeric_date(claims, "iat").ok().flatten().map(|date| whole(date.floor()))
}

/// `auth_time` (OpenID Connect Core section 2) in Unix seconds, if it is a date.
pub fn authenticated(claims: &Claims) -> Option<i64> {
    numeric_date(claims, "auth_time").ok().flatten().map(|date| whole(date.floor()))
}

/// A date of [`numeric_date`] as a whole number.
#[expect(clippy::cast_possible_truncation, reason = "within 2^53, checked by numeric_date")]
pub fn whole(date: f64) -> i64 {
    date as i64
}

/// A claim that is a string if it is present.
///
/// # Errors
/// If it is present and not a string.
pub fn string_claim<'a>(claims: &'a Claims, name: &str) -> Result<Option<&'a str>, TokenError> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::BadClaim(name.into())),
    }
}

/// The claim in which an issuer says that a token is another one than an access token, if it does: `token_use` (Hydra,
/// Cognito, HubSpot), `typ` (Keycloak), `token_type`.
pub fn other_use(claims: &Claims) -> Option<&'static str> {
    let says = |value: &Value| match value {
        Value::String(text) => is_other_use(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).any(is_other_use),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    ["token_use", "typ", "token_type"].into_iter().find(|name| claims.get(*name).is_some_and(says))
}

/// `Refresh`, `refresh_token`, `RefreshToken`, `Offline`, `ID`, `id_token`, `logout+jwt`; also as a media type or as a URN
/// (RFC 8693 section 3), and its `N_A`, which is no access token.
fn is_other_use(text: &str) -> bool {
    let last = text.rsplit(['/', ':']).next().unwrap_or_default();
    let word: String =
        last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let word = word.strip_suffix("jwt").filter(|word| !word.is_empty()).unwrap_or(&word);
    let word = word.strip_suffix("token").unwrap_or(word);
    matches!(word, "refresh" | "rt" | "offline" | "id" | "identity" | "logout" | "secevent" | "na")
}

/// Whether `aud` (a string or an array of strings, RFC 7519 section 4.1.3) names one of `accepted`.
pub fn audience_matches(claims: &Claims, accepted: &[String]) -> bool {
    let is_accepted = |value: &Value| value.as_str().is_some_and(|aud| accepted.iter().any(|a| a == aud));
    match claims.get("aud") {
        Some(Value::Array(audiences)) => {
            audiences.iter().all(Value::is_string) && audiences.iter().any(is_accepted)
        }
        Some(audience) => is_accepted(audience),
        None => false,
    }
}

/// A claim as a header value: text as it is, arrays as CSV (RFC 4180 quoting where an item needs
/// it), objects as JSON. `null` means absent.
pub fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let fields: Vec<_> = items.iter().map(csv_field).collect();
            Some(fields.join(","))
        }
        other => Some(other.to_string()),
    }
}

/// The text percent-encoded (RFC 3986 section 2.1), if it cannot be a header value, or would change when it is decoded.
pub fn percent_encoded_text(text: &str) -> String {
    if is_header_value(text.as_bytes()) && !text.contains('%') {
        return text.to_owned();
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&percent_encoded(byte));
        }
    }
    encoded
}

fn csv_field(item: &Value) -> String {
    let text = match item {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
