//! The filter's own routes (the document, the page to it, token endpoints), and the rules that speak of them.

use super::Policy;
use super::rules::{Asked, Rule, Undecided};
use crate::decision::RuleId;

/// For each path, the rules that speak of it whatever their methods and hosts, in order. Without any it is public.
#[derive(Debug, Default)]
pub struct OwnRoutes(Vec<(String, Vec<usize>)>);

impl OwnRoutes {
    /// The filter answers at `path`, and these rules speak of it.
    pub fn add(&mut self, path: &str, rules: Vec<usize>) {
        self.0.push((path.to_owned(), rules));
    }
}

impl Policy {
    /// The rule that a request for a route of the filter's own is judged by; `None`: the route is public.
    ///
    /// It is the rule that matches, if that one speaks of the route. What a rule with `methods` or `hosts` leaves over is
    /// not public for it: there the first of those counts that asks for something, one that is enforced before one that
    /// is a trial.
    #[must_use]
    pub fn rule_of_own_route(&self, asked: &Asked<'_>) -> Option<usize> {
        let (_, speaking) = self.own_routes.0.iter().find(|(own, _)| own == asked.path)?;
        let found = match self.rules.find_for(asked) {
            Ok(found) => found.filter(|(number, _)| speaking.contains(number)),
            // Any of those that speak of it may be the one.
            Err(Undecided::Reading | Undecided::Client | Undecided::Header) => None,
        };
        let Some((number, rule)) = found else { return self.strictest(speaking) };
        if rule.path.is_one() || !self.is_public(rule) {
            return Some(number);
        }
        // Before it is one for just this path, and other methods or hosts.
        let is_meant = |rule: &Rule| rule.path.is_one() && !self.is_public(rule);
        let earlier = speaking.iter().copied().take_while(|&earlier| earlier < number);
        let mut meant = earlier.filter(|&earlier| self.rules.all().get(earlier).is_some_and(is_meant));
        Some(meant.next().unwrap_or(number))
    }

    /// The first of `rules` that asks for something and is enforced; else the first that asks for something.
    fn strictest(&self, rules: &[usize]) -> Option<usize> {
        let asks = |number: &usize| self.rules.all().get(*number).is_some_and(|rule| !self.is_public(rule));
        let asking = || rules.iter().copied().filter(asks);
        let enforced = asking().find(|number| !self.is_dry_run(RuleId::Rule(*number)));
        enforced.or_else(|| asking().next()).or_else(|| rules.first().copied())
    }

    fn is_public(&self, rule: &Rule) -> bool {
        is_public(rule, self.default_requirement())
    }
}

/// Whether a rule allows requests without a credential.
pub fn is_public(rule: &Rule, default: Option<&super::Requirement>) -> bool {
    rule.requirement.as_ref().or(default).is_some_and(super::Requirement::allows_anonymous)
}
