//! How many lines of the log a client can have written: so many in an interval, and the number of the rest.

use std::cell::Cell;

/// The lines of an interval.
const LINES: u32 = 100;
/// The interval, in seconds.
const INTERVAL: i64 = 10;

/// Lines of one kind.
#[derive(Debug, Default)]
pub struct LogRateLimit {
    /// When the interval began, in Unix seconds.
    began: Cell<i64>,
    written: Cell<u32>,
    left_out: Cell<u64>,
}

impl LogRateLimit {
    /// Whether a line may be written at `now`. One that may not is counted.
    pub fn take(&self, now: i64) -> bool {
        self.turn(now);
        let may = self.written.get() < LINES;
        if may {
            self.written.set(self.written.get().saturating_add(1));
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
        let is_over = !(began..began.saturating_add(INTERVAL)).contains(&now);
        if is_over && self.left_out.get() == 0 {
            self.began.set(now);
            self.written.set(0);
        }
        is_over
    }
}

#[cfg(test)]
#[path = "log_rate_limit_tests.rs"]
mod tests;
