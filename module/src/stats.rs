//! Stats with labels. Envoy wants the name of a stat and of its labels when the configuration is made, and the
//! values when it is changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lychgate::host::{StatDefinition, StatKind as Sort, StatUpdate};
use lychgate::metrics::Tally;
use smallvec::SmallVec;

use crate::abi::{self, Change, ConfigHandle, Kind, StreamHandle};

/// The stats of a configuration, by their names.
pub struct Stats {
    ids: HashMap<&'static str, usize>,
    /// What is counted on each thread and not yet told to Envoy.
    tallies: Mutex<Vec<(Arc<Series>, Arc<Tally>)>>,
    /// Stats that are not there yet: one with labels is there once it was changed.
    fresh: Mutex<Vec<Arc<Series>>>,
}

/// What could not be told when it was counted: without a request, where Envoy can only be told by way of one (1.37 and 1.38),
/// or of a configuration that is over. It is told by the next request or the next tick of any configuration.
fn untold() -> MutexGuard<'static, Vec<(Arc<Series>, usize, StatUpdate)>> {
    static UNTOLD: Mutex<Vec<(Arc<Series>, usize, StatUpdate)>> = Mutex::new(Vec::new());
    UNTOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stats of a policy, in the order of its slots.
pub type Series = Vec<StatDefinition>;

fn kind(sort: Sort) -> Kind {
    match sort {
        Sort::Counter => Kind::Counter,
        Sort::Gauge => Kind::Gauge,
    }
}

impl Stats {
    /// Makes every stat that there can be, for a route's policy too, while the configuration is made.
    pub fn define(envoy: &ConfigHandle) -> Self {
        let mut ids = HashMap::new();
        for (sort, name, labels) in lychgate::metrics::FAMILIES {
            match envoy.define(kind(sort), name, labels) {
                Some(id) => drop(ids.insert(name, id)),
                None => log::warn!("lychgate: the stat {name} cannot be had"),
            }
        }
        Self { ids, tallies: Mutex::default(), fresh: Mutex::default() }
    }

    /// A thread counts here from now on.
    pub fn add(&self, series: Arc<Series>, tally: Arc<Tally>) {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&series));
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.push((series, tally));
    }

    /// A thread counts here no longer. What it counted was told before.
    pub fn remove(&self, tally: &Arc<Tally>) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.retain(|(_, own)| !Arc::ptr_eq(own, tally));
    }

    /// Tells Envoy of a change, by way of a request if there is one.
    pub fn update(
        &self,
        series: &Arc<Series>,
        slot: usize,
        update: StatUpdate,
        envoy: &ConfigHandle,
        stream: Option<&StreamHandle>,
    ) {
        let Some(definition) = series.get(slot) else { return };
        let Some(&id) = self.ids.get(definition.family) else { return };
        let labels: SmallVec<[&str; 4]> = definition.labels.iter().map(|(_, value)| value.as_str()).collect();
        let change = match (definition.kind, update) {
            (_, StatUpdate::Set(value)) => Change::Set(value),
            (Sort::Counter, StatUpdate::Add(by)) => Change::Count(by.unsigned_abs()),
            (Sort::Gauge, StatUpdate::Add(by)) if by >= 0 => Change::Grow(by.unsigned_abs()),
            (Sort::Gauge, StatUpdate::Add(by)) => Change::Shrink(by.unsigned_abs()),
        };
        let is_told = stream.is_some_and(|stream| stream.change_stat(id, &labels, change))
            || envoy.change_stat(id, &labels, change);
        if !is_told {
            untold().push((Arc::clone(series), slot, update));
        }
    }

    /// Tells Envoy what was counted on every thread since the last time, without a request.
    pub fn tell_all(&self, envoy: &ConfigHandle) {
        if !abi::counts_without_a_request() {
            return;
        }
        // A rate needs the zero before the first one.
        let fresh = std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        for series in fresh {
            (0..series.len()).for_each(|slot| self.update(&series, slot, StatUpdate::Add(0), envoy, None));
        }
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (series, tally) in tallies.iter() {
            tally.take(|slot, update| self.update(series, slot, update, envoy, None));
        }
        drop(tallies);
        self.tell_untold(envoy, None);
    }

    /// A configuration is over: what is counted is told, and what is remembered is gone.
    pub fn end(&self, envoy: &ConfigHandle) {
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (series, tally) in tallies.iter() {
            tally.forget();
            tally.take(|slot, update| self.update(series, slot, update, envoy, None));
        }
    }

    /// Tells Envoy what could not be told before.
    pub fn tell_untold(&self, envoy: &ConfigHandle, stream: Option<&StreamHandle>) {
        let all = std::mem::take(&mut *untold());
        for (series, slot, update) in all {
            self.update(&series, slot, update, envoy, stream);
        }
    }
}
