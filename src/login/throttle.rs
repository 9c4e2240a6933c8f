//! Failed passwords and client secrets, counted for all workers in the host's shared data.
//!
//! Two things are counted: failures of one account from one client address, and failures from one
//! address whatever the account. An account cannot be locked out from another address, and
//! one address cannot try one password on every account.
//!
//! An account is a name in a directory: the same name elsewhere is another one, so that a right password
//! there forgives nothing here. The directory counts by what is in it, for shared data may be shared with
//! the configuration of another listener, which has a directory of that name too.
//!
//! Shared data is never swept by the host, so the counters live in a fixed number of slots with a
//! fixed number of entries each: made-up usernames push out one another, the smallest count first.

use crate::host::{ClientAddress, Host, HostError};

/// Slots in shared data.
const SLOTS: u64 = 1024;
/// Entries in a slot.
const ENTRIES: usize = 16;
/// Bytes of an entry: tag, start of its window, count.
const ENTRY_BYTES: usize = 20;
/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;
/// How many times more failures an address has than an account.
const ADDRESS_FACTOR: u32 = 10;

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

/// What a secret is checked for: a name in a directory, by a digest of both. A name may be as long as a request
/// lets it be, so it is hashed once.
#[derive(Clone, Copy, Debug)]
pub struct Account([u8; 32]);

impl Account {
    /// A name in the directory that has this digest.
    #[must_use]
    pub fn new(directory: &[u8; 32], name: &[u8]) -> Self {
        Self(crate::digest::of(&[directory, name]))
    }

    /// What stands for it.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Who is counted.
#[derive(Clone, Copy)]
struct Counter {
    slot: u64,
    tag: u64,
    limit: u32,
}

impl Throttle {
    /// The seconds until a login at `account` from `address` may be tried, if it may not now.
    ///
    /// # Errors
    /// If shared data cannot be read.
    pub fn wait(
        &self,
        host: &dyn Host,
        account: Account,
        address: &ClientAddress,
    ) -> Result<Option<u64>, HostError> {
        let now = host.now();
        let mut wait = None;
        for counter in self.counters(account, address) {
            let (entries, _) = read(host, counter.slot)?;
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
        let now = host.now();
        for counter in self.counters(account, address) {
            update(host, counter.slot, |entries| self.count(entries, counter.tag, now))?;
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
        let [own, _] = self.counters(account, address);
        let (entries, _) = read(host, own.slot)?;
        if entries.iter().any(|entry| entry.tag == own.tag) {
            update(host, own.slot, |entries| entries.retain(|entry| entry.tag != own.tag))?;
        }
        Ok(())
    }

    fn counters(&self, account: Account, address: &ClientAddress) -> [Counter; 2] {
        let counter = |parts: &[&[u8]], limit| {
            let [slot, tag] = tags(parts);
            Counter { slot: slot % SLOTS, tag, limit }
        };
        let address = address.as_str().as_bytes();
        [
            counter(&[account.digest(), address], self.failures),
            counter(&[address], self.failures.saturating_mul(ADDRESS_FACTOR)),
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
}

/// Two numbers that stand for `parts`, and for nothing else.
pub fn tags(parts: &[&[u8]]) -> [u64; 2] {
    let digest = crate::digest::of(parts);
    let word = |range: std::ops::Range<usize>| {
        let bytes = digest.get(range).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    };
    [word(0..8), word(8..16)]
}

fn key(slot: u64) -> String {
    format!("lychgate.throttle.{slot}")
}

fn read(host: &dyn Host, slot: u64) -> Result<(Vec<Entry>, u32), HostError> {
    Ok(match host.get_shared_data(&key(slot))? {
        None => (Vec::new(), 0),
        Some((bytes, version)) => {
            (bytes.chunks_exact(ENTRY_BYTES).filter_map(Entry::from_bytes).collect(), version)
        }
    })
}

fn update(host: &dyn Host, slot: u64, change: impl Fn(&mut Vec<Entry>)) -> Result<(), HostError> {
    for _ in 0..TRIES {
        let (mut entries, version) = read(host, slot)?;
        change(&mut entries);
        let bytes: Vec<u8> = entries.iter().copied().flat_map(Entry::to_bytes).collect();
        if host.set_shared_data(&key(slot), &bytes, version)? {
            return Ok(());
        }
    }
    // So many workers at one counter: the others have counted enough for this one.
    Ok(())
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
