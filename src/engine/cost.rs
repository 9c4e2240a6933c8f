//! What it takes to look at a credential, and the order that follows from it.

use smallvec::SmallVec;

use super::evaluation::Evaluation;
use crate::policy::{Alternative, Requirement, SchemeId, SchemeKind, Term};

/// What it takes to look at a credential, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Time of the worker, and keys that are fetched for all.
    Computation,
    /// A question to the issuer, for this token.
    Introspection,
    /// A change that stays: a password is hashed, and a failure counted.
    SideEffect,
}

impl<'a> Evaluation<'a> {
    /// Whether looking at a credential of this alternative has an effect beyond the answer.
    pub(super) fn has_effect(&self, alternative: &Alternative) -> bool {
        alternative.terms.iter().any(|term| self.cost(term.scheme) == Cost::SideEffect)
    }

    /// The alternatives with their numbers: those first that need no question to an issuer and have no effect. So
    /// an issuer is not asked about a request that has what it takes, and who is told to the upstream does not
    /// depend on what is remembered.
    pub(super) fn alternatives_by_cost(
        &self,
        requirement: &'a Requirement,
    ) -> SmallVec<[(usize, &'a Alternative); 4]> {
        let mut alternatives: SmallVec<[_; 4]> = requirement.alternatives().iter().enumerate().collect();
        if alternatives.len() > 1 {
            let cost =
                |alternative: &Alternative| alternative.terms.iter().map(|t| self.cost(t.scheme)).max();
            alternatives.sort_by_key(|(_, alternative)| cost(alternative));
        }
        alternatives
    }

    /// The terms of an alternative, the cheapest to look at first.
    pub(super) fn by_cost<'t>(&self, alternative: &'t Alternative) -> SmallVec<[&'t Term; 4]> {
        let mut terms: SmallVec<[&Term; 4]> = alternative.terms.iter().collect();
        if terms.len() > 1 {
            terms.sort_by_key(|term| self.cost(term.scheme));
        }
        terms
    }

    /// What it takes to look at a credential of this scheme.
    pub(super) fn cost(&self, id: SchemeId) -> Cost {
        match self.scheme(id).map(|scheme| &scheme.kind) {
            Some(SchemeKind::Token { verifier, .. }) if verifier.asks_the_issuer() => Cost::Introspection,
            Some(SchemeKind::Token { .. } | SchemeKind::ApiKey(_)) | None => Cost::Computation,
            Some(SchemeKind::Basic(_)) => Cost::SideEffect,
        }
    }
}
