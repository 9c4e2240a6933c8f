//! What a request needs: OpenAPI's Security Requirement Objects.

use super::scheme::SchemeId;

/// A list of alternatives, any one of which is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    alternatives: Vec<Alternative>,
    /// Every scheme that is named, each once.
    schemes: Vec<SchemeId>,
    anonymous: bool,
    ignores_invalid: bool,
}

/// Schemes that are needed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// At least one, sorted by scheme name.
    pub terms: Vec<Term>,
}

/// A scheme, and the scopes it must grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The scheme.
    pub scheme: SchemeId,
    /// The scopes, all of them.
    pub scopes: Vec<String>,
    /// Conditions on the token, by their number in the scheme's verifier.
    pub conditions: Vec<usize>,
    /// How the user must have been authenticated, if that matters.
    pub step_up: Option<Box<StepUp>>,
}

/// How a user must have been authenticated (RFC 9470).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// Accepted values of `acr`, for the challenge; empty: any.
    pub acr: Vec<String>,
    /// The condition that says the same, by its number.
    pub condition: Option<usize>,
    /// How long ago at most, in seconds.
    pub max_age: Option<u32>,
}

impl Requirement {
    /// A requirement of these alternatives; one without terms (OpenAPI's `{}`) lets anonymous
    /// requests in.
    #[must_use]
    pub fn new(alternatives: Vec<Alternative>) -> Self {
        let anonymous = alternatives.iter().any(|alternative| alternative.terms.is_empty());
        let mut alternatives = alternatives;
        alternatives.retain(|alternative| !alternative.terms.is_empty());
        let mut schemes = Vec::new();
        for term in alternatives.iter().flat_map(|alternative: &Alternative| &alternative.terms) {
            if !schemes.contains(&term.scheme) {
                schemes.push(term.scheme);
            }
        }
        // An empty list is OpenAPI's way of saying public, which asks for nothing either.
        let anonymous = anonymous || alternatives.is_empty();
        Self { alternatives, schemes, anonymous, ignores_invalid: false }
    }

    /// Lets a request with a bad credential pass where one without any would.
    #[must_use]
    pub fn ignoring_invalid(self, ignores_invalid: bool) -> Self {
        Self { ignores_invalid, ..self }
    }

    /// Whether a bad credential counts as none where none is needed.
    #[must_use]
    pub fn ignores_invalid(&self) -> bool {
        self.ignores_invalid
    }

    /// The alternatives that ask for something.
    #[must_use]
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }

    /// Whether a request without any credential may pass.
    #[must_use]
    pub fn allows_anonymous(&self) -> bool {
        self.anonymous
    }

    /// Every scheme that is named, each once: a request is searched for its credentials.
    pub fn schemes(&self) -> impl Iterator<Item = SchemeId> {
        self.schemes.iter().copied()
    }

    /// Every term of every alternative.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.alternatives.iter().flat_map(|alternative| &alternative.terms)
    }
}
