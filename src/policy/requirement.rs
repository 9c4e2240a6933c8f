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
    denies: bool,
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

impl Alternative {
    fn and(mut self, other: &Self) -> Self {
        for term in &other.terms {
            let is_alike = |own: &&mut Term| Term { scopes: own.scopes.clone(), ..term.clone() } == **own;
            match self.terms.iter_mut().find(is_alike) {
                Some(own) => {
                    let further = term.scopes.iter().filter(|scope| !own.scopes.contains(scope));
                    let further: Vec<_> = further.cloned().collect();
                    own.scopes.extend(further);
                }
                None => self.terms.push(term.clone()),
            }
        }
        self
    }
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
        Self { alternatives, schemes, anonymous, ignores_invalid: false, denies: false }
    }

    /// What no request has.
    #[must_use]
    pub fn denied() -> Self {
        Self { denies: true, ..Self::default() }
    }

    /// Whether every request is refused, whatever it has.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.denies
    }

    /// What is enough for both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if self.denies || other.denies {
            return Self::denied();
        }
        let all = |own: &Self| {
            let nothing = own.anonymous.then(|| Alternative { terms: Vec::new() });
            own.alternatives.iter().cloned().chain(nothing).collect::<Vec<_>>()
        };
        let others = all(other);
        let both =
            |own: Alternative| others.iter().map(move |other| own.clone().and(other)).collect::<Vec<_>>();
        let alternatives: Vec<_> = all(self).into_iter().flat_map(both).collect();
        Self::new(alternatives).ignoring_invalid(self.ignores_invalid && other.ignores_invalid)
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
