//! What a request needs: alternatives of credentials, each with what it must say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::text::other_reference;

/// A condition on a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It is there.
    Present,
    /// It is one of these, or an array with one of them.
    OneOf(BTreeSet<String>),
    /// It is none of these.
    NoneOf(BTreeSet<String>),
}

/// What one credential must say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its scopes.
    pub scopes: BTreeSet<String>,
    /// Its claims, by reference.
    pub claims: BTreeMap<String, Condition>,
}

/// Credentials that are needed together, by scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// What each of them must say.
    pub needs: BTreeMap<String, Need>,
    /// Schemes whose credential must be missing: a bad one is refused.
    pub absent: BTreeSet<String>,
}

/// Alternatives: one of them is enough. With none, every request is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Each of them.
    pub alternatives: BTreeSet<Alternative>,
    /// Whether a bad credential counts as a missing one where none is needed.
    pub ignores_invalid: bool,
    /// Whether something could not be said, and is refused instead.
    pub is_cut: bool,
}

impl Need {
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        both.scopes.extend(other.scopes.iter().cloned());
        for (claim, condition) in &other.claims {
            let merged = match (both.claims.get(claim), condition) {
                (None | Some(Condition::Present), condition) => condition.clone(),
                (Some(own), Condition::Present) => own.clone(),
                (Some(Condition::OneOf(own)), Condition::OneOf(others)) => {
                    let common: BTreeSet<_> = own.intersection(others).cloned().collect();
                    if common.is_empty() {
                        return None;
                    }
                    Condition::OneOf(common)
                }
                (Some(Condition::NoneOf(own)), Condition::NoneOf(others)) => {
                    Condition::NoneOf(own.union(others).cloned().collect())
                }
                (Some(Condition::OneOf(_)), Condition::NoneOf(_))
                | (Some(Condition::NoneOf(_)), Condition::OneOf(_)) => {
                    // A reference has one condition, and the claim has another reference.
                    let other = other_reference(claim)?;
                    if both.claims.get(&other).is_some_and(|own| own != condition) {
                        return None;
                    }
                    both.claims.insert(other, condition.clone());
                    continue;
                }
            };
            both.claims.insert(claim.clone(), merged);
        }
        Some(both)
    }

    fn to_value(&self) -> Value {
        let scopes: Value = self.scopes.iter().map(|scope| Value::from(scope.as_str())).collect();
        if self.claims.is_empty() {
            return scopes;
        }
        let list = |values: &BTreeSet<String>| match values.iter().next() {
            Some(only) if values.len() == 1 => Value::from(only.as_str()),
            Some(_) | None => values.iter().map(|value| Value::from(value.as_str())).collect(),
        };
        let condition = |condition: &Condition| match condition {
            Condition::Present => json!({"present": true}),
            Condition::OneOf(values) => list(values),
            Condition::NoneOf(values) => json!({"not": list(values)}),
        };
        let claims: Map<_, _> =
            self.claims.iter().map(|(name, own)| (name.clone(), condition(own))).collect();
        if self.scopes.is_empty() {
            json!({"claims": claims})
        } else {
            json!({"scopes": scopes, "claims": claims})
        }
    }
}

impl Alternative {
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        both.absent.extend(other.absent.iter().cloned());
        for (scheme, need) in &other.needs {
            let merged = match both.needs.get(scheme) {
                Some(own) => own.and(need)?,
                None => need.clone(),
            };
            both.needs.insert(scheme.clone(), merged);
        }
        Some(both)
    }

    /// Whether every request that `other` lets in is let in by it.
    fn is_as_wide_as(&self, other: &Self) -> bool {
        self.absent.is_empty()
            && !self.needs.is_empty()
            && self.needs.iter().all(|(scheme, need)| {
                other.needs.get(scheme).is_some_and(|others| need.and(others).as_ref() == Some(others))
            })
    }
}

impl Needs {
    /// Nothing is needed.
    pub fn public() -> Self {
        Self { alternatives: BTreeSet::from([Alternative::default()]), ..Self::default() }
    }

    /// Nothing is enough.
    pub fn denied() -> Self {
        Self::default()
    }

    /// The same, since something could not be said.
    pub fn cut() -> Self {
        Self { is_cut: true, ..Self::default() }
    }

    /// A credential of this scheme.
    pub fn of(scheme: &str, need: Need) -> Self {
        let needs = BTreeMap::from([(scheme.to_owned(), need)]);
        Self {
            alternatives: BTreeSet::from([Alternative { needs, ..Alternative::default() }]),
            ..Self::default()
        }
    }

    /// No credential of these schemes.
    pub fn absence(schemes: impl Iterator<Item = String>) -> Self {
        let absent = schemes.collect();
        Self {
            alternatives: BTreeSet::from([Alternative { absent, ..Alternative::default() }]),
            ..Self::default()
        }
    }

    /// Whether nothing is needed.
    pub fn is_public(&self) -> bool {
        self.alternatives.contains(&Alternative::default())
    }

    /// One of the two.
    pub fn or(mut self, other: &Self) -> Self {
        self.alternatives.extend(other.alternatives.iter().cloned());
        self.ignores_invalid |= other.ignores_invalid;
        self.is_cut |= other.is_cut;
        self
    }

    /// Both.
    pub fn and(&self, other: &Self) -> Self {
        let mut alternatives = BTreeSet::new();
        let mut is_cut = self.is_cut || other.is_cut;
        for one in &self.alternatives {
            for two in &other.alternatives {
                let Some(both) = one.and(two) else {
                    is_cut = true;
                    continue;
                };
                // What must be missing cannot be needed.
                if !both.absent.iter().any(|scheme| both.needs.contains_key(scheme)) {
                    alternatives.insert(both);
                }
            }
        }
        Self { alternatives, ignores_invalid: self.ignores_invalid || other.ignores_invalid, is_cut }
    }

    /// What a request must not have to be let in where another gateway refuses a client that has it. `None`: it cannot be said.
    pub fn negated(&self) -> Option<Self> {
        // Of those that could not be said it is not known whom they are for.
        if self.is_cut {
            return None;
        }
        let mut all = Self::public();
        for alternative in &self.alternatives {
            let mut some = Self::denied();
            let mut needs = alternative.needs.iter();
            let (Some((scheme, need)), None) = (needs.next(), needs.next()) else { return None };
            if !need.scopes.is_empty() || need.claims.is_empty() || !alternative.absent.is_empty() {
                return None;
            }
            for (claim, condition) in &need.claims {
                let opposite = match condition {
                    Condition::OneOf(values) => Condition::NoneOf(values.clone()),
                    Condition::NoneOf(values) => Condition::OneOf(values.clone()),
                    Condition::Present => return None,
                };
                let claims = BTreeMap::from([(claim.clone(), opposite)]);
                some = some.or(&Self::of(scheme, Need { claims, ..Need::default() }));
            }
            all = all.and(&some);
        }
        Some(all)
    }

    /// Whether a request needs credentials of several schemes at once.
    pub fn needs_several(&self) -> bool {
        !self.alternatives.is_empty() && self.alternatives.iter().all(|own| own.needs.len() > 1)
    }

    /// As `security` of a rule, and whether something of it could not be said.
    pub fn to_value(&self) -> (Value, bool) {
        let mut is_cut = self.is_cut;
        if self.is_public() && !self.ignores_invalid {
            return (json!([]), false);
        }
        let named: BTreeSet<&String> = self.alternatives.iter().flat_map(|own| own.needs.keys()).collect();
        let mut list = Vec::new();
        let mut allows_missing = false;
        for own in &self.alternatives {
            let is_narrower = |other: &Alternative| other != own && other.is_as_wide_as(own);
            if own.needs.is_empty() {
                // A bad credential is refused only if the rule names its scheme.
                match own.absent.iter().all(|scheme| named.contains(scheme)) {
                    true => allows_missing = true,
                    false => is_cut = true,
                }
            } else if !own.absent.is_empty() {
                // A bad credential of the one would be no hindrance for the other.
                is_cut = true;
            } else if !self.alternatives.iter().any(is_narrower) {
                let needs = own.needs.iter().map(|(scheme, need)| (scheme.clone(), need.to_value()));
                list.push(Value::Object(needs.collect()));
            }
        }
        if list.is_empty() && !allows_missing {
            return ("denied".into(), is_cut);
        }
        if allows_missing {
            list.push(json!({}));
        }
        (list.into(), is_cut)
    }
}
