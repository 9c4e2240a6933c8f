//! What an issuer said of tokens. A yes, a no and a failure have memories of their own: whoever makes up
//! tokens fills that of the noes, and pushes no yes out.

use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;
use serde_json::{Map, Value};

/// How many tokens that are good are remembered.
const YES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// How many bytes the answers about them may have had together.
const YES_BYTES: usize = 4 * 1024 * 1024;
/// How many that are not.
const NO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// How many that could not be asked after.
const FAILED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

pub use super::awaited::TokenDigest as Digest;

/// What is known of a token.
#[derive(Clone, Debug)]
pub enum Known {
    /// The issuer vouches for it, with these claims; so long was its answer.
    Yes(Rc<Map<String, Value>>, usize),
    /// The issuer does not.
    No,
    /// The issuer could not be asked.
    Failed,
}

struct Yes {
    claims: Rc<Map<String, Value>>,
    bytes: usize,
    until: i64,
}

/// What is known of tokens. Times are Unix seconds.
pub struct Memory {
    yes: LruCache<Digest, Yes>,
    bytes: usize,
    no: LruCache<Digest, i64>,
    failed: LruCache<Digest, i64>,
}

impl Memory {
    /// One that knows nothing.
    pub fn new() -> Self {
        Self { yes: LruCache::new(YES), bytes: 0, no: LruCache::new(NO), failed: LruCache::new(FAILED) }
    }

    /// What is known of a token. What is known no longer is forgotten.
    pub fn get(&mut self, token: &Digest, now: i64) -> Option<Known> {
        if let Some(yes) = self.yes.get(token) {
            if now < yes.until {
                return Some(Known::Yes(Rc::clone(&yes.claims), yes.bytes));
            }
            self.forget_yes(token);
        }
        for (memory, known) in [(&mut self.no, Known::No), (&mut self.failed, Known::Failed)] {
            match memory.get(token) {
                Some(until) if now < *until => return Some(known),
                Some(_) => drop(memory.pop(token)),
                None => {}
            }
        }
        None
    }

    /// Takes what is known of a token from now on, instead of what was.
    pub fn put(&mut self, token: Digest, known: Known, until: i64) {
        self.forget_yes(&token);
        self.no.pop(&token);
        self.failed.pop(&token);
        match known {
            Known::Yes(claims, bytes) => {
                // The one that was not asked for longest makes way.
                while self.yes.len() >= YES.get() || self.bytes.saturating_add(bytes) > YES_BYTES {
                    let Some((_, out)) = self.yes.pop_lru() else { break };
                    self.bytes = self.bytes.saturating_sub(out.bytes);
                }
                self.bytes = self.bytes.saturating_add(bytes);
                self.yes.put(token, Yes { claims, bytes, until });
            }
            Known::No => drop(self.no.put(token, until)),
            Known::Failed => drop(self.failed.put(token, until)),
        }
    }

    fn forget_yes(&mut self, token: &Digest) {
        if let Some(yes) = self.yes.pop(token) {
            self.bytes = self.bytes.saturating_sub(yes.bytes);
        }
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
