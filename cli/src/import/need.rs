//! What a request needs: alternatives of credentials, each with what it must say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::text::other_reference;

/// A condition on a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
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
    /// Of the schemes that are needed, those that the old gateway may not have checked: only one of several rules needs
    /// them there, and which of these is for a request cannot be said.
    pub doubtful: BTreeSet<String>,
}

/// Why two needs are not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clash {
    /// No credential has both.
    Never,
    /// Some credential may have both, which cannot be said.
    Unsaid,
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
    fn and(&self, other: &Self) -> Result<Self, Clash> {
        let mut both = self.clone();
        both.scopes.extend(other.scopes.iter().cloned());
        for (claim, condition) in &other.claims {
            let merged = match (both.claims.get(claim), condition) {
                (None, condition) => condition.clone(),
                (Some(own), condition) if own == condition => own.clone(),
                (Some(is @ (Condition::Present | Condition::OneOf(_))), is_not @ Condition::NoneOf(_))
                | (Some(is_not @ Condition::NoneOf(_)), is @ (Condition::Present | Condition::OneOf(_))) => {
                    // A reference has one condition, and the claim has another reference.
                    let other = other_reference(claim).ok_or(Clash::Unsaid)?;
                    if both.claims.get(&other).is_some_and(|own| own != is) {
                        return Err(Clash::Unsaid);
                    }
                    let (is, is_not) = (is.clone(), is_not.clone());
                    both.claims.insert(other, is);
                    is_not
                }
                (Some(Condition::Absent), Condition::NoneOf(_))
                | (Some(Condition::NoneOf(_)), Condition::Absent) => Condition::Absent,
                (Some(Condition::Absent), _) | (Some(_), Condition::Absent) => return Err(Clash::Never),
                (Some(Condition::Present), condition) => condition.clone(),
                (Some(own), Condition::Present) => own.clone(),
                (Some(Condition::OneOf(own)), Condition::OneOf(others)) => {
                    let common: BTreeSet<_> = own.intersection(others).cloned().collect();
                    if common.is_empty() {
                        // A list may have both.
                        return Err(Clash::Unsaid);
                    }
                    Condition::OneOf(common)
                }
                (Some(Condition::NoneOf(own)), Condition::NoneOf(others)) => {
                    Condition::NoneOf(own.union(others).cloned().collect())
                }
            };
            both.claims.insert(claim.clone(), merged);
        }
        Ok(both)
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
            Condition::Absent => json!({"not": {"present": true}}),
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
    fn and(&self, other: &Self) -> Result<Self, Clash> {
        let mut both = self.clone();
        both.absent.extend(other.absent.iter().cloned());
        both.doubtful.extend(other.doubtful.iter().cloned());
        for (scheme, need) in &other.needs {
            let merged = match both.needs.get(scheme) {
                Some(own) => own.and(need)?,
                None => need.clone(),
            };
            both.needs.insert(scheme.clone(), merged);
        }
        // What must be missing cannot be needed.
        if both.absent.iter().any(|scheme| both.needs.contains_key(scheme)) {
            return Err(Clash::Never);
        }
        Ok(both)
    }

    /// Whether a client with the credentials of `other` is let in by it, whatever the further ones among them say.
    fn is_open_to(&self, other: &Self) -> bool {
        let mut further = other.needs.keys().filter(|scheme| !self.needs.contains_key(*scheme)).peekable();
        further.peek().is_some()
            && further.all(|scheme| !self.absent.contains(scheme))
            && self.needs.keys().all(|scheme| other.needs.contains_key(scheme))
    }

    /// Without the conditions that `checked` has too.
    fn beyond(mut self, checked: &Self) -> Self {
        for (scheme, need) in &mut self.needs {
            let of_checked = checked.needs.get(scheme).map(|own| &own.claims);
            need.claims.retain(|claim, own| of_checked.and_then(|claims| claims.get(claim)) != Some(own));
        }
        self
    }

    /// The schemes that the old gateway has certainly checked.
    fn checked(&self) -> BTreeSet<&String> {
        self.needs.keys().filter(|scheme| !self.doubtful.contains(*scheme)).collect()
    }

    /// Whether every request that `other` lets in is let in by it.
    fn is_as_wide_as(&self, other: &Self) -> bool {
        self.absent.is_empty()
            && !self.needs.is_empty()
            && self.needs.iter().all(|(scheme, need)| {
                other.needs.get(scheme).is_some_and(|others| need.and(others).as_ref() == Ok(others))
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
        self.and_by(other, |_, _, _| {})
    }

    fn and_by(&self, other: &Self, change: impl Fn(&Alternative, &Alternative, &mut Alternative)) -> Self {
        let mut all = Self {
            alternatives: BTreeSet::new(),
            ignores_invalid: self.ignores_invalid || other.ignores_invalid,
            is_cut: self.is_cut || other.is_cut,
        };
        for one in &self.alternatives {
            for two in &other.alternatives {
                match one.and(two) {
                    Ok(mut both) => {
                        change(one, two, &mut both);
                        all.alternatives.insert(both);
                    }
                    Err(Clash::Never) => {}
                    Err(Clash::Unsaid) => all.is_cut = true,
                }
            }
        }
        all
    }

    /// Both, where the old gateway has checked the one or the other.
    pub fn and_perhaps(&self, other: &Self) -> Self {
        self.and_by(other, |one, other, both| {
            let (one, other) = (one.checked(), other.checked());
            let certain: BTreeSet<&String> = one.intersection(&other).copied().collect();
            both.doubtful = both.needs.keys().filter(|own| !certain.contains(own)).cloned().collect();
        })
    }

    /// Each alternative, and what is needed beside it: that may depend on the credentials that were checked before.
    pub fn and_then(&self, beside: impl Fn(&Alternative) -> Self) -> Self {
        let each: Vec<(&Alternative, Self)> =
            self.alternatives.iter().map(|own| (own, beside(own))).collect();
        let mut all = Self { alternatives: BTreeSet::new(), ..self.clone() };
        for (own, needs) in &each {
            // A client with more credentials could leave out those for which more is needed.
            let is_way_round =
                |(other, needs): &(&Alternative, Self)| own.is_open_to(other) && !needs.is_public();
            let is_cut = !needs.alternatives.is_empty() && each.iter().any(is_way_round);
            let needs = if is_cut { &Self::cut() } else { needs };
            let alone = Self { alternatives: BTreeSet::from([(*own).clone()]), ..Self::denied() };
            all = all.or(&alone.and(needs));
        }
        all
    }

    /// The same of a client whose credentials were checked by this alternative: what is said of other credentials does not
    /// count.
    pub fn among(&self, checked: &Alternative) -> Self {
        let mut own = Self { alternatives: BTreeSet::new(), ..self.clone() };
        let certain = checked.checked();
        for alternative in &self.alternatives {
            if alternative.needs.keys().all(|scheme| certain.contains(scheme)) {
                own.alternatives.insert(alternative.clone().beyond(checked));
            } else if alternative.needs.keys().all(|scheme| checked.needs.contains_key(scheme)) {
                own.is_cut = true;
            }
        }
        own
    }

    /// What a client needs that fits none of the alternatives, though it has the credentials that they are about. `None`: it
    /// cannot be said.
    pub fn negated(&self) -> Option<Self> {
        // Of those that could not be said it is not known whom they are for.
        if self.is_cut {
            return None;
        }
        let mut all = Self::public();
        for alternative in &self.alternatives {
            let mut some = Self::denied();
            if !alternative.absent.is_empty() {
                return None;
            }
            for (scheme, need) in &alternative.needs {
                if !need.scopes.is_empty() {
                    return None;
                }
                for (claim, condition) in &need.claims {
                    let opposite = match condition {
                        Condition::OneOf(values) => Condition::NoneOf(values.clone()),
                        Condition::NoneOf(values) => Condition::OneOf(values.clone()),
                        Condition::Present => Condition::Absent,
                        Condition::Absent => Condition::Present,
                    };
                    let claims = BTreeMap::from([(claim.clone(), opposite)]);
                    some = some.or(&Self::of(scheme, Need { claims, ..Need::default() }));
                }
            }
            all = all.and(&some);
        }
        Some(all)
    }

    /// The same, when no more is asked which credentials were checked before.
    pub fn settled(self) -> Self {
        let settled = |own| Alternative { doubtful: BTreeSet::new(), ..own };
        Self { alternatives: self.alternatives.into_iter().map(settled).collect(), ..self }
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
