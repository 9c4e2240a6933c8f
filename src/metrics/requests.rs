//! Requests, by what became of them, by scheme and by rule.

use std::collections::HashSet;

use super::name::Names;
use crate::decision::{Attribution, DecidedBy, RuleId};
use crate::host::{StatId, label_value};
use crate::policy::{Policy, Requirement};

/// How many rules are counted one by one, by their names. The rest is counted together.
const MOST_RULES: usize = 256;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went on.
    Allowed,
    /// It was refused.
    Denied,
    /// It went on because of a dry run.
    WouldDeny,
    /// The filter answered it.
    Answered,
}

/// The counters of a rule. Few, so that looking along them is faster than a table.
type OfRule = Vec<((Outcome, DecidedBy), StatId)>;

/// The counters of requests.
#[derive(Debug)]
pub struct Requests {
    rules: Vec<OfRule>,
    others: Vec<(RuleId, OfRule)>,
}

impl Requests {
    /// Those that the policy can need.
    pub fn new(policy: &Policy, names: &mut Names) -> Self {
        let mut known = HashSet::new();
        let mut rules = Vec::with_capacity(policy.rules().len());
        for (number, rule) in policy.rules().iter().enumerate() {
            // Rules that share a name share its counters.
            let is_known = known.contains(&rule.name) || known.len() < MOST_RULES && known.insert(&rule.name);
            let name = if is_known { rule.name.as_str() } else { "other" };
            let requirement = rule.requirement.as_ref().or(policy.default_requirement());
            rules.push(Counters { policy, names, name, rule: RuleId::Rule(number) }.of(requirement));
        }
        let mut others = Vec::new();
        for rule in [
            RuleId::Unknown,
            RuleId::Default,
            RuleId::None,
            RuleId::CorsPreflight,
            RuleId::TokenEndpoint,
            RuleId::Documentation,
        ] {
            let mut counters = Counters { policy, names, name: policy.rule_name(rule), rule };
            let of_rule = match rule {
                RuleId::Default if policy.default_requirement().is_some() => {
                    counters.of(policy.default_requirement())
                }
                RuleId::Default => Vec::new(),
                RuleId::CorsPreflight => counters.plain(&[Outcome::Allowed]),
                RuleId::TokenEndpoint => counters.plain(&[Outcome::Answered, Outcome::Denied]),
                RuleId::Documentation => counters.refusing(&[Outcome::Answered]),
                RuleId::Unknown | RuleId::None | RuleId::Rule(_) => counters.refusing(&[]),
            };
            others.push((rule, of_rule));
        }
        Self { rules, others }
    }

    /// What a request is counted under.
    pub fn slot(&self, attribution: Attribution, outcome: Outcome) -> Option<StatId> {
        let of_rule = match attribution.rule {
            RuleId::Rule(number) => self.rules.get(number)?,
            rule => self.others.iter().find(|(own, _)| *own == rule).map(|(_, of_rule)| of_rule)?,
        };
        let of = |by: DecidedBy| of_rule.iter().find(|(key, _)| *key == (outcome, by)).map(|(_, slot)| *slot);
        of(attribution.by).or_else(|| of(DecidedBy::Nothing))
    }
}

/// The counters of one rule, as they are defined.
struct Counters<'a> {
    policy: &'a Policy,
    names: &'a mut Names,
    name: &'a str,
    rule: RuleId,
}

impl Counters<'_> {
    fn define(&mut self, outcome: Outcome, by: DecidedBy, scheme: &str) -> ((Outcome, DecidedBy), StatId) {
        let decision = match outcome {
            Outcome::Allowed => "allowed",
            Outcome::Denied => "denied",
            Outcome::WouldDeny => "would_deny",
            Outcome::Answered => "answered",
        };
        let labels = [("rule", self.name), ("scheme", scheme), ("decision", decision)];
        ((outcome, by), self.names.counter("lychgate_requests_total", &labels))
    }

    /// No scheme plays a part.
    fn plain(&mut self, outcomes: &[Outcome]) -> OfRule {
        outcomes.iter().map(|&outcome| self.define(outcome, DecidedBy::Nothing, "none")).collect()
    }

    /// The same, and requests may be refused.
    fn refusing(&mut self, outcomes: &[Outcome]) -> OfRule {
        let mut counters = self.plain(outcomes);
        counters.extend(self.plain(&[self.refusal()]));
        counters
    }

    /// What a refusal is here.
    fn refusal(&self) -> Outcome {
        if self.policy.is_dry_run(self.rule) { Outcome::WouldDeny } else { Outcome::Denied }
    }

    /// Those that a requirement can need.
    fn of(&mut self, requirement: Option<&Requirement>) -> OfRule {
        let Some(requirement) = requirement else { return self.refusing(&[]) };
        let policy = self.policy;
        let scheme = |number: usize| policy.schemes().get(number).map_or("unknown", |scheme| &scheme.name);
        let mut counters = Vec::new();
        for (number, alternative) in requirement.alternatives().iter().enumerate() {
            let schemes: Vec<_> = alternative.terms.iter().map(|term| scheme(term.scheme.0)).collect();
            let by = DecidedBy::Alternative(number);
            counters.push(self.define(Outcome::Allowed, by, &label_value(&schemes.join(","))));
        }
        if requirement.allows_anonymous() {
            counters.push(self.define(Outcome::Allowed, DecidedBy::Nothing, "none"));
        }
        let mut numbers: Vec<_> = requirement.terms().map(|term| term.scheme.0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let refusal = self.refusal();
        for number in numbers {
            counters.push(self.define(refusal, DecidedBy::Scheme(number), &label_value(scheme(number))));
        }
        if !requirement.allows_anonymous() {
            counters.push(self.define(refusal, DecidedBy::Nothing, "none"));
        }
        counters
    }
}
