//! Revoked tokens: by `jti`, by `sub`, by time. Never by a hash of the raw token, of which there
//! may be several with the same meaning.

use std::collections::HashSet;

use serde_json::Value;

use crate::json;

/// What is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Token identifiers.
    pub jti: HashSet<String>,
    /// Subjects.
    pub sub: HashSet<String>,
    /// Unix seconds: tokens issued before are revoked.
    pub issued_before: Option<i64>,
}

impl Revocations {
    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jti.is_empty() && self.sub.is_empty() && self.issued_before.is_none()
    }

    /// Whether a token with these claims is revoked. One that does not say when it was issued is
    /// revoked by any `issued_before`.
    #[must_use]
    pub fn revokes(&self, jti: Option<&str>, sub: Option<&str>, iat: Option<i64>) -> bool {
        jti.is_some_and(|jti| self.jti.contains(jti))
            || sub.is_some_and(|sub| self.sub.contains(sub))
            || self.issued_before.is_some_and(|moment| iat.is_none_or(|iat| iat < moment))
    }

    /// Reads a list as it is polled: `{"jti": [...], "sub": [...], "issued_before": seconds}`.
    ///
    /// # Errors
    /// What it is instead. A list that is half understood would let revoked tokens in.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let Ok(Value::Object(members)) = json::parse_strict(body, 8) else {
            return Err("not a JSON object".into());
        };
        let mut list = Self::default();
        for (key, value) in &members {
            match key.as_str() {
                "jti" => list.jti = strings(key, value)?,
                "sub" => list.sub = strings(key, value)?,
                "issued_before" => {
                    list.issued_before = Some(value.as_i64().ok_or("`issued_before` is no whole number")?);
                }
                other => return Err(format!("unknown key {other:?}; known: jti, sub, issued_before")),
            }
        }
        Ok(list)
    }
}

fn strings(key: &str, value: &Value) -> Result<HashSet<String>, String> {
    let items = value.as_array().ok_or_else(|| format!("`{key}` is no array"))?;
    let item =
        |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| format!("`{key}` holds no strings"));
    items.iter().map(item).collect()
}
