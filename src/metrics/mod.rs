//! What is counted, and under which names. It knows no host: it counts here, and the host
//! defines the names where stats are kept and carries what was counted there.
//!
//! Every name there can be is known once the policy is, so that it is bounded by the policy and nothing
//! that a client sends becomes a name. docs/observability.md lists them; a test holds it to this module.

mod denials;
mod name;
mod requests;
mod tally;

pub use tally::Tally;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::decision::{Allow, Denial, Response};
use crate::host::{Event, StatDefinition, StatId, StatKind, StatUpdate, label_value};
use crate::keys::Algorithm;
use crate::policy::Policy;
use denials::Denials;
use name::Names;
use requests::{Outcome, Requests};

/// Every stat there can be, whatever the policy: what it is, its name, and the names of its labels.
pub const FAMILIES: [(StatKind, &str, &[&str]); 9] = [
    (StatKind::Counter, "lychgate_requests_total", &["rule", "scheme", "decision"]),
    (StatKind::Counter, "lychgate_denials_total", &["scheme", "mode", "reason"]),
    (StatKind::Counter, "lychgate_api_key_requests_total", &["client"]),
    (StatKind::Counter, "lychgate_token_cache_lookups_total", &["result"]),
    (StatKind::Gauge, "lychgate_token_cache_entries", &[]),
    (StatKind::Counter, "lychgate_signature_verifications_total", &["algorithm", "engine"]),
    (StatKind::Counter, "lychgate_password_checks_total", &["result"]),
    (StatKind::Counter, "lychgate_key_fetches_total", &["source", "result"]),
    (StatKind::Gauge, "lychgate_key_fetch_last_success_timestamp_seconds", &["source"]),
];

/// What one worker counts.
#[derive(Debug)]
pub struct Metrics {
    definitions: Vec<StatDefinition>,
    /// What was counted and not carried on yet.
    tally: Arc<Tally>,
    requests: Requests,
    denials: Denials,
    clients: Vec<StatId>,
    other_clients: StatId,
    /// Misses, then hits.
    cache: [StatId; 2],
    /// By algorithm, and whether it was the host that checked.
    signatures: BTreeMap<(Algorithm, bool), StatId>,
    /// In the order of [`PasswordCheck`].
    passwords: [StatId; 4],
    /// Failures, then successes, of each source.
    fetches: BTreeMap<String, [StatId; 2]>,
    /// When each source was last fetched, as it was last told.
    fetched: Vec<(StatId, Cell<i64>)>,
}

impl Metrics {
    /// The stats of a policy.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let mut names = Names::default();
        let requests = Requests::new(policy, &mut names);
        let denials = Denials::new(policy, &mut names);
        let client =
            |names: &mut Names, id: &str| names.counter("lychgate_api_key_requests_total", &[("client", id)]);
        let clients = policy.clients.iter().map(|id| client(&mut names, &label_value(id))).collect();
        let other_clients = client(&mut names, "other");
        let cache = ["miss", "hit"]
            .map(|result| names.counter("lychgate_token_cache_lookups_total", &[("result", result)]));
        let cache_entries = names.gauge("lychgate_token_cache_entries", &[]);
        let mut signature = |algorithm: Algorithm, native: bool| {
            let labels =
                [("algorithm", algorithm.name()), ("engine", if native { "native" } else { "wasm" })];
            ((algorithm, native), names.counter("lychgate_signature_verifications_total", &labels))
        };
        let mut signatures = BTreeMap::new();
        for algorithm in Algorithm::ALL {
            signatures.extend([signature(algorithm, false)]);
            if algorithm.is_native() {
                signatures.extend([signature(algorithm, true)]);
            }
        }
        let passwords = ["hashed", "remembered", "throttled", "busy"]
            .map(|result| names.counter("lychgate_password_checks_total", &[("result", result)]));
        let mut fetches = BTreeMap::new();
        let mut fetched = Vec::new();
        for source in &policy.sources {
            let name = label_value(&source.name);
            fetches.insert(
                source.name.clone(),
                ["failure", "success"].map(|result| {
                    names.counter("lychgate_key_fetches_total", &[("source", &name), ("result", result)])
                }),
            );
            let time = names.gauge("lychgate_key_fetch_last_success_timestamp_seconds", &[("source", &name)]);
            fetched.push((time, Cell::new(0)));
        }
        let definitions = names.finish();
        let tally = Arc::new(Tally::new(definitions.len(), cache_entries));
        Self {
            definitions,
            tally,
            requests,
            denials,
            clients,
            other_clients,
            cache,
            signatures,
            passwords,
            fetches,
            fetched,
        }
    }

    /// Every stat, in the order of their slots.
    #[must_use]
    pub fn definitions(&self) -> &[StatDefinition] {
        &self.definitions
    }

    /// Counts something that happened.
    pub fn record(&self, event: Event<'_>) {
        let slot = match event {
            Event::TokenCache { hit } => self.cache.get(usize::from(hit)),
            Event::Signature { algorithm, native } => self.signatures.get(&(algorithm, native)),
            Event::Password(check) => self.passwords.get(check as usize),
            Event::Fetch { source, succeeded } => {
                self.fetches.get(source).and_then(|slots| slots.get(usize::from(succeeded)))
            }
        };
        self.add(slot.copied());
    }

    /// Counts a request that goes on.
    pub fn allowed(&self, allow: &Allow) {
        if let Some(denial) = &allow.shadow_denial {
            self.add(self.requests.slot(denial.attribution, Outcome::WouldDeny));
            self.add(Some(self.denials.slot(denial, true)));
            return;
        }
        self.add(self.requests.slot(allow.attribution, Outcome::Allowed));
        if let Some(client) = allow.attribution.client {
            self.add(Some(self.clients.get(usize::from(client)).copied().unwrap_or(self.other_clients)));
        }
    }

    /// Counts a request that is refused. Gives what it counts under, which may be passed on at once.
    pub fn denied(&self, denial: &Denial) -> SmallVec<[StatId; 2]> {
        let slots =
            [self.requests.slot(denial.attribution, Outcome::Denied), Some(self.denials.slot(denial, false))];
        slots.iter().for_each(|slot| self.add(*slot));
        slots.into_iter().flatten().collect()
    }

    /// Counts a request that the filter answered itself.
    pub fn answered(&self, response: &Response) {
        self.add(self.requests.slot(response.attribution, Outcome::Answered));
    }

    /// So many tokens are remembered.
    pub fn remember(&self, count: usize) {
        self.tally.remember(count);
    }

    /// What is counted here, for who carries it on from another thread.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    fn add(&self, slot: Option<StatId>) {
        if let Some(slot) = slot {
            self.tally.add(slot);
        }
    }

    /// Gives what was counted under `slot` since the last time.
    pub fn take_one(&self, slot: StatId) -> Option<StatUpdate> {
        self.tally.take_one(slot)
    }

    /// Gives `each` what was counted since the last time, and what was measured: how many tokens are
    /// remembered, and when each source was last fetched, in Unix seconds.
    pub fn take(&self, fetched: impl Iterator<Item = i64>, mut each: impl FnMut(StatId, StatUpdate)) {
        self.tally.take(&mut each);
        for ((slot, before), time) in self.fetched.iter().zip(fetched) {
            if before.replace(time) != time {
                each(*slot, StatUpdate::Set(u64::try_from(time).unwrap_or(0)));
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
