//! What an issuer said of tokens. Active tokens, inactive ones and failures have a cache each: a client that makes up
//! tokens fills that of the inactive ones, and displaces no active one.

use std::any::Any;
use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;
use serde_json::{Map, Value};

/// How many tokens that are good are remembered.
const ACTIVE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// How many bytes the answers about them may have had together.
const ACTIVE_BYTES: usize = 4 * 1024 * 1024;
/// How many that are not.
const INACTIVE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// How many that could not be asked after.
const FAILED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

pub use super::pending_fetch::TokenDigest as Digest;

/// What the issuer said of a token.
#[derive(Clone, Debug)]
pub enum CachedAnswer {
    /// The issuer vouches for it; so long was its answer.
    Active(Rc<Introspected>, usize),
    /// The issuer says that it is not active.
    Inactive,
    /// The issuer could not be asked.
    Failed,
}

/// What an issuer says of a token that it vouches for, and what was made of that: an answer is read once, however many
/// requests come with the token.
#[derive(Debug, Default)]
pub struct Introspected {
    /// The claims.
    pub claims: Map<String, Value>,
    /// What its verifier made of them.
    pub made: OnceCell<Rc<dyn Any>>,
}

struct Active {
    answer: Rc<Introspected>,
    bytes: usize,
    until: i64,
}

/// What is known of tokens. Times are Unix seconds.
pub struct IntrospectionCache {
    active: LruCache<Digest, Active>,
    bytes: usize,
    inactive: LruCache<Digest, i64>,
    failed: LruCache<Digest, i64>,
}

impl IntrospectionCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self {
            active: LruCache::new(ACTIVE),
            bytes: 0,
            inactive: LruCache::new(INACTIVE),
            failed: LruCache::new(FAILED),
        }
    }

    /// What is known of a token. What is known no longer is forgotten.
    pub fn get(&mut self, token: &Digest, now: i64) -> Option<CachedAnswer> {
        if let Some(active) = self.active.get(token) {
            if now < active.until {
                return Some(CachedAnswer::Active(Rc::clone(&active.answer), active.bytes));
            }
            self.forget_active(token);
        }
        for (cache, known) in
            [(&mut self.inactive, CachedAnswer::Inactive), (&mut self.failed, CachedAnswer::Failed)]
        {
            match cache.get(token) {
                Some(until) if now < *until => return Some(known),
                Some(_) => drop(cache.pop(token)),
                None => {}
            }
        }
        None
    }

    /// Takes what is known of a token from now on, instead of what was.
    pub fn put(&mut self, token: Digest, known: CachedAnswer, until: i64) {
        self.forget_active(&token);
        self.inactive.pop(&token);
        self.failed.pop(&token);
        match known {
            CachedAnswer::Active(answer, bytes) => {
                // The one that was not asked for longest makes way.
                while self.active.len() >= ACTIVE.get() || self.bytes.saturating_add(bytes) > ACTIVE_BYTES {
                    let Some((_, out)) = self.active.pop_lru() else { break };
                    self.bytes = self.bytes.saturating_sub(out.bytes);
                }
                self.bytes = self.bytes.saturating_add(bytes);
                self.active.put(token, Active { answer, bytes, until });
            }
            CachedAnswer::Inactive => drop(self.inactive.put(token, until)),
            CachedAnswer::Failed => drop(self.failed.put(token, until)),
        }
    }

    fn forget_active(&mut self, token: &Digest) {
        if let Some(active) = self.active.pop(token) {
            self.bytes = self.bytes.saturating_sub(active.bytes);
        }
    }
}

#[cfg(test)]
#[path = "introspection_cache_tests.rs"]
mod tests;
