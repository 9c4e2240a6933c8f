//! Tokens that wait to be asked after. Clients take turns, by their addresses: one that brings many tokens makes
//! its own wait, and no others.
//!
//! No client has all of the space, nor of the calls that are underway, and neither have several of them: a share
//! becomes smaller as the space runs out. The places of requests that wait are shared like this.

use std::collections::{BTreeMap, VecDeque};

use super::introspection_cache::Digest;
use crate::secret::Secret;

/// How many may wait.
const MOST: usize = 2304;
/// How many of them are for clients of which none waits.
const RESERVE: usize = 256;
/// How many bytes they may have together.
const MOST_BYTES: usize = 6 * 1024 * 1024;
/// How many of them are for clients of which none waits.
const RESERVE_BYTES: usize = 768 * 1024;
/// How many times as many tokens a client may have underway as it leaves to others.
const IN_FLIGHT_FACTOR: usize = 3;
/// How long one waits, in seconds: as long as a request waits for it.
const WAIT_SECONDS: i64 = 10;

/// A token that waits.
pub struct QueuedToken {
    /// Its digest.
    pub digest: Digest,
    /// The token.
    pub token: Secret,
    /// The client that brought it: its address, of an IPv6 address its site.
    pub client: String,
    /// Since when, in Unix seconds.
    since: i64,
}

/// The tokens of one client.
#[derive(Default)]
struct ClientQueue {
    waiting: VecDeque<QueuedToken>,
    bytes: usize,
    /// How many of its tokens are being asked after.
    in_flight: usize,
}

/// Those that wait.
#[derive(Default)]
pub struct IntrospectionQueue {
    lines: BTreeMap<String, ClientQueue>,
    /// The clients that have tokens here, the one whose turn is next first.
    turns: VecDeque<String>,
    count: usize,
    bytes: usize,
    /// Since when the first of them may have waited.
    oldest: Option<i64>,
}

impl IntrospectionQueue {
    /// Takes a token in; says whether there is room for it.
    pub fn push(&mut self, digest: Digest, token: &[u8], now: i64, client: &str) -> bool {
        let free = MOST.saturating_sub(self.count);
        let free_bytes = MOST_BYTES.saturating_sub(self.bytes);
        let is_full = free == 0 || token.len() > free_bytes;
        let has_share = self.lines.get(client).is_none_or(|line| {
            line.waiting.is_empty()
                || (line.waiting.len() < free.saturating_sub(RESERVE)
                    && line.bytes.saturating_add(token.len()) <= free_bytes.saturating_sub(RESERVE_BYTES))
        });
        if is_full || !has_share {
            return false;
        }
        let token = Secret::new(token.to_vec());
        let waiting = QueuedToken { digest, token, client: client.to_owned(), since: now };
        if self.take_in(waiting, VecDeque::push_back) {
            self.turns.push_back(client.to_owned());
        }
        true
    }

    /// Puts a token into its line; says whether it is the only one there.
    fn take_in(
        &mut self,
        waiting: QueuedToken,
        put: impl FnOnce(&mut VecDeque<QueuedToken>, QueuedToken),
    ) -> bool {
        let bytes = waiting.token.expose().len();
        self.bytes = self.bytes.saturating_add(bytes);
        self.count = self.count.saturating_add(1);
        self.oldest = Some(self.oldest.map_or(waiting.since, |oldest| oldest.min(waiting.since)));
        let line = self.lines.entry(waiting.client.clone()).or_default();
        let is_first = line.waiting.is_empty();
        line.bytes = line.bytes.saturating_add(bytes);
        put(&mut line.waiting, waiting);
        is_first
    }

    /// Takes the next one out, of the client whose turn it is, while so many more calls can be made. Passed over
    /// are clients that have their share of the calls. The token is underway from now on.
    pub fn pop(&mut self, free: usize) -> Option<QueuedToken> {
        let share = free.saturating_mul(IN_FLIGHT_FACTOR);
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            let is_free = self.lines.get(&client).is_some_and(|line| line.in_flight < share);
            let next = if is_free { self.take_first(&client) } else { None };
            if self.lines.get(&client).is_some_and(|line| !line.waiting.is_empty()) {
                self.turns.push_back(client.clone());
            }
            if let Some(next) = next {
                let line = self.lines.entry(client).or_default();
                line.in_flight = line.in_flight.saturating_add(1);
                return Some(next);
            }
        }
        None
    }

    fn take_first(&mut self, client: &str) -> Option<QueuedToken> {
        let line = self.lines.get_mut(client)?;
        let first = line.waiting.pop_front()?;
        let bytes = first.token.expose().len();
        line.bytes = line.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.count = self.count.saturating_sub(1);
        Some(first)
    }

    /// A token of this client is no longer underway.
    pub fn settle(&mut self, client: &str) {
        if let Some(line) = self.lines.get_mut(client) {
            line.in_flight = line.in_flight.saturating_sub(1);
            if line.in_flight == 0 && line.waiting.is_empty() {
                self.lines.remove(client);
            }
        }
    }

    /// Puts one back that was underway and was not asked after. It is the next one of its client.
    pub fn put_back(&mut self, first: QueuedToken) {
        let client = first.client.clone();
        if self.take_in(first, VecDeque::push_front) {
            self.turns.push_front(client.clone());
        } else if self.turns.back() == Some(&client) {
            // Its turn was the last one, and was none.
            let last = self.turns.pop_back();
            last.into_iter().for_each(|last| self.turns.push_front(last));
        }
        self.settle(&client);
    }

    /// Takes those out that no request waits for any longer.
    pub fn pop_late(&mut self, now: i64) -> Vec<QueuedToken> {
        let is_late = |since: i64| now.saturating_sub(since) > WAIT_SECONDS;
        let mut late = Vec::new();
        if !self.oldest.is_some_and(is_late) {
            return late;
        }
        self.oldest = None;
        for client in std::mem::take(&mut self.turns) {
            let first = |queue: &Self| queue.lines.get(&client)?.waiting.front().map(|first| first.since);
            while first(self).is_some_and(is_late) {
                late.extend(self.take_first(&client));
            }
            match first(self) {
                Some(since) => {
                    self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
                    self.turns.push_back(client);
                }
                None if self.lines.get(&client).is_some_and(|line| line.in_flight == 0) => {
                    self.lines.remove(&client);
                }
                None => {}
            }
        }
        late
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
#[path = "introspection_queue_tests.rs"]
mod tests;
