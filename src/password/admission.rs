//! Who may have a password hashed now, of all who ask at once.
//!
//! A worker's budget for hashing is small, and everybody wants it. Without more the one who asks most
//! often has it all. So everybody has to leave a part of the credit to others, the larger the more an
//! address has cost lately, wrong passwords counting several times. A flood keeps the credit at the level
//! that the flood itself may not go below; who has cost little, or has not failed, is let in from what is
//! left. Addresses that flood alike get alike. Alone, an address gets everything in the end.
//!
//! Addresses can be made up where a proxy trusts what a client writes into `X-Forwarded-For`, and each is
//! new. So an address from which this name has logged in before comes before one that is only new, and what
//! failed for a name, or in an IPv6 site, wherever from, counts a little against others there. That makes
//! them wait for their turn and never locks them out.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use smallvec::SmallVec;

use super::budget::Budget;
use super::usage::Usage;

/// How many times its cost a wrong password counts.
const WRONG_COUNTS: u64 = 8;
/// What an address has cost when it has to leave half of the credit to others, in microseconds.
const HALF_AT: u64 = 4_000_000;
/// What counts against an address that the name has not logged in from before: a quarter of the credit
/// is left to those that it has.
const STRANGER: u64 = HALF_AT / 3;
/// By how much less counts what others did, to a name or from the same site.
const OTHERS: u64 = 10;
/// How many names are remembered with the addresses that they logged in from. Only a right password gets
/// a name in, so nobody without one displaces any.
const NAMES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// How many addresses of a name.
const ADDRESSES: usize = 4;

/// Who asks, by tags that stand for the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The client's address.
    pub address: u64,
    /// The site that an IPv6 address belongs to.
    pub site: Option<u64>,
    /// The name, with its directory.
    pub name: u64,
}

/// The budget of a worker, and who had what of it.
#[derive(Debug)]
pub struct Admission {
    budget: Budget,
    addresses: Usage,
    sites: Usage,
    names: Usage,
    /// The addresses that a name has logged in from, the latest first.
    homes: LruCache<u64, SmallVec<[u64; ADDRESSES]>>,
}

impl Admission {
    /// A full budget of `share` percent, of which nobody had anything yet.
    pub fn new(share: u32) -> Self {
        Self {
            budget: Budget::new(share),
            addresses: Usage::default(),
            sites: Usage::default(),
            names: Usage::default(),
            homes: LruCache::new(NAMES),
        }
    }

    /// Whether a password may be hashed at `now`, on a clock that never goes back.
    ///
    /// # Errors
    /// The seconds to wait until it may, at least one.
    pub fn ask(&mut self, who: Who, now: Duration) -> Result<(), u64> {
        let counts = self.counts(who, now);
        let parts = counts.saturating_mul(1_000_000).checked_div(counts.saturating_add(HALF_AT));
        self.budget.ask_above(parts.and_then(|parts| u32::try_from(parts).ok()).unwrap_or(1_000_000), now)
    }

    /// What counts against them, in microseconds.
    fn counts(&self, who: Who, now: Duration) -> u64 {
        let own = self.addresses.of(who.address, now);
        if self.is_home(who) {
            return own;
        }
        let site = who.site.map_or(0, |site| self.sites.of(site, now));
        let others = site.saturating_add(self.names.of(who.name, now)) / OTHERS;
        own.saturating_add(others).saturating_add(STRANGER)
    }

    fn is_home(&self, who: Who) -> bool {
        self.homes.peek(&who.name).is_some_and(|homes| homes.contains(&who.address))
    }

    /// Books a password that was hashed, and whether it was right.
    pub fn book(&mut self, who: Who, right: bool, cost: Duration, now: Duration) {
        self.budget.book(cost);
        let cost = u64::try_from(cost.as_micros()).unwrap_or(u64::MAX);
        let counts = if right { cost } else { cost.saturating_mul(WRONG_COUNTS) };
        self.addresses.add(who.address, counts, now);
        self.names.add(who.name, counts, now);
        if let Some(site) = who.site {
            self.sites.add(site, counts, now);
        }
        if right {
            let homes = self.homes.get_or_insert_mut(who.name, SmallVec::new);
            homes.retain(|home| *home != who.address);
            homes.truncate(ADDRESSES.saturating_sub(1));
            homes.insert(0, who.address);
        }
    }

    /// Books work that belongs to what was let in already.
    pub fn book_more(&mut self, cost: Duration) {
        self.budget.book(cost);
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
