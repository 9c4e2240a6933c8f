//! The clients that a policy means, by the credentials that were checked before it.

use std::collections::BTreeSet;

use super::carry::Carrier;
use super::chain::{Action, Within};
use super::need::{Alternative, Needs};
use crate::document::Node;

/// The clients that a policy means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Those that fit each of these; with none of them, every client.
    Fitting(Vec<Term>),
    /// It cannot be said.
    Unknown,
}

/// A condition on the credentials of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    needs: Needs,
    /// Whether the client has none of them.
    is_not: bool,
}

impl Who {
    /// Any client.
    pub fn anyone() -> Self {
        Self::Fitting(Vec::new())
    }

    /// A client with one of these credentials.
    pub fn holders(needs: Needs) -> Self {
        Self::Fitting(vec![Term { needs, is_not: false }])
    }

    /// A client with none of these credentials.
    pub fn others(needs: Needs) -> Self {
        Self::Fitting(vec![Term { needs, is_not: true }])
    }

    /// Those that both mean.
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Fitting(one), Self::Fitting(other)) => {
                Self::Fitting(one.iter().chain(other).cloned().collect())
            }
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    /// All others: one of these is enough.
    pub fn opposites(&self) -> Vec<Self> {
        match self {
            Self::Unknown => vec![Self::Unknown],
            Self::Fitting(terms) => {
                let opposite = |term: &Term| Term { needs: term.needs.clone(), is_not: !term.is_not };
                terms.iter().map(|term| Self::Fitting(vec![opposite(term)])).collect()
            }
        }
    }

    /// What a client needs to be meant, whose credentials were checked.
    fn meant(&self, checked: &Alternative) -> Needs {
        match self {
            Self::Unknown => Needs::cut(),
            Self::Fitting(terms) => {
                terms.iter().fold(Needs::public(), |all, term| all.and(&term.needs_of(checked, term.is_not)))
            }
        }
    }

    /// What a client needs not to be meant, whose credentials were checked.
    fn spared(&self, checked: &Alternative) -> Needs {
        match self {
            Self::Unknown => Needs::cut(),
            Self::Fitting(terms) => terms
                .iter()
                .fold(Needs::denied(), |some, term| some.or(&term.needs_of(checked, !term.is_not))),
        }
    }

    /// Says where a policy means clients by what cannot be said the other way round, and means more or fewer here.
    pub fn say_if_unsaid(&self, action: Action, node: &Node, carrier: &mut Carrier) {
        let Self::Fitting(terms) = self else { return };
        let is_denied = action == Action::Deny;
        for term in terms.iter().filter(|term| term.is_not != is_denied && term.needs.negated().is_none()) {
            if !term.needs.is_cut {
                carrier.denies(
                    node,
                    "a condition on a scope cannot be said the other way round: what it denies to some tokens is denied to all here; write a \
                     rule by hand",
                );
            }
        }
    }
}

impl Term {
    /// What a client needs that fits it, or does not; whose credentials were checked.
    fn needs_of(&self, checked: &Alternative, is_not: bool) -> Needs {
        let mut own = self.needs.among(checked);
        let schemes: BTreeSet<&String> = own.alternatives.iter().flat_map(|own| own.needs.keys()).collect();
        if schemes.len() > 1 {
            // Both were checked, and the payload of the one or the other is looked at.
            own = Needs::cut();
        }
        if is_not { own.negated().unwrap_or_else(Needs::cut) } else { own }
    }
}

/// What is enough by a policy that allows.
pub fn allowed(within: Within, who: &Who, checked: &Alternative) -> Needs {
    match within {
        Within::Yes => who.meant(checked),
        Within::Maybe | Within::No => Needs::cut(),
    }
}

/// What is needed beside by a policy that denies.
pub fn denied(within: Within, who: &Who, checked: &Alternative) -> Needs {
    let spared = who.spared(checked);
    match within {
        Within::Yes => spared,
        // Some of them would have passed whatever they have.
        Within::Maybe | Within::No => {
            Needs { is_cut: spared.is_cut || spared.alternatives.is_empty(), ..spared }
        }
    }
}
