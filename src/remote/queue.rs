//! Tokens that wait to be asked after, in the order in which they came. No client address has more than half of
//! the room.

use std::collections::{BTreeMap, VecDeque};

use super::memory::Digest;
use crate::config::Secret;

/// How many may wait.
const MOST: usize = 2048;
/// How many of one client address.
const MOST_OF_ADDRESS: usize = 1024;
/// How many bytes they may have together.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How many of one client address.
const MOST_BYTES_OF_ADDRESS: usize = 2 * 1024 * 1024;
/// How long one waits, in seconds: as long as a request waits for it.
const PATIENCE: i64 = 10;

/// A token that waits.
pub struct Waiting {
    /// Its digest.
    pub digest: Digest,
    /// The token.
    pub token: Secret,
    /// Since when, in Unix seconds.
    since: i64,
    /// The address of the client that brought it.
    address: String,
}

/// Those that wait.
#[derive(Default)]
pub struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// How many tokens and bytes each address has here.
    shares: BTreeMap<String, (usize, usize)>,
}

impl Queue {
    /// Takes a token in; says whether there is room for it.
    pub fn push(&mut self, digest: Digest, token: &[u8], now: i64, address: &str) -> bool {
        let bytes = self.bytes.saturating_add(token.len());
        let (own, own_bytes) = self.shares.get(address).copied().unwrap_or_default();
        let own_bytes = own_bytes.saturating_add(token.len());
        let is_full = self.waiting.len() >= MOST || bytes > MOST_BYTES;
        if is_full || own >= MOST_OF_ADDRESS || own_bytes > MOST_BYTES_OF_ADDRESS {
            return false;
        }
        let token = Secret::new(token.to_vec());
        self.take_in(Waiting { digest, token, since: now, address: address.to_owned() }, VecDeque::push_back);
        true
    }

    fn take_in(&mut self, waiting: Waiting, put: impl FnOnce(&mut VecDeque<Waiting>, Waiting)) {
        let bytes = waiting.token.expose().len();
        self.bytes = self.bytes.saturating_add(bytes);
        let share = self.shares.entry(waiting.address.clone()).or_default();
        *share = (share.0.saturating_add(1), share.1.saturating_add(bytes));
        put(&mut self.waiting, waiting);
    }

    /// Takes the first one out.
    pub fn pop(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front()?;
        let bytes = first.token.expose().len();
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(share) = self.shares.get_mut(&first.address) {
            *share = (share.0.saturating_sub(1), share.1.saturating_sub(bytes));
            if share.0 == 0 {
                self.shares.remove(&first.address);
            }
        }
        Some(first)
    }

    /// Puts one back that was first, and still is.
    pub fn put_back(&mut self, first: Waiting) {
        self.take_in(first, VecDeque::push_front);
    }

    /// Takes the first one out if nobody waits for it any longer.
    pub fn pop_late(&mut self, now: i64) -> Option<Waiting> {
        let is_late = |first: &Waiting| now.saturating_sub(first.since) > PATIENCE;
        if self.waiting.front().is_some_and(is_late) { self.pop() } else { None }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
