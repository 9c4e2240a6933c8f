//! Verified tokens, remembered: the signature is paid once for each token and worker.
//!
//! An entry is found by the whole token, compared byte by byte, together with its scheme. It never
//! outlives the token: what is past its window is verified anew, and refused there.

use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;

use super::verify::Verified;

/// What a token was verified for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The scheme.
    pub scheme: usize,
    /// Which of its key sets, one after the other: what an older one verified is never found again.
    pub generation: u64,
}

/// The verified tokens of one worker, least recently used first out.
pub struct TokenCache {
    entries: Option<LruCache<Box<[u8]>, Rc<Verified>>>,
    max_token_bytes: usize,
    /// Scheme and token in one piece, put together without an allocation for each request.
    key: Vec<u8>,
}

impl TokenCache {
    /// A cache of at most `entries` tokens of at most `max_token_bytes` each; 0 entries: none.
    #[must_use]
    pub fn new(entries: usize, max_token_bytes: usize) -> Self {
        let entries = NonZeroUsize::new(entries).map(LruCache::new);
        Self { entries, max_token_bytes, key: Vec::new() }
    }

    /// The verified token, if it is remembered for this scheme and holds at `now`. The clock
    /// is a crossing into the host, so it is read only for a token that is remembered.
    pub fn get(&mut self, scheme: Owner, token: &[u8], now: impl FnOnce() -> i64) -> Option<Rc<Verified>> {
        let entries = self.entries.as_mut()?;
        if token.len() > self.max_token_bytes {
            return None;
        }
        write_key(&mut self.key, scheme, token);
        let verified = entries.get(self.key.as_slice())?;
        if verified.holds_at(now()) {
            return Some(Rc::clone(verified));
        }
        entries.pop(self.key.as_slice());
        None
    }

    /// Remembers a verified token.
    pub fn put(&mut self, scheme: Owner, token: &[u8], verified: &Rc<Verified>) {
        let Some(entries) = self.entries.as_mut() else {
            return;
        };
        if token.len() <= self.max_token_bytes {
            write_key(&mut self.key, scheme, token);
            entries.put(self.key.as_slice().into(), Rc::clone(verified));
        }
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, LruCache::len)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn write_key(key: &mut Vec<u8>, Owner { scheme, generation }: Owner, token: &[u8]) {
    key.clear();
    key.extend_from_slice(&scheme.to_le_bytes());
    key.extend_from_slice(&generation.to_le_bytes());
    key.extend_from_slice(token);
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
