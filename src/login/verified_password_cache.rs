//! Verified Basic credentials, remembered under a keyed hash, so that a client which sends its
//! password with every request pays for the hash once.

use std::num::NonZeroUsize;

use hmac::{Hmac, KeyInit as _, Mac as _};
use lru::LruCache;
use sha2::Sha256;
use zeroize::Zeroizing;

/// How many credentials a worker remembers.
const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// What was verified, and until when that counts. Holds neither names nor passwords.
pub struct VerifiedPasswordCache {
    seconds: i64,
    entries: LruCache<[u8; 32], Verdict>,
    key: Zeroizing<[u8; 32]>,
}

/// What came of a credential at a directory.
#[derive(Clone, Copy)]
struct Verdict {
    is_right: bool,
    until: i64,
}

impl VerifiedPasswordCache {
    /// A cache with entries of `seconds` under `key`, which must be random. 0 seconds: it stays empty.
    #[must_use]
    pub fn new(seconds: i64, key: [u8; 32]) -> Self {
        Self { seconds, entries: LruCache::new(ENTRIES), key: Zeroizing::new(key) }
    }

    fn digest(&self, directory: &str, username: &str, password: &[u8]) -> Option<[u8; 32]> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).ok()?;
        for part in [directory.as_bytes(), username.as_bytes(), password] {
            // Lengths keep `a` + `bc` apart from `ab` + `c`.
            hmac.update(&part.len().to_le_bytes());
            hmac.update(part);
        }
        Some(hmac.finalize().into_bytes().into())
    }

    /// Whether this credential is right at a directory, if that is known and still counts at `now`, in Unix seconds.
    pub fn contains(&mut self, directory: &str, username: &str, password: &[u8], now: i64) -> Option<bool> {
        let digest = self.digest(directory, username, password)?;
        let Verdict { is_right, until } = *self.entries.get(&digest)?;
        if now < until {
            return Some(is_right);
        }
        self.entries.pop(&digest);
        None
    }

    /// Remembers a credential that was just verified, and whether it `is_right`. One that is wrong is for one that is right at
    /// another directory: what is right nowhere is remembered nowhere, lest guesses displace it.
    pub fn insert(&mut self, directory: &str, username: &str, password: &[u8], is_right: bool, now: i64) {
        if self.seconds > 0
            && let Some(digest) = self.digest(directory, username, password)
        {
            self.entries.put(digest, Verdict { is_right, until: now.saturating_add(self.seconds) });
        }
    }
}

#[cfg(test)]
#[path = "verified_password_cache_tests.rs"]
mod tests;
