//! The name of a claim, as a configuration writes it.

use serde_json::Value;

use super::Claims;

/// How deep a claims set is read (`token::compact`), and so the most steps that a reference can have.
const MOST_STEPS: usize = 32;

/// Claims of RFC 7519 that are text or numbers: nothing is inside them.
const SCALARS: [&str; 6] = ["iss", "sub", "exp", "nbf", "iat", "jti"];

/// A claim reference: the name of a member, else steps with dots between them (`realm_access.roles`), or a JSON
/// Pointer (RFC 6901) if it begins with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimReference {
    text: String,
    /// The steps that are taken if no member has the whole name; of a pointer all steps. Empty for a plain name.
    steps: Vec<String>,
    is_pointer: bool,
}

impl ClaimReference {
    /// Reads `text`.
    ///
    /// # Errors
    /// Why it can refer to no claim, and the remedy.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a claim has no name".into());
        }
        if text.starts_with("$.") || text.starts_with("$[") {
            return Err(format!(
                "{text:?} is a JSONPath; write the steps with dots, such as `realm_access.roles`, or a JSON Pointer"
            ));
        }
        let reference = match text.strip_prefix('/') {
            Some(pointer) => {
                let steps: Option<Vec<String>> = pointer.split('/').map(unescaped).collect();
                let steps = steps.ok_or_else(|| {
                    format!("{text:?} is not a JSON Pointer: behind `~` stands 0 or 1 (RFC 6901 section 3)")
                })?;
                Self { text: text.to_owned(), steps, is_pointer: true }
            }
            None => Self::dotted(text)?,
        };
        let (first, further) = reference.steps.split_first().unzip();
        let has_further = further.is_some_and(|further| !further.is_empty());
        if let Some(scalar) = first.filter(|first| has_further && SCALARS.contains(&first.as_str())) {
            return Err(format!(
                "{text:?} can never match: `{scalar}` is text or a number, and has no members"
            ));
        }
        if reference.steps.len() > MOST_STEPS {
            return Err(format!("{text:?} can never match: it has more than {MOST_STEPS} steps"));
        }
        Ok(reference)
    }

    fn dotted(text: &str) -> Result<Self, String> {
        let is_plain = !text.contains('.');
        let steps: Vec<String> =
            if is_plain { Vec::new() } else { text.split('.').map(str::to_owned).collect() };
        // A URL has dots, and is a name.
        if steps.iter().any(String::is_empty) && !text.contains('/') {
            return Err(format!(
                "{text:?} has an empty step; if that is the name of the claim, write it as a JSON Pointer: `/{text}`"
            ));
        }
        Ok(Self { text: text.to_owned(), steps, is_pointer: false })
    }

    /// The claim of this plain name: for names that stand in the code.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self { text: name.to_owned(), steps: Vec::new(), is_pointer: false }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The claim in `claims`; `None` if it is absent or `null`.
    #[must_use]
    pub fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Value> {
        let is_there = |value: &&Value| !value.is_null();
        if !self.is_pointer
            && let Some(value) = claims.get(&self.text).filter(is_there)
        {
            return Some(value);
        }
        let (first, further) = self.steps.split_first()?;
        let mut value = claims.get(first)?;
        for step in further {
            value = match value {
                Value::Object(members) => members.get(step)?,
                Value::Array(items) if self.is_pointer => items.get(index(step)?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    return None;
                }
            };
        }
        Some(value).filter(is_there)
    }
}

/// A step of a JSON Pointer (RFC 6901 section 4).
fn unescaped(step: &str) -> Option<String> {
    let mut text = String::with_capacity(step.len());
    let mut signs = step.chars();
    while let Some(sign) = signs.next() {
        text.push(match sign {
            '~' => match signs.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

/// The index of an array: digits without leading zeros.
fn index(step: &str) -> Option<usize> {
    let is_index = step == "0" || (!step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit()));
    if is_index { step.parse().ok() } else { None }
}
