//! Which of the logins that ask at once have their password hashed.
//!
//! The budget of a worker is small. A bucket alone gives it to the address that asks most often. So each
//! login has to leave a part of the credit to others, the larger the more its address has cost lately; a
//! wrong password counts several times. A flood keeps the credit at the level that the flood itself may
//! not go below, and what is left is for addresses that cost little or did not fail. Addresses that flood
//! alike get alike. An address that is alone gets all of the budget in the end.
//!
//! Addresses can be made up where Envoy trusts what a client writes into `X-Forwarded-For`, and each of
//! them is new. So an address that the name has logged in from before comes before a new one, and what
//! failed at a name, or from an IPv6 site, counts a little against other addresses there. Those wait, and
//! are never locked out.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::budget::Budget;
use super::known_addresses::KnownAddresses;
use super::usage::Usage;

/// How many times its cost a wrong password counts.
const WRONG_COUNTS: u64 = 16;
/// What an address has cost when it has to leave half of the credit to others, in microseconds.
const HALF_AT: u64 = 4_000_000;
/// What counts against an address that the name has not logged in from before: it leaves a quarter of the
/// credit to those that it has.
const UNKNOWN_ADDRESS: u64 = HALF_AT / 3;
/// By how much less counts what other addresses did, at the name or from the site.
const OTHERS: u64 = 10;
/// A login, by tags of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The client's address.
    pub address: u64,
    /// The site that an IPv6 address belongs to.
    pub site: Option<u64>,
    /// The name, with its directory.
    pub name: u64,
}

/// What came of a login at a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is not, and is right at another directory that it was for as well.
    RightElsewhere,
    /// It is not.
    Wrong,
}

/// The budget of a worker, and what was had of it.
#[derive(Debug)]
pub struct Admission {
    budget: Budget,
    addresses: Usage,
    sites: Usage,
    names: Usage,
    known: LoginHistory,
}

/// The addresses that names have logged in from, shared by the configurations of one worker: a new configuration
/// does not forget them. A name is known with its password hash, so that one is not taken for another.
#[derive(Clone, Debug, Default)]
pub struct LoginHistory(Rc<RefCell<KnownAddresses>>);

impl Admission {
    /// A full budget of `share` percent, of which nothing was had yet.
    pub fn new(share: u32, known: LoginHistory) -> Self {
        Self {
            budget: Budget::new(share),
            addresses: Usage::default(),
            sites: Usage::default(),
            names: Usage::default(),
            known,
        }
    }

    /// Whether a password may be hashed at `now`, on a clock that never goes back.
    ///
    /// # Errors
    /// The seconds to wait until it may, at least one.
    pub fn ask(&mut self, attempt: Attempt, now: Duration) -> Result<(), u64> {
        let counts = self.counts(attempt, now);
        let parts = counts.saturating_mul(1_000_000).checked_div(counts.saturating_add(HALF_AT));
        self.budget.ask_above(parts.and_then(|parts| u32::try_from(parts).ok()).unwrap_or(1_000_000), now)
    }

    /// Whether the name has logged in from this address before.
    pub fn knows(&self, attempt: Attempt) -> bool {
        self.known.0.borrow().contains(attempt.name, attempt.address)
    }

    /// What counts against a login, in microseconds.
    fn counts(&self, attempt: Attempt, now: Duration) -> u64 {
        let own = self.addresses.of(attempt.address, now);
        if self.knows(attempt) {
            return own;
        }
        let site = attempt.site.map_or(0, |site| self.sites.of(site, now));
        let others = site.saturating_add(self.names.of(attempt.name, now)) / OTHERS;
        own.saturating_add(others).saturating_add(UNKNOWN_ADDRESS)
    }

    /// Books a password that was hashed, and whether it was right.
    pub fn book(&mut self, attempt: Attempt, right: bool, cost: Duration, now: Duration) {
        self.book_more(cost);
        self.count(attempt, if right { Verdict::Right } else { Verdict::Wrong }, cost, now);
    }

    /// Counts a password whose hash is booked already.
    pub fn count(&mut self, attempt: Attempt, verdict: Verdict, cost: Duration, now: Duration) {
        let cost = u64::try_from(cost.as_micros()).unwrap_or(u64::MAX);
        let counts = match verdict {
            Verdict::Right | Verdict::RightElsewhere => cost,
            Verdict::Wrong => cost.saturating_mul(WRONG_COUNTS),
        };
        self.addresses.add(attempt.address, counts, now);
        self.names.add(attempt.name, counts, now);
        if let Some(site) = attempt.site {
            self.sites.add(site, counts, now);
        }
        if verdict == Verdict::Right {
            self.known.0.borrow_mut().insert(attempt.name, attempt.address);
        }
    }

    /// Books work that belongs to what was allowed already.
    pub fn book_more(&mut self, cost: Duration) {
        self.budget.book(cost);
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
