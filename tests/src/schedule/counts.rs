//! What was tried, and what it came to.

use std::collections::BTreeMap;
use std::fmt;

use super::Place;
use crate::vm::Cost;

/// What schedules came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules.
    pub schedules: u64,
    /// Events.
    pub events: u64,
    /// Requests.
    pub streams: u64,
    /// Requests that went on, by where they went.
    pub allowed: BTreeMap<Place, u64>,
    /// Requests that were answered, by status.
    pub answered: BTreeMap<u32, u64>,
    /// Calls of the issuer that were answered.
    pub calls: u64,
    /// Schedules in which a host call failed.
    pub faulty: u64,
    /// The greatest depth of callbacks.
    pub deepest: usize,
    /// The most answers and resumptions that one callback asked for.
    pub settled: usize,
    /// The most instructions of a callback, by its name, and with how many answers and resumptions.
    pub costs: BTreeMap<&'static str, (u64, usize)>,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.events += other.events;
        self.streams += other.streams;
        self.calls += other.calls;
        self.faulty += other.faulty;
        self.deepest = self.deepest.max(other.deepest);
        self.settled = self.settled.max(other.settled);
        other.allowed.iter().for_each(|(place, count)| *self.allowed.entry(*place).or_default() += count);
        other.answered.iter().for_each(|(status, n)| *self.answered.entry(*status).or_default() += n);
        for (callback, cost) in &other.costs {
            let own = self.costs.entry(callback).or_default();
            *own = (*own).max(*cost);
        }
    }

    pub(super) fn cost(&mut self, cost: &Cost, native: bool) {
        self.settled = self.settled.max(cost.settled);
        // Where the host checks no signatures, that is all there is to see.
        if !native {
            return;
        }
        let own = self.costs.entry(cost.callback).or_default();
        *own = (*own).max((cost.instructions, cost.settled));
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, events, streams, allowed, answered, calls, faulty, .. } = self;
        let (went_on, refused): (u64, u64) = (allowed.values().sum(), answered.values().sum());
        writeln!(f, "{schedules} schedules ({faulty} with host calls that failed), {events} events")?;
        writeln!(f, "{streams} requests: {went_on} went on, {refused} were answered; {calls} calls were")?;
        writeln!(f, "allowed: {allowed:?}\nanswered: {answered:?}")?;
        let Self { settled, deepest, costs, .. } = self;
        writeln!(
            f,
            "at most {settled} settled in a callback, {deepest} callbacks deep; instructions at most"
        )?;
        costs.iter().try_for_each(|(callback, (most, settled))| {
            writeln!(f, "{most:>12} {callback} that settled {settled}")
        })
    }
}
