//! Refusals, by reason and by scheme.

use std::collections::BTreeMap;

use super::name::Names;
use crate::config::Mode;
use crate::decision::{DecidedBy, Denial};
use crate::host::{StatId, label_value};
use crate::policy::{Policy, SchemeKind};

/// Reasons that have nothing to do with a scheme.
const PLAIN: [&str; 10] = [
    "ambiguous_host",
    "ambiguous_path",
    "credential_missing",
    "host_failure",
    "method_not_allowed",
    "no_rule",
    "other",
    "path_too_long",
    "too_many_waiting",
    "user_disabled",
];
/// Those of a token endpoint besides.
const LOGIN: [&str; 9] = [
    "body_held_back",
    "body_timeout",
    "body_too_large",
    "client_invalid",
    "login_busy",
    "login_throttled",
    "media_type_unsupported",
    "password_wrong",
    "token_request_invalid",
];
const TOKEN: [&str; 23] = [
    "credential_twice",
    "introspection_unavailable",
    "keys_unavailable",
    "revocation_unavailable",
    "scope_lacking",
    "token_bad_claim",
    "token_bad_signature",
    "token_critical_extension",
    "token_expired",
    "token_inactive",
    "token_issued_in_future",
    "token_malformed",
    "token_missing_claim",
    "token_no_matching_key",
    "token_not_yet_valid",
    "token_other_use",
    "token_revoked",
    "token_too_long",
    "token_too_many_keys",
    "token_wrong_audience",
    "token_wrong_issuer",
    "user_disabled",
    "user_unknown",
];
const BASIC: [&str; 8] = [
    "basic_malformed",
    "credential_twice",
    "host_failure",
    "login_busy",
    "login_throttled",
    "password_wrong",
    "scope_lacking",
    "user_disabled",
];
const API_KEY: [&str; 5] =
    ["api_key_disabled", "api_key_expired", "api_key_unknown", "credential_twice", "scope_lacking"];

/// Every reason that a refusal is counted under, sorted.
#[must_use]
pub fn reasons() -> Vec<&'static str> {
    let mut all = [&PLAIN[..], &LOGIN, &TOKEN, &BASIC, &API_KEY].concat();
    all.sort_unstable();
    all.dedup();
    all
}

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
        PLAIN.iter().for_each(|reason| define(reason, None));
        if policy.token_endpoint(0).is_some() {
            LOGIN.iter().for_each(|reason| define(reason, None));
        }
        for (number, scheme) in policy.schemes().iter().enumerate() {
            let reasons: &[&str] = match scheme.kind {
                SchemeKind::Token { .. } => &TOKEN,
                SchemeKind::Basic(_) => &BASIC,
                SchemeKind::ApiKey(_) => &API_KEY,
            };
            reasons.iter().for_each(|reason| define(reason, Some((number, scheme.name.as_str()))));
        }
        let other = slots.get(&("other", None, false)).copied().unwrap_or_default();
        Self { slots, other }
    }

    /// What a refusal is counted under.
    pub fn slot(&self, denial: &Denial, is_dry: bool) -> StatId {
        let scheme = match denial.attribution.by {
            DecidedBy::Scheme(number) => Some(number),
            DecidedBy::Nothing | DecidedBy::Alternative(_) => None,
        };
        let slot = |reason, scheme| self.slots.get(&(reason, scheme, is_dry));
        slot(denial.reason, scheme).or_else(|| slot("other", None)).copied().unwrap_or(self.other)
    }
}
