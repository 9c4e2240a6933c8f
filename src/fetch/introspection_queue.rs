//! Tokens that wait to be asked after. Clients take turns, by their addresses: one that brings many tokens makes
//! its own wait, and no others. No address has more than half of the room, and of the calls that are underway.

use std::collections::{BTreeMap, VecDeque};

use super::introspection_cache::Digest;
use crate::secret::Secret;

/// How many may wait.
const MOST: usize = 2048;
/// How many of one client.
const MOST_OF_CLIENT: usize = 1024;
/// How many bytes they may have together.
const MOST_BYTES: usize = 6 * 1024 * 1024;
/// How many of one client.
const MOST_BYTES_OF_CLIENT: usize = 3 * 1024 * 1024;
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
}

impl IntrospectionQueue {
    /// Takes a token in; says whether there is room for it.
    pub fn push(&mut self, digest: Digest, token: &[u8], now: i64, client: &str) -> bool {
        let is_full = self.count >= MOST || self.bytes.saturating_add(token.len()) > MOST_BYTES;
        let has_share = self.lines.get(client).is_none_or(|line| {
            line.waiting.len() < MOST_OF_CLIENT
                && line.bytes.saturating_add(token.len()) <= MOST_BYTES_OF_CLIENT
        });
        if is_full || !has_share {
            return false;
        }
        let token = Secret::new(token.to_vec());
        self.take_in(
            QueuedToken { digest, token, client: client.to_owned(), since: now },
            VecDeque::push_back,
        );
        true
    }

    fn take_in(&mut self, waiting: QueuedToken, put: impl FnOnce(&mut VecDeque<QueuedToken>, QueuedToken)) {
        let bytes = waiting.token.expose().len();
        self.bytes = self.bytes.saturating_add(bytes);
        self.count = self.count.saturating_add(1);
        let line = self.lines.entry(waiting.client.clone()).or_default();
        if line.waiting.is_empty() {
            self.turns.push_back(waiting.client.clone());
        }
        line.bytes = line.bytes.saturating_add(bytes);
        put(&mut line.waiting, waiting);
    }

    /// Takes the next one out, of the client whose turn it is: of those that have fewer than `most` tokens
    /// underway. It is underway from now on.
    pub fn pop(&mut self, most: usize) -> Option<QueuedToken> {
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            let is_free = self.lines.get(&client).is_some_and(|line| line.in_flight < most);
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

    /// Puts one back whose turn it was, and still is.
    pub fn put_back(&mut self, first: QueuedToken) {
        let client = first.client.clone();
        self.take_in(first, VecDeque::push_front);
        self.turns.retain(|own| *own != client);
        self.turns.push_front(client.clone());
        self.settle(&client);
    }

    /// Takes those out that no request waits for any longer.
    pub fn pop_late(&mut self, now: i64) -> Vec<QueuedToken> {
        let is_late = |first: &QueuedToken| now.saturating_sub(first.since) > WAIT_SECONDS;
        let clients: Vec<String> = self.turns.iter().cloned().collect();
        let mut late = Vec::new();
        for client in clients {
            while self.lines.get(&client).and_then(|line| line.waiting.front()).is_some_and(is_late) {
                late.extend(self.take_first(&client));
            }
            if self.lines.get(&client).is_some_and(|line| line.waiting.is_empty()) {
                self.turns.retain(|own| *own != client);
                if self.lines.get(&client).is_some_and(|line| line.in_flight == 0) {
                    self.lines.remove(&client);
                }
            }
        }
        late
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
