//! Failed passwords and client secrets, counted for all workers in the host's shared data.
//!
//! Two things are counted: failures of one account from one client address, and failures from one
//! address whatever the account. An account cannot be locked out from another address, and
//! one address cannot try one password on every account. An IPv6 site has 65,536 addresses, so both are
//! counted for the site as well, with higher limits. A client without an address is not distinguished from others, so
//! only failures of an account are counted then.
//!
//! An account is a name in a directory: the same name elsewhere is another one, so that a right password
//! there forgives nothing here. Shared data may be shared with the configuration of another listener, which
//! may have a directory of that name too: see [`Account`].
//!
//! Shared data is never swept by the host, so the counters live in a fixed number of slots with a
//! fixed number of entries each: made-up usernames push out one another, the smallest count first. Settings
//! that differ have slots of their own: a shorter window ends no counter of a longer one, and a higher limit
//! lets no client push out the counters of a lower one.

use crate::host::{ClientAddress, Host, HostError};

/// Slots in shared data.
const SLOTS: u64 = 1024;
/// Entries in a slot.
const ENTRIES: usize = 16;
/// Bytes of an entry: tag, start of its window, count.
const ENTRY_BYTES: usize = 20;
/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;
/// How many times more failures an address has than an account, and a site than an address.
const FACTOR: u32 = 10;

/// The limits.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Failures of an account from an address before the next is refused.
    pub failures: u32,
    /// Length of the window in seconds, from the first failure.
    pub window: i64,
}

/// One counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: u64,
    start: i64,
    count: u32,
}

/// What a secret is checked for: a name, and what the directory makes of it, by a digest of both. A name may be
/// as long as a request lets it be, so it is hashed once.
#[derive(Clone, Copy, Debug)]
pub struct Account([u8; 32]);

impl Account {
    /// A name that has this mark in its directory: see [`UserDirectory::mark`](crate::identity::UserDirectory::mark).
    #[must_use]
    pub fn new(mark: &[u8; 32], name: &[u8]) -> Self {
        Self(crate::digest::of(&[mark, name]))
    }

    /// Its tag.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What is counted.
#[derive(Clone, Copy)]
struct Counter {
    slot: u64,
    tag: u64,
    limit: u32,
    is_of_site: bool,
}

impl Counter {
    #[inline(never)]
    fn new(parts: &[&[u8]], limit: u32) -> Self {
        let [slot, tag] = tags(parts);
        Self { slot: slot % SLOTS, tag, limit, is_of_site: false }
    }
}

impl Throttle {
    /// The seconds until a login at `account` from `address` may be tried, if it may not now. `is_known`: the
    /// account has logged in from this address before, so the failures of its site do not count against it.
    ///
    /// # Errors
    /// If shared data cannot be read.
    pub fn wait(
        &self,
        host: &dyn Host,
        account: Account,
        address: &ClientAddress,
        is_known: bool,
    ) -> Result<Option<u64>, HostError> {
        let now = host.now();
        let mut wait = None;
        for counter in self.counters(account, address).into_iter().flatten() {
            if is_known && counter.is_of_site {
                continue;
            }
            let (entries, _) = self.read(host, counter.slot)?;
            let held = entries.iter().find(|entry| {
                entry.tag == counter.tag && entry.count >= counter.limit && self.holds(entry, now)
            });
            if let Some(entry) = held {
                let end = entry.start.saturating_add(self.window);
                let seconds = u64::try_from(end.saturating_sub(now)).unwrap_or(0).max(1);
                wait = wait.max(Some(seconds));
            }
        }
        Ok(wait)
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// If shared data cannot be written: then nothing holds back the next guess.
    pub fn fail(&self, host: &dyn Host, account: Account, address: &ClientAddress) -> Result<(), HostError> {
        self.add(host, &self.counters(account, address))
    }

    /// Counts a failure of an account that its address and site are not to have once more.
    ///
    /// # Errors
    /// If shared data cannot be written: then nothing holds back the next guess.
    pub fn fail_again(
        &self,
        host: &dyn Host,
        account: Account,
        address: &ClientAddress,
    ) -> Result<(), HostError> {
        let [own, _, of_account_and_site, _] = self.counters(account, address);
        self.add(host, &[own, of_account_and_site])
    }

    fn add(&self, host: &dyn Host, counters: &[Option<Counter>]) -> Result<(), HostError> {
        let now = host.now();
        for counter in counters.iter().flatten() {
            self.update(host, counter.slot, &|entries| self.count(entries, counter.tag, now))?;
        }
        Ok(())
    }

    /// Forgets the failures of `account` from `address`, which has just given the right password. Those of
    /// the address stay: a login of one's own is no licence to go on guessing at others.
    ///
    /// # Errors
    /// If shared data cannot be written.
    pub fn succeed(
        &self,
        host: &dyn Host,
        account: Account,
        address: &ClientAddress,
    ) -> Result<(), HostError> {
        let own = self.own_counter(account, address);
        let (entries, _) = self.read(host, own.slot)?;
        if entries.iter().any(|entry| entry.tag == own.tag) {
            self.update(host, own.slot, &|entries| entries.retain(|entry| entry.tag != own.tag))?;
        }
        Ok(())
    }

    /// The counter of an account and the address, which a right password ends.
    fn own_counter(&self, account: Account, address: &ClientAddress) -> Counter {
        match address.as_str() {
            Some(address) => Counter::new(&[account.digest(), address.as_bytes()], self.failures),
            None => Counter::new(&[account.digest()], self.failures),
        }
    }

    /// What is counted: of the account and the address, of the address, and of its site the same two.
    fn counters(&self, account: Account, address: &ClientAddress) -> [Option<Counter>; 4] {
        let of_address = self.failures.saturating_mul(FACTOR);
        let of_site = of_address.saturating_mul(FACTOR);
        let site = |parts: &[&[u8]], limit| Counter { is_of_site: true, ..Counter::new(parts, limit) };
        [
            Some(self.own_counter(account, address)),
            address.as_str().map(|address| Counter::new(&[address.as_bytes()], of_address)),
            address.site().map(|own| site(&[b"site", account.digest(), own.as_bytes()], of_address)),
            address.site().map(|own| site(&[b"site", own.as_bytes()], of_site)),
        ]
    }

    fn holds(&self, entry: &Entry, now: i64) -> bool {
        // A clock that was set back ends a window too: better an early end than one without end.
        (entry.start..entry.start.saturating_add(self.window)).contains(&now)
    }

    fn count(&self, entries: &mut Vec<Entry>, tag: u64, now: i64) {
        entries.retain(|entry| self.holds(entry, now));
        if let Some(entry) = entries.iter_mut().find(|entry| entry.tag == tag) {
            entry.count = entry.count.saturating_add(1);
            return;
        }
        if entries.len() >= ENTRIES
            && let Some((least, _)) = entries.iter().enumerate().min_by_key(|(_, entry)| entry.count)
        {
            entries.swap_remove(least);
        }
        entries.push(Entry { tag, start: now, count: 1 });
    }

    /// Where a slot is in shared data: settings that differ share none.
    fn key(&self, slot: u64) -> String {
        format!("lychgate.throttle.{}.{}.{slot}", self.failures, self.window)
    }

    fn read(&self, host: &dyn Host, slot: u64) -> Result<(Vec<Entry>, u32), HostError> {
        Ok(match host.get_shared_data(&self.key(slot))? {
            None => (Vec::new(), 0),
            Some((bytes, version)) => {
                (bytes.chunks_exact(ENTRY_BYTES).filter_map(Entry::from_bytes).collect(), version)
            }
        })
    }

    fn update(&self, host: &dyn Host, slot: u64, change: &dyn Fn(&mut Vec<Entry>)) -> Result<(), HostError> {
        for _ in 0..TRIES {
            let (mut entries, version) = self.read(host, slot)?;
            change(&mut entries);
            let bytes: Vec<u8> = entries.iter().copied().flat_map(Entry::to_bytes).collect();
            if host.set_shared_data(&self.key(slot), &bytes, version)? {
                return Ok(());
            }
        }
        // So many workers at one counter: the others have counted enough for this one.
        Ok(())
    }
}

/// Two numbers that are a tag of `parts`, and of no other parts.
pub fn tags(parts: &[&[u8]]) -> [u64; 2] {
    let digest = crate::digest::of(parts);
    let word = |range: std::ops::Range<usize>| {
        let bytes = digest.get(range).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    };
    [word(0..8), word(8..16)]
}

impl Entry {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.tag.to_le_bytes().to_vec();
        bytes.extend(self.start.to_le_bytes());
        bytes.extend(self.count.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (count, _) = rest.split_first_chunk()?;
        Some(Self {
            tag: u64::from_le_bytes(*tag),
            start: i64::from_le_bytes(*start),
            count: u32::from_le_bytes(*count),
        })
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
