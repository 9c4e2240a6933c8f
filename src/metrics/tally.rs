//! What was counted and not reported yet. One thread counts; another may take it out, where the host has one that
//! tells for all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::host::{StatId, StatUpdate};

/// The counts of one worker, by slot, and how many tokens it remembers.
#[derive(Debug)]
pub struct Tally {
    pending: Box<[AtomicU64]>,
    /// The stat of what is remembered.
    gauge: StatId,
    remembered: AtomicUsize,
    /// What of it was reported.
    reported: AtomicUsize,
}

impl Tally {
    /// Nothing counted, of so many stats; `gauge` is the one of what is remembered.
    pub(super) fn new(count: usize, gauge: StatId) -> Self {
        let pending = std::iter::repeat_with(AtomicU64::default).take(count).collect();
        Self { pending, gauge, remembered: AtomicUsize::new(0), reported: AtomicUsize::new(0) }
    }

    pub(super) fn add(&self, slot: StatId) {
        if let Some(count) = self.pending.get(slot) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// So many tokens are remembered.
    pub(super) fn remember(&self, count: usize) {
        self.remembered.store(count, Relaxed);
    }

    /// Nothing is remembered any more.
    pub fn forget(&self) {
        self.remember(0);
    }

    /// Gives what was counted under `slot` since the last time.
    pub(super) fn take_one(&self, slot: StatId) -> Option<StatUpdate> {
        let count = self.pending.get(slot)?;
        // Most are as they were, and a look is cheaper than a change.
        if count.load(Relaxed) == 0 {
            return None;
        }
        let count = count.swap(0, Relaxed);
        (count != 0).then(|| StatUpdate::Add(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Gives `each` what was counted since the last time, and by how much what is remembered changed: its stat
    /// is that of all workers.
    pub fn take(&self, mut each: impl FnMut(StatId, StatUpdate)) {
        for slot in 0..self.pending.len() {
            if let Some(update) = self.take_one(slot) {
                each(slot, update);
            }
        }
        let remembered = self.remembered.load(Relaxed);
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let change = signed(remembered).saturating_sub(signed(self.reported.swap(remembered, Relaxed)));
        if change != 0 {
            each(self.gauge, StatUpdate::Add(change));
        }
    }
}
