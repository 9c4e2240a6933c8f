//! The cache of verified tokens: a worker verifies the signature of a token once.
//!
//! An entry is found by the whole token, compared byte by byte, together with its scheme. It is not
//! used after the token's `exp`: an expired token is verified again, and refused.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::verified::Verified;
use crate::bytes::same;

/// What a token was verified for; with the token, the key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey {
    /// The scheme, by its place in the policy.
    pub scheme: usize,
    /// Which of its key sets, one after the other: what an older one verified is never found again.
    pub generation: u64,
}

/// How many of a token's last bytes its hash is made of. They are the signature's: only verified
/// tokens are entered, so a client cannot choose many that collide, and the hash costs the same however
/// long the token is.
const HASHED: usize = 16;

/// The verified tokens of one worker. A full cache evicts by the CLOCK algorithm: an entry that was used since the hand
/// last passed it stays for another round.
pub struct TokenCache {
    /// Numbers of slots, by hash.
    index: HashTable<usize>,
    slots: Vec<Option<Slot>>,
    /// Slots that are empty.
    free: Vec<usize>,
    hand: usize,
    max_entries: usize,
    max_token_bytes: usize,
    /// What hashes begin with, so that they differ from worker to worker.
    seed: u64,
}

struct Slot {
    key: CacheKey,
    token: Box<[u8]>,
    hash: u64,
    verified: Rc<Verified>,
    /// Used since the hand passed it.
    asked: bool,
}

impl TokenCache {
    /// A cache of at most `max_entries` tokens of at most `max_token_bytes` each; 0 entries: none.
    #[must_use]
    pub fn new(max_entries: usize, max_token_bytes: usize) -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            max_entries,
            max_token_bytes,
            seed: RandomState::new().hash_one(()),
        }
    }

    /// The verified token, if it is remembered under this key and `is_valid`. That is called only for a
    /// token that is found, because it may read the clock.
    #[inline]
    pub fn get(
        &mut self,
        key: CacheKey,
        token: &[u8],
        is_valid: impl FnOnce(&Verified) -> bool,
    ) -> Option<Rc<Verified>> {
        if token.len() > self.max_token_bytes || self.index.is_empty() {
            return None;
        }
        let number = self.find(self.hash(key, token), key, token)?;
        let slot = self.slots.get_mut(number)?.as_mut()?;
        if is_valid(&slot.verified) {
            slot.asked = true;
            return Some(Rc::clone(&slot.verified));
        }
        self.empty(number);
        self.free.push(number);
        None
    }

    /// Remembers a verified token.
    pub fn put(&mut self, key: CacheKey, token: &[u8], verified: &Rc<Verified>) {
        if token.len() > self.max_token_bytes || self.max_entries == 0 {
            return;
        }
        let hash = self.hash(key, token);
        let number = match self.find(hash, key, token) {
            Some(number) => {
                self.empty(number);
                number
            }
            None => self.room(),
        };
        let slot = Slot { key, token: token.into(), hash, verified: Rc::clone(verified), asked: false };
        if let Some(place) = self.slots.get_mut(number) {
            *place = Some(slot);
            let slots = &self.slots;
            let hash_of = |&number: &usize| slots.get(number).and_then(Option::as_ref).map_or(0, |s| s.hash);
            self.index.insert_unique(hash, number, hash_of);
        }
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    #[inline]
    fn hash(&self, key: CacheKey, token: &[u8]) -> u64 {
        let tail = token.last_chunk::<HASHED>().map_or(token, |tail| tail);
        let seed = self.seed ^ key.generation ^ (key.scheme as u64).rotate_right(16);
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        hasher.write(tail);
        hasher.finish()
    }

    #[inline]
    fn find(&self, hash: u64, key: CacheKey, token: &[u8]) -> Option<usize> {
        let is_it = |&number: &usize| {
            let slot = self.slots.get(number).and_then(Option::as_ref);
            slot.is_some_and(|slot| slot.key == key && same(&slot.token, token))
        };
        self.index.find(hash, is_it).copied()
    }

    /// Empties a slot.
    fn empty(&mut self, number: usize) {
        if let Some(slot) = self.slots.get_mut(number).and_then(Option::take)
            && let Ok(entry) = self.index.find_entry(slot.hash, |&own| own == number)
        {
            entry.remove();
        }
    }

    /// The number of an empty slot, made empty if need be.
    fn room(&mut self) -> usize {
        if let Some(number) = self.free.pop() {
            return number;
        }
        if self.slots.len() < self.max_entries {
            self.slots.push(None);
            return self.slots.len().saturating_sub(1);
        }
        loop {
            let number = self.hand;
            self.hand = self.hand.checked_add(1).filter(|&next| next < self.slots.len()).unwrap_or(0);
            match self.slots.get_mut(number).and_then(Option::as_mut) {
                Some(slot) if slot.asked => slot.asked = false,
                _ => {
                    self.empty(number);
                    return number;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
