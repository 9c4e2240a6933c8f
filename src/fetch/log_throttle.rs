//! Log lines that a client or an issuer could cause again and again: one for each interval, and the number of those
//! suppressed.

use std::cell::{Cell, RefCell};

/// The least between two lines of a kind, in seconds.
const INTERVAL: i64 = 10;
/// The longest external text that is repeated in a line, in bytes.
const LONGEST: usize = 300;

/// Lines of one kind.
#[derive(Debug, Default)]
pub struct LogThrottle {
    /// When the last one was said, in Unix seconds.
    said: Cell<Option<i64>>,
    /// How many were left out since.
    left_out: Cell<u64>,
    /// The last of those.
    latest: RefCell<String>,
}

impl LogThrottle {
    /// The line to log now; `None`: it is suppressed, counted, and reported by [`LogThrottle::suppressed`].
    pub fn line(&self, now: i64, line: String) -> Option<String> {
        if self.is_silent(now) {
            self.left_out.set(self.left_out.get().saturating_add(1));
            *self.latest.borrow_mut() = line;
            return None;
        }
        self.said.set(Some(now));
        Some(line)
    }

    /// The line that reports the suppressed ones, once the interval is over.
    pub fn suppressed(&self, now: i64) -> Option<String> {
        if self.left_out.get() == 0 || self.is_silent(now) {
            return None;
        }
        self.said.set(Some(now));
        let (count, latest) = (self.left_out.take(), self.latest.take());
        Some(format!("{latest} ({count} lines of this kind were left out, this is the last of them)"))
    }

    fn is_silent(&self, now: i64) -> bool {
        // A clock that goes back silences nothing.
        self.said.get().is_some_and(|said| (said..said.saturating_add(INTERVAL)).contains(&now))
    }
}

/// As much of a text from outside as fits into a line.
#[must_use]
pub fn truncated(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last();
    format!("{}...", text.get(..end.unwrap_or(0)).unwrap_or_default())
}

#[cfg(test)]
#[path = "log_throttle_tests.rs"]
mod tests;
