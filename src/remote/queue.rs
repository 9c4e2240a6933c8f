//! Tokens that wait to be asked after, in the order in which they came.

use std::collections::VecDeque;

use super::memory::Digest;
use crate::config::Secret;

/// How many may wait.
const MOST: usize = 1024;
/// How many bytes they may have together.
const MOST_BYTES: usize = 2 * 1024 * 1024;
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
}

/// Those that wait.
#[derive(Default)]
pub struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Queue {
    /// Takes a token in; says whether there is room for it.
    pub fn push(&mut self, digest: Digest, token: &[u8], now: i64) -> bool {
        let bytes = self.bytes.saturating_add(token.len());
        if self.waiting.len() >= MOST || bytes > MOST_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.waiting.push_back(Waiting { digest, token: Secret::new(token.to_vec()), since: now });
        true
    }

    /// Takes the first one out.
    pub fn pop(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(first.token.expose().len());
        Some(first)
    }

    /// Puts one back that was first, and still is.
    pub fn put_back(&mut self, first: Waiting) {
        self.bytes = self.bytes.saturating_add(first.token.expose().len());
        self.waiting.push_front(first);
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
