//! The budget of a worker's time for work that stops it: password hashes and token signatures.

use std::time::Duration;

/// The most credit that can be saved up: a few people may log in at once.
const MOST_CREDIT: Duration = Duration::from_millis(500);

/// A bucket of time that fills at the given share of the clock. Work is started while there is
/// credit, and its whole cost is booked afterwards; the debt is waited off.
#[derive(Debug)]
pub struct Budget {
    /// Percent of the worker's time.
    share: u32,
    /// Credit in microseconds; negative: debt.
    credit: i64,
    /// When it was last filled, on the host's monotonic clock.
    filled: Option<Duration>,
}

impl Budget {
    /// A full budget of `share` percent.
    #[must_use]
    pub fn new(share: u32) -> Self {
        Self { share: share.clamp(1, 100), credit: micros(MOST_CREDIT), filled: None }
    }

    /// Whether work may start at `now`: whether there is credit.
    ///
    /// # Errors
    /// The seconds to wait until it may, at least one.
    pub fn ask(&mut self, now: Duration) -> Result<(), u64> {
        self.ask_above(0, now)
    }

    /// Whether work may start at `now` that is to leave the last `parts` of a million of the credit to
    /// others. All of a million: only from a full budget.
    ///
    /// # Errors
    /// The seconds to wait until it may if nothing else is done, at least one.
    pub fn ask_above(&mut self, parts: u32, now: Duration) -> Result<(), u64> {
        let since = now.saturating_sub(self.filled.unwrap_or(now));
        self.filled = Some(now);
        let gained = micros(since).saturating_mul(i64::from(self.share)).checked_div(100).unwrap_or(0);
        self.credit = self.credit.saturating_add(gained).min(micros(MOST_CREDIT));
        let full = micros(MOST_CREDIT);
        let left = full.saturating_mul(i64::from(parts)).checked_div(1_000_000).unwrap_or(full);
        // A full budget lets everything in: nothing is refused for good.
        let floor = left.min(full.saturating_sub(1));
        if self.credit > floor {
            return Ok(());
        }
        let missing = floor.saturating_sub(self.credit).unsigned_abs().saturating_mul(100);
        let wait = missing.checked_div(u64::from(self.share)).unwrap_or(u64::MAX);
        Err(wait.checked_div(1_000_000).unwrap_or(0).saturating_add(1))
    }

    /// Books work that took `cost`.
    pub fn book(&mut self, cost: Duration) {
        self.credit = self.credit.saturating_sub(micros(cost));
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
