//! The keys of one issuer, and which of them may have signed a token.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Algorithm;
use super::key::VerificationKey;

/// What trying keys on one token may cost, in microseconds (`VerificationKey::cost`). When so much was spent
/// no further key is tried, so that one try may go beyond it. Each token without `kid` fits every key of its
/// algorithm: an issuer with more than this lets them try names them.
pub const BUDGET: u32 = 4000;

/// The keys of one issuer.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    /// The key identifiers of those that were left out of it.
    unusable: Vec<String>,
    /// Of each algorithm, the key that verified when several could have.
    last: RefCell<BTreeMap<Algorithm, usize>>,
    /// `issuer` of the discovery document that led to them.
    issuer: Option<String>,
}

impl KeySet {
    /// A set of these keys, tried in this order.
    #[must_use]
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self { keys, unusable: Vec::new(), last: RefCell::default(), issuer: None }
    }

    /// The same, of this issuer by its discovery document.
    #[must_use]
    pub fn discovered(self, issuer: Option<String>) -> Self {
        Self { issuer, ..self }
    }

    /// `issuer` of the discovery document that led to them, if one did.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The same, where keys of these identifiers were left out.
    #[must_use]
    pub fn with_unusable(mut self, kids: impl Iterator<Item = String>) -> Self {
        // What one entry of the set lacks another one of the same name may have.
        self.unusable.extend(kids.filter(|kid| !self.keys.iter().any(|key| key.kid() == Some(kid))));
        self
    }

    /// Whether the key that a token names was left out of the set.
    #[must_use]
    pub fn is_unusable(&self, kid: Option<&str>) -> bool {
        kid.is_some_and(|kid| self.unusable.iter().any(|own| own == kid))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed a token with this `alg` and `kid` header, with their places.
    ///
    /// A key is bound to its algorithm, so `alg` selects and never decides. A `kid` on both sides
    /// must be the same (RFC 7515 section 4.1.4); where either side has none, the signature tells. The key
    /// that the token names comes first, then the one that verified last time.
    pub fn candidates<'a>(
        &'a self,
        alg: &'a str,
        kid: Option<&'a str>,
    ) -> impl Iterator<Item = (usize, &'a VerificationKey)> {
        let algorithm = Algorithm::from_name(alg);
        let last = algorithm.and_then(|algorithm| self.last.borrow().get(&algorithm).copied());
        let rank = move |place: usize, key: &VerificationKey| match (key.kid(), kid) {
            _ if Some(key.algorithm()) != algorithm => None,
            (Some(own), Some(asked)) => (own == asked).then_some(0),
            _ if last == Some(place) => Some(1),
            _ => Some(2),
        };
        let of_rank = move |wanted: u8| {
            self.keys.iter().enumerate().filter(move |(place, key)| rank(*place, key) == Some(wanted))
        };
        of_rank(0).chain(of_rank(1)).chain(of_rank(2))
    }

    /// The key at this place verified a token, and others could have.
    pub fn verified(&self, place: usize) {
        if let Some(key) = self.keys.get(place) {
            self.last.borrow_mut().insert(key.algorithm(), place);
        }
    }

    /// For each algorithm with more keys than a token without `kid` is tried against: a line that says so.
    #[must_use]
    pub fn beyond_budget(&self) -> Vec<String> {
        let mut spent: BTreeMap<Algorithm, (u32, usize, usize)> = BTreeMap::new();
        for key in &self.keys {
            let (cost, tried, all) = spent.entry(key.algorithm()).or_default();
            *all = all.saturating_add(1);
            if *cost < BUDGET {
                *tried = tried.saturating_add(1);
                *cost = cost.saturating_add(key.cost(key.native().is_some(), TYPICAL));
            }
        }
        let beyond = spent.into_iter().filter(|(_, (_, tried, all))| tried < all);
        let say = |(algorithm, (_, tried, all)): (Algorithm, _)| {
            format!(
                "of {all} keys for {} a token without `kid` is tried against {tried}; give keys and tokens a `kid`",
                algorithm.name(),
            )
        };
        beyond.map(say).collect()
    }
}

/// A token's signing input of usual length, in bytes.
const TYPICAL: usize = 1024;

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
