//! Revoked tokens: by `jti`, by `sub`, by time. Never by a hash of the raw token, of which there
//! may be several with the same meaning.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// How many strings of a kind are read. Identifiers are long enough for the bound of bytes to come first.
const MOST: usize = 100_000;

/// Tokens that are revoked, by any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Revoked",
        deny_unknown_fields,
        extend("examples" = [{"sub": ["mallory"], "issued_before": 1_767_225_600}]),
    )
)]
pub struct Revocations {
    /// By their `jti`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>", inner(length(min = 1))))]
    pub jti: HashSet<String>,
    /// By their `sub`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>", inner(length(min = 1))))]
    pub sub: HashSet<String>,
    /// By their `iat`: those issued before this Unix time, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = Self::LATEST)))]
    pub issued_before: Option<i64>,
}

impl Revocations {
    /// The latest `issued_before` that is accepted: 2^53, which a JSON number holds exactly.
    pub const LATEST: u64 = 9_007_199_254_740_992;

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

    /// How many things are revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        let moments = usize::from(self.issued_before.is_some());
        self.jti.len().saturating_add(self.sub.len()).saturating_add(moments)
    }

    /// Reads a list as it is polled: `{"jti": [...], "sub": [...], "issued_before": seconds}`, one of them
    /// at least.
    ///
    /// # Errors
    /// What it is instead. A list that is half understood would let revoked tokens in, and one that says
    /// nothing at all is no list: that nothing is revoked is said by an empty array.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let list =
            deserializer.deserialize_map(ListVisitor).and_then(|list| deserializer.end().map(|()| list));
        list.map_err(|error| error.to_string())
    }
}

/// Reads a list without a JSON value for each of its strings in between: it may be long, and every worker
/// reads it.
struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Revocations;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object with `jti`, `sub` or `issued_before`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Revocations, A::Error> {
        let (mut jti, mut sub, mut issued_before) = (None, None, None);
        while let Some(key) = members.next_key::<String>()? {
            let is_twice = match key.as_str() {
                "jti" => jti.replace(members.next_value::<Strings>()?.0).is_some(),
                "sub" => sub.replace(members.next_value::<Strings>()?.0).is_some(),
                "issued_before" => issued_before.replace(members.next_value::<i64>()?).is_some(),
                other => {
                    let message = format_args!("unknown key {other:?}; known: jti, sub, issued_before");
                    return Err(A::Error::custom(message));
                }
            };
            if is_twice {
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
            }
        }
        if jti.is_none() && sub.is_none() && issued_before.is_none() {
            return Err(A::Error::custom(
                "none of `jti`, `sub` and `issued_before`; an empty list is {\"jti\": []}",
            ));
        }
        Ok(Revocations { jti: jti.unwrap_or_default(), sub: sub.unwrap_or_default(), issued_before })
    }
}

/// The strings of an array, up to [`MOST`].
struct Strings(HashSet<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(StringsVisitor)
    }
}

struct StringsVisitor;

impl<'de> Visitor<'de> for StringsVisitor {
    type Value = Strings;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strings, A::Error> {
        let mut strings = HashSet::new();
        let mut count = 0_usize;
        while let Some(item) = items.next_element::<String>()? {
            count = count.saturating_add(1);
            if count > MOST {
                return Err(A::Error::custom(format_args!("more than {MOST} strings")));
            }
            strings.insert(item);
        }
        Ok(Strings(strings))
    }
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
