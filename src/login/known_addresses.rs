//! The addresses that a name has logged in from. An address is entered by a right password only, and a
//! name has few of them, so that a client cannot displace those of other names.

/// How many are remembered in all.
const ENTRIES: usize = 4096;
/// How many of a name.
const OF_A_NAME: usize = 4;

/// An address of a name, each by its tag, and when it was last used.
#[derive(Clone, Copy, Debug)]
struct Known {
    name: u64,
    address: u64,
    used: u64,
}

/// The table, sorted by name and address.
#[derive(Debug, Default)]
pub struct KnownAddresses {
    entries: Vec<Known>,
    /// Goes up by one with each login.
    clock: u64,
}

impl KnownAddresses {
    fn place(&self, name: u64, address: u64) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&(name, address), |known| (known.name, known.address))
    }

    /// Whether `name` has logged in from `address`.
    pub fn contains(&self, name: u64, address: u64) -> bool {
        self.place(name, address).is_ok()
    }

    /// Remembers that `name` has logged in from `address`.
    pub fn insert(&mut self, name: u64, address: u64) {
        self.clock = self.clock.saturating_add(1);
        let place = self.place(name, address);
        if let Some(known) = place.ok().and_then(|index| self.entries.get_mut(index)) {
            known.used = self.clock;
            return;
        }
        let of_name = self.entries.iter().filter(|known| known.name == name).count();
        if of_name >= OF_A_NAME || self.entries.len() >= ENTRIES {
            let is_candidate = |known: &Known| of_name < OF_A_NAME || known.name == name;
            let candidates = self.entries.iter().enumerate().filter(|(_, known)| is_candidate(known));
            if let Some((oldest, _)) = candidates.min_by_key(|(_, known)| known.used) {
                self.entries.remove(oldest);
            }
        }
        let (Ok(place) | Err(place)) = self.place(name, address);
        self.entries.insert(place, Known { name, address, used: self.clock });
    }
}

#[cfg(test)]
#[path = "known_addresses_tests.rs"]
mod tests;
