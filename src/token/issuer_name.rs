//! `iss` as a configuration names it.

use crate::claim::{ClaimReference, Claims};

/// An issuer identifier. `{claim}` in it stands for the value of a claim of the same token: one issuer with many tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerName {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Claim(ClaimReference),
}

impl IssuerName {
    /// Reads `text`.
    ///
    /// # Errors
    /// If a placeholder names no claim.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| format!("{text:?}: a `{{` without its `}}`"))?;
            // As Entra's discovery document writes it, which is no claim.
            let name = if name == "tenantid" { "tid" } else { name };
            let claim = ClaimReference::parse(name).map_err(|error| format!("{text:?}: {error}"))?;
            parts.extend([Part::Text(before.to_owned()), Part::Claim(claim)]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The claims that stand for placeholders.
    pub fn placeholders(&self) -> impl Iterator<Item = &ClaimReference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Claim(claim) => Some(claim),
            Part::Text(_) => None,
        })
    }

    /// The identifier for a token with these claims.
    fn filled(&self, claims: &Claims) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            filled.push_str(match part {
                Part::Text(text) => text,
                // One segment, so that it is no other issuer's.
                Part::Claim(claim) => {
                    let value = claim.find(claims)?.as_str()?;
                    Some(value)
                        .filter(|value| !value.is_empty() && !value.contains(['/', '?', '#', '{', '}']))?
                }
            });
        }
        Some(filled)
    }

    /// Whether it is the `iss` of these claims; with discovery, with or without a slash at the end as `discovered` has it.
    #[must_use]
    pub fn is_of(&self, claims: &Claims, discovered: Option<&str>) -> bool {
        let Some(issuer) = claims.get("iss").and_then(serde_json::Value::as_str) else { return false };
        let Some(own) = self.filled(claims) else { return false };
        match discovered {
            None => own == issuer,
            Some(discovered) => {
                without_slash(&own) == without_slash(issuer)
                    && issuer.ends_with('/') == discovered.ends_with('/')
            }
        }
    }

    /// The same without regard to a slash at the end.
    #[must_use]
    pub fn is_nearly_of(&self, claims: &Claims) -> bool {
        let issuer = claims.get("iss").and_then(serde_json::Value::as_str);
        issuer.is_some_and(|issuer| {
            self.filled(claims).is_some_and(|own| without_slash(&own) == without_slash(issuer))
        })
    }
}

/// Without one slash at the end (OpenID Connect Discovery 1.0 section 4.1).
fn without_slash(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}
