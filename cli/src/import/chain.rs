//! Filters in a row, and the rules of Lychgate that let in no request that one of them refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::need::{Alternative, Needs};
use super::region::{Meeting, Region};
use super::who::{Who, allowed, denied};

/// As many sets of requests as are cut with each other at most.
const MOST: usize = 4000;

/// The requests of a rule: those of a region, without some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// All of them, and perhaps more.
    pub region: Region,
    /// Those that are not meant.
    pub not: Vec<Pattern>,
    /// Whether some more condition could not be said.
    pub is_uncertain: bool,
}

/// Whether the requests of a set are those of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// All of them.
    Yes,
    /// None of them.
    No,
    /// It cannot be said.
    Maybe,
}

impl Pattern {
    /// Every request.
    pub fn any() -> Self {
        Self::of(Region::any())
    }

    /// Those of a region.
    pub fn of(region: Region) -> Self {
        Self { region, not: Vec::new(), is_uncertain: false }
    }

    /// Some of them, by a condition that cannot be said.
    pub fn uncertain(mut self) -> Self {
        self.is_uncertain = true;
        self
    }

    /// Those that are in neither of `patterns`.
    pub fn except(patterns: Vec<Self>) -> Self {
        Self { not: patterns, ..Self::any() }
    }

    /// Those that are in both; `None`: there are none.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let (region, is_unknown) = match self.region.meet(&other.region) {
            Meeting::Apart => return None,
            Meeting::In(region) => (region, false),
            Meeting::Unknown => (self.region.clone(), true),
        };
        let not = self.not.iter().chain(&other.not).cloned().collect();
        Some(Self { region, not, is_uncertain: self.is_uncertain || other.is_uncertain || is_unknown })
    }

    /// The pairs of two lists of alternatives.
    pub fn product(left: &[Self], right: &[Self]) -> Vec<Self> {
        left.iter().flat_map(|one| right.iter().filter_map(move |other| one.and(other))).collect()
    }

    /// Whether the requests of a cut set are in it. What the set shares with a region in part has a set of its own.
    fn within(&self, set: &Region) -> Within {
        let inside = if self.region.contains(set) {
            if self.is_uncertain { Within::Maybe } else { Within::Yes }
        } else {
            match self.region.meet(set) {
                Meeting::Apart | Meeting::In(_) => Within::No,
                Meeting::Unknown => Within::Maybe,
            }
        };
        if inside == Within::No {
            return Within::No;
        }
        let mut outcome = inside;
        for not in &self.not {
            match not.within(set) {
                Within::Yes => return Within::No,
                Within::Maybe => outcome = Within::Maybe,
                Within::No => {}
            }
        }
        outcome
    }

    fn regions<'a>(&'a self, into: &mut Vec<&'a Region>) {
        into.push(&self.region);
        self.not.iter().for_each(|not| not.regions(into));
    }
}

/// Rules of which the first that matches counts.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// What routes say instead; `None`: what the filter says.
    pub routes: Vec<(Pattern, Option<Needs>)>,
    /// The filter's own rules.
    pub rules: Vec<(Pattern, Needs)>,
    /// Where none of them matches.
    pub otherwise: Option<Needs>,
}

/// What a list of policies does with a request that one of them matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It passes, and no other.
    Allow,
    /// It is refused.
    Deny,
}

/// A list of policies.
#[derive(Clone, Debug)]
pub struct Policies {
    /// What becomes of a request that one of them matches.
    pub action: Action,
    /// Where the list is in force; empty: everywhere.
    pub scope: Option<Pattern>,
    /// Routes where others are in force.
    pub elsewhere: Vec<Pattern>,
    /// Each policy.
    pub entries: Vec<(Pattern, Who)>,
}

/// One filter.
#[derive(Clone, Debug)]
pub enum Link {
    /// Credentials, by rules in order.
    Gate(Gate),
    /// Policies.
    Policies(Policies),
    /// Policies in order.
    Ordered(Ordered),
}

/// Policies of which the first that matches counts.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// Each policy.
    pub entries: Vec<(Pattern, Action, Who)>,
    /// What becomes of a request that none of them matches.
    pub default: Action,
}

impl Gate {
    fn at(&self, set: &Region) -> Needs {
        // Of all but the last it cannot be said whether they are for these requests.
        let candidates = self.candidates(set);
        let mut candidates = candidates.into_iter();
        let first = candidates.next().cloned().unwrap_or_else(Needs::public);
        candidates.fold(first, |all, needs| all.and_perhaps(needs))
    }

    fn candidates(&self, set: &Region) -> Vec<&Needs> {
        let mut found = Vec::new();
        for (pattern, needs) in &self.routes {
            let within = pattern.within(set);
            found.extend(needs.as_ref().filter(|_| within != Within::No));
            match (within, needs) {
                (Within::Yes, Some(_)) => return found,
                (Within::Yes, None) => break,
                (Within::Maybe | Within::No, _) => {}
            }
        }
        for (pattern, needs) in &self.rules {
            let within = pattern.within(set);
            if within != Within::No {
                found.push(needs);
            }
            if within == Within::Yes {
                return found;
            }
        }
        found.extend(&self.otherwise);
        found
    }
}

impl Ordered {
    fn at(&self, set: &Region, checked: &Alternative) -> Needs {
        let mut needs = match self.default {
            Action::Allow => Needs::public(),
            Action::Deny => Needs::denied(),
        };
        for (pattern, action, who) in self.entries.iter().rev() {
            let within = pattern.within(set);
            if within == Within::No {
                continue;
            }
            needs = match action {
                Action::Allow => needs.or(&allowed(within, who, checked)),
                Action::Deny => needs.and(&denied(within, who, checked)),
            };
        }
        needs
    }
}

impl Policies {
    fn at(&self, set: &Region, checked: &Alternative) -> Needs {
        if self.scope.as_ref().is_some_and(|scope| scope.within(set) == Within::No)
            || self.elsewhere.iter().any(|route| route.within(set) == Within::Yes)
        {
            return Needs::public();
        }
        let own = self.entries.iter().map(|(pattern, who)| (pattern.within(set), who));
        let own = own.filter(|(within, _)| *within != Within::No);
        match self.action {
            Action::Allow => {
                own.fold(Needs::denied(), |some, (within, who)| some.or(&allowed(within, who, checked)))
            }
            Action::Deny => {
                own.fold(Needs::public(), |all, (within, who)| all.and(&denied(within, who, checked)))
            }
        }
    }
}

/// Rules, and what requests need that none of them matches.
#[derive(Debug)]
pub struct Written {
    /// `rules`.
    pub rules: Vec<Value>,
    /// `security`; `None`: they are refused.
    pub otherwise: Option<Value>,
    /// The matches in which something is refused that could not be said.
    pub cut: Vec<String>,
}

fn at(chain: &[Link], set: &Region) -> Needs {
    let needs = chain.iter().fold(Needs::public(), |sum, link| match link {
        Link::Gate(gate) => sum.and(&gate.at(set)),
        // They see the credentials that were checked before them, and no other.
        Link::Policies(policies) => sum.and_then(|checked| policies.at(set, checked)),
        Link::Ordered(ordered) => sum.and_then(|checked| ordered.at(set, checked)),
    });
    needs.settled()
}

/// The sets that the chain speaks of, cut with each other; the smaller before the larger.
fn sets(chain: &[Link]) -> Option<Vec<Region>> {
    let mut spoken_of = Vec::new();
    for link in chain {
        let patterns: Vec<&Pattern> = match link {
            Link::Gate(gate) => {
                gate.routes.iter().map(|(own, _)| own).chain(gate.rules.iter().map(|(own, _)| own)).collect()
            }
            Link::Ordered(own) => own.entries.iter().map(|(own, ..)| own).collect(),
            Link::Policies(own) => {
                own.scope.iter().chain(&own.elsewhere).chain(own.entries.iter().map(|(own, _)| own)).collect()
            }
        };
        patterns.iter().for_each(|pattern| pattern.regions(&mut spoken_of));
    }
    let mut sets: BTreeSet<Region> = BTreeSet::from([Region::any()]);
    let mut waiting: Vec<Region> = spoken_of.into_iter().cloned().collect();
    while let Some(region) = waiting.pop() {
        if sets.contains(&region) {
            continue;
        }
        if sets.len() > MOST {
            return None;
        }
        waiting.extend(region.head_beside());
        for other in &sets {
            if let Meeting::In(common) = region.meet(other)
                && common != region
                && !sets.contains(&common)
            {
                waiting.push(common);
            }
        }
        sets.insert(region);
    }
    let around = |set: &Region| sets.iter().filter(|other| other.contains(set)).count();
    let mut ordered: Vec<(usize, bool, Region)> = sets
        .iter()
        .map(|set| (around(set), set.methods.as_ref().is_some_and(|own| own.contains("HEAD")), set.clone()))
        .collect();
    ordered.sort_by(|left, right| (right.0, right.1, &left.2).cmp(&(left.0, left.1, &right.2)));
    Some(ordered.into_iter().map(|(_, _, set)| set).collect())
}

/// The rules for a chain of filters; `None`: it speaks of too many sets of requests.
pub fn rules(chain: &[Link]) -> Option<Written> {
    let sets = sets(chain)?;
    let mut kept: Vec<(Region, Value, bool, bool)> = Vec::new();
    let mut silent = Vec::new();
    // From the largest on, so that a set that changes nothing is seen.
    for set in sets.into_iter().rev() {
        let needs = at(chain, &set);
        let (security, is_cut) = needs.to_value();
        let ignores = needs.ignores_invalid && security != json!([]) && security != "denied";
        let is_same = |other: &(Region, Value, bool, bool)| (&other.1, other.2) == (&security, ignores);
        let mut is_needed = true;
        // What comes after it in the end is what was kept last.
        for other in kept.iter().rev() {
            if other.0.meet(&set) == Meeting::Apart {
                continue;
            }
            if !is_same(other) {
                break;
            }
            if other.0.contains(&set) {
                is_needed = false;
                // They are refused with those around them, and for a reason of their own.
                if is_cut && !other.3 {
                    silent.push(set.to_value().to_string());
                }
                break;
            }
        }
        // A rule for GET would cover it.
        let is_head = set.methods.as_ref().is_some_and(|own| own.contains("HEAD") && !own.contains("GET"));
        if is_needed || is_head {
            kept.push((set, security, ignores, is_cut));
        }
    }
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    let mut written = Written { rules: Vec::new(), otherwise: None, cut: silent };
    kept.reverse();
    let heads: Vec<bool> = kept.iter().map(|(set, ..)| is_head_of_none(set, &kept)).collect();
    for ((set, security, ignores, is_cut), is_superfluous) in kept.iter().zip(heads) {
        if is_superfluous {
            continue;
        }
        let matcher = set.to_value();
        if *is_cut && names.insert(matcher.to_string(), ()).is_none() {
            written.cut.push(matcher.to_string());
        }
        if *set == Region::any() && !ignores {
            written.otherwise = (*security != "denied").then(|| security.clone());
            continue;
        }
        let mut rule = json!({"match": matcher, "security": security});
        if *ignores {
            rule["optional"] = "ignore_invalid".into();
        }
        written.rules.push(rule);
    }
    Some(written)
}

/// Whether a set is for HEAD alone, and no set for GET of the same requests was kept: then it is as the one around it.
fn is_head_of_none(set: &Region, kept: &[(Region, Value, bool, bool)]) -> bool {
    let is_head = set.methods.as_ref().is_some_and(|own| own.len() == 1 && own.contains("HEAD"));
    let own = kept.iter().find(|(other, ..)| other == set);
    is_head
        && !kept
            .iter()
            .any(|(other, ..)| other.head_beside().is_some_and(|beside| beside.meet(set) != Meeting::Apart))
        && own.is_some_and(|own| {
            let next = kept.iter().skip_while(|(other, ..)| other != set).skip(1);
            let around = next.into_iter().find(|(other, ..)| other.contains(set));
            around.is_some_and(|around| (&around.1, around.2) == (&own.1, own.2))
        })
}
