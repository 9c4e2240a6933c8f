//! What it takes to look at a credential, and the order that follows from it.

use super::evaluation::Evaluation;
use crate::policy::{Alternative, SchemeId, SchemeKind, Term};

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

/// The turns in which a list of so many items is looked at, those of the least cost first. A single item has its
/// turn whatever it costs, so the cost of most is not asked for.
pub(super) fn turns(items: usize) -> &'static [Option<Cost>] {
    if items < 2 {
        &[None]
    } else {
        &[Some(Cost::Computation), Some(Cost::Introspection), Some(Cost::SideEffect)]
    }
}

impl Evaluation<'_> {
    /// Whether looking at a credential of this alternative has an effect beyond the answer.
    pub(super) fn has_effect(&self, alternative: &Alternative) -> bool {
        alternative.terms.iter().any(|term| self.cost(term.scheme) == Cost::SideEffect)
    }

    /// Whether it is the turn of an alternative: of those first that need no question to an issuer and have no
    /// effect. So an issuer is not asked about a request that is allowed without it, and the identity for the upstream
    /// does not depend on what is remembered.
    pub(super) fn is_turn_of(&self, alternative: &Alternative, turn: Option<Cost>) -> bool {
        let costs = alternative.terms.iter().map(|term| self.cost(term.scheme));
        turn.is_none_or(|turn| costs.max().unwrap_or(Cost::Computation) == turn)
    }

    /// Whether it is the turn of a term of an alternative: the cheapest to look at comes first.
    pub(super) fn is_turn_of_term(&self, term: &Term, turn: Option<Cost>) -> bool {
        turn.is_none_or(|turn| self.cost(term.scheme) == turn)
    }

    /// The terms of an alternative in the order of their turns.
    pub(super) fn by_cost<'t>(&self, alternative: &'t Alternative) -> impl Iterator<Item = &'t Term> {
        turns(alternative.terms.len()).iter().flat_map(move |turn| {
            alternative.terms.iter().filter(move |term| self.is_turn_of_term(term, *turn))
        })
    }

    /// What it takes to look at the credential of this scheme: only a computation if it is missing, there twice or
    /// malformed. That is seen before an issuer is asked about another one, or a password is hashed.
    pub(super) fn cost(&self, id: SchemeId) -> Cost {
        match self.scheme(id).map(|scheme| &scheme.kind) {
            Some(SchemeKind::Token { verifier, .. }) if verifier.asks_the_issuer() && self.is_one(id) => {
                Cost::Introspection
            }
            Some(SchemeKind::Basic(_)) if self.login(id).is_some() => Cost::SideEffect,
            Some(
                SchemeKind::Token { .. }
                | SchemeKind::Basic(_)
                | SchemeKind::ApiKey(_)
                | SchemeKind::MutualTls(_),
            )
            | None => Cost::Computation,
        }
    }
}
