//! What a client can have done without end is done so often in an interval; the rest is counted.

use std::cell::Cell;

/// So many in an interval.
#[derive(Debug)]
pub struct RateLimit {
    most: u32,
    /// In seconds.
    interval: i64,
    /// When the interval began, in Unix seconds.
    began: Cell<i64>,
    taken: Cell<u32>,
    left_out: Cell<u64>,
}

impl RateLimit {
    /// `most` in each interval of so many seconds.
    pub fn new(most: u32, interval: i64) -> Self {
        Self { most, interval, began: Cell::default(), taken: Cell::default(), left_out: Cell::default() }
    }

    /// Whether one more may be done at `now`. One that may not is counted.
    pub fn take(&self, now: i64) -> bool {
        self.turn(now);
        let may = self.taken.get() < self.most;
        if may {
            self.taken.set(self.taken.get().saturating_add(1));
        } else {
            self.left_out.set(self.left_out.get().saturating_add(1));
        }
        may
    }

    /// How many were left out, once their interval is over; `None`: none, or not yet.
    pub fn left_out(&self, now: i64) -> Option<u64> {
        self.turn(now).then(|| self.left_out.take()).filter(|&count| count > 0)
    }

    /// Begins an interval where the last one is over. A clock that goes back ends one too.
    fn turn(&self, now: i64) -> bool {
        let began = self.began.get();
        let is_over = !(began..began.saturating_add(self.interval)).contains(&now);
        if is_over && self.left_out.get() == 0 {
            self.began.set(now);
            self.taken.set(0);
        }
        is_over
    }
}

#[cfg(test)]
#[path = "rate_limit_tests.rs"]
mod tests;
