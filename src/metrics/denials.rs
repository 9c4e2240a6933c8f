//! Refusals, by reason and by scheme.

use std::collections::BTreeMap;

use super::name::Names;
use crate::config::Mode;
use crate::decision::{DecidedBy, Denial};
use crate::host::{StatId, label_value};
use crate::policy::{Policy, SchemeKind};
use crate::reason::{CountedFor, Reason};

/// A reason, the scheme it is about, and whether the refusal was only thought of.
type Key = (&'static str, Option<usize>, bool);

/// The counters of refusals.
#[derive(Debug)]
pub struct Denials {
    slots: BTreeMap<Key, StatId>,
    other: StatId,
}

impl Denials {
    /// Those that the policy can need.
    pub fn new(policy: &Policy, names: &mut Names) -> Self {
        let rules = || policy.rules().iter().map(|rule| rule.mode.unwrap_or(policy.mode));
        let runs_dry = policy.mode == Mode::DryRun || rules().any(|mode| mode == Mode::DryRun);
        let mut slots = BTreeMap::new();
        let mut define = |reason, scheme: Option<(usize, &str)>| {
            let (number, name) = scheme.unzip();
            for (dry, mode) in [(false, "enforce"), (true, "dry_run")] {
                if !dry || runs_dry {
                    let scheme = name.map_or_else(|| "none".to_owned(), label_value);
                    let labels = [("scheme", scheme.as_str()), ("mode", mode), ("reason", reason)];
                    slots.insert((reason, number, dry), names.counter("lychgate_denials_total", &labels));
                }
            }
        };
        let mut define_all = |counted: &[CountedFor], scheme: Option<(usize, &str)>| {
            let is_counted =
                |reason: &&Reason| reason.counted_for().iter().any(|counts| counted.contains(counts));
            let reasons = Reason::ALL.iter().filter(is_counted);
            reasons.for_each(|reason| define(reason.as_str(), scheme));
        };
        define_all(&[CountedFor::Request], None);
        if policy.token_endpoint(0).is_some() {
            define_all(&[CountedFor::TokenEndpoint], None);
        }
        for (number, scheme) in policy.schemes().iter().enumerate() {
            let counted = match scheme.kind {
                SchemeKind::Token { api_keys: Some(_), .. } => &[CountedFor::Token, CountedFor::ApiKey][..],
                SchemeKind::Token { api_keys: None, .. } => &[CountedFor::Token],
                SchemeKind::Basic(_) => &[CountedFor::Basic],
                SchemeKind::ApiKey(_) => &[CountedFor::ApiKey],
                SchemeKind::MutualTls(_) => &[CountedFor::Certificate],
            };
            define_all(counted, Some((number, scheme.name.as_str())));
        }
        let other = slots.get(&(Reason::Other.as_str(), None, false)).copied().unwrap_or_default();
        Self { slots, other }
    }

    /// What a refusal is counted under.
    pub fn slot(&self, denial: &Denial, is_dry: bool) -> StatId {
        let scheme = match denial.attribution.by {
            DecidedBy::Scheme(number) => Some(number),
            DecidedBy::Nothing | DecidedBy::Alternative(_) => None,
        };
        let slot = |reason: Reason, scheme| self.slots.get(&(reason.as_str(), scheme, is_dry));
        slot(denial.reason, scheme).or_else(|| slot(Reason::Other, None)).copied().unwrap_or(self.other)
    }
}
