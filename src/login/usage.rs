//! What each address, or each name, has cost lately: a table of bounded size, whose figures halve with
//! time.

use std::time::Duration;

/// In how long a figure halves, in microseconds.
const HALF_LIFE: u64 = 30_000_000;
/// The most that is kept: beyond it nothing changes, and nothing overflows.
const MOST: u64 = 1_000_000_000;
/// The most entries. A full table forgets the smallest figure first, so that made-up addresses displace
/// one another, and none that has cost more.
const ENTRIES: usize = 1024;

/// The figures, sorted by the tag that each is under.
#[derive(Debug, Default)]
pub struct Usage(Vec<Figure>);

/// A figure and when it was true.
#[derive(Clone, Copy, Debug)]
struct Figure {
    tag: u64,
    micros: u64,
    at: Duration,
}

impl Figure {
    fn now(self, now: Duration) -> u64 {
        let since = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        let halvings = u32::try_from(since / HALF_LIFE).unwrap_or(u32::MAX);
        let halved = self.micros.checked_shr(halvings).unwrap_or(0);
        // A straight line from one halving to the next.
        let gone = halved.saturating_mul(since % HALF_LIFE) / HALF_LIFE / 2;
        halved.saturating_sub(gone)
    }
}

impl Usage {
    fn place(&self, tag: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&tag, |figure| figure.tag)
    }

    /// What is under `tag`, in microseconds.
    pub fn of(&self, tag: u64, now: Duration) -> u64 {
        self.place(tag).ok().and_then(|index| self.0.get(index)).map_or(0, |figure| figure.now(now))
    }

    /// Adds to what is under `tag`.
    pub fn add(&mut self, tag: u64, micros: u64, now: Duration) {
        let micros = self.of(tag, now).saturating_add(micros).min(MOST);
        let figure = Figure { tag, micros, at: now };
        if let Some(own) = self.place(tag).ok().and_then(|index| self.0.get_mut(index)) {
            *own = figure;
            return;
        }
        if self.0.len() >= ENTRIES {
            let least = self.0.iter().enumerate().min_by_key(|(_, figure)| figure.now(now));
            if let Some((index, _)) = least {
                self.0.remove(index);
            }
        }
        let (Ok(place) | Err(place)) = self.place(tag);
        self.0.insert(place, figure);
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
