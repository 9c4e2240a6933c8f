//! The requests of one worker that wait: each for a fetch, each with a place, and no client with more than its
//! share of the places.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use smallvec::SmallVec;

use crate::fetch::PendingFetch;

/// The number of a request, as the host gave it.
pub type StreamId = u32;

/// How many requests may wait, and how many of them for one address, connection or credential: the rest is left to
/// others.
#[derive(Clone, Copy, Debug)]
pub struct WaitLimits {
    /// In all, on one worker.
    pub all: u32,
    /// Of one client address, or one IPv6 site.
    pub address: u32,
    /// Of one client address on one connection. A proxy may bring several clients on one.
    pub connection: u32,
    /// With one credential.
    pub credential: u32,
}

impl WaitLimits {
    /// For requests that wait for something that is being fetched.
    pub const FETCHES: Self = Self { all: 4096, address: 2048, connection: 1024, credential: 512 };
    /// For requests for a token, which wait for their own body.
    pub const BODIES: Self = Self { all: 1024, address: 512, connection: 256, credential: 1024 };
}

/// A request that wants to wait.
#[derive(Clone, Debug, Default)]
pub struct WaitRequest {
    /// What it waits for.
    pub fetches: SmallVec<[PendingFetch; 1]>,
    /// When it waits no longer, on the host's monotonic clock.
    pub deadline: Duration,
    /// The client's address, of an IPv6 address the part that its client does not choose.
    pub address: String,
    /// The site that an IPv6 address belongs to.
    pub site: Option<String>,
    /// The client's connection.
    pub connection: Option<u64>,
    /// A name for its credential; `None`: it waits without one.
    pub credential: Option<u64>,
}

/// What the places are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum QuotaOwner {
    Address(String),
    Site(String),
    Connection(u64, String),
    Credential(u64),
}

impl QuotaOwner {
    fn most(&self, places: &WaitLimits) -> u32 {
        match self {
            Self::Address(_) | Self::Site(_) => places.address,
            Self::Connection(..) => places.connection,
            Self::Credential(_) => places.credential,
        }
    }
}

impl WaitRequest {
    fn owners(&self) -> impl Iterator<Item = QuotaOwner> {
        let address = QuotaOwner::Address(self.address.clone());
        let site = self.site.clone().map(QuotaOwner::Site);
        let connection =
            self.connection.map(|connection| QuotaOwner::Connection(connection, self.address.clone()));
        let credential = self.credential.map(QuotaOwner::Credential);
        std::iter::once(address).chain(site).chain(connection).chain(credential)
    }
}

struct Entry {
    wait_request: WaitRequest,
    /// Whether it is among those that are due.
    is_due: bool,
}

/// The requests that wait. All of it is found by name: no step looks at everyone.
pub struct PendingRequests {
    limits: WaitLimits,
    places: BTreeMap<StreamId, Entry>,
    held: BTreeMap<QuotaOwner, u32>,
    by_fetch: BTreeMap<PendingFetch, BTreeSet<StreamId>>,
    by_deadline: BTreeSet<(Duration, StreamId)>,
    due: VecDeque<StreamId>,
}

impl PendingRequests {
    /// None waits yet.
    pub fn new(limits: WaitLimits) -> Self {
        Self {
            limits,
            places: BTreeMap::new(),
            held: BTreeMap::new(),
            by_fetch: BTreeMap::new(),
            by_deadline: BTreeSet::new(),
            due: VecDeque::new(),
        }
    }

    /// Gives a request a place, if there is one for it.
    pub fn add(&mut self, id: StreamId, wait_request: WaitRequest) -> bool {
        self.remove(id);
        let is_full =
            |owner: QuotaOwner| self.held.get(&owner).is_some_and(|&held| held >= owner.most(&self.limits));
        if self.places.len() >= self.limits.all as usize || wait_request.owners().any(is_full) {
            return false;
        }
        for owner in wait_request.owners() {
            let held = self.held.entry(owner).or_default();
            *held = held.saturating_add(1);
        }
        for &fetch in &wait_request.fetches {
            self.by_fetch.entry(fetch).or_default().insert(id);
        }
        self.by_deadline.insert((wait_request.deadline, id));
        self.places.insert(id, Entry { wait_request, is_due: false });
        true
    }

    /// A request waits no longer; gives back what it waited with.
    pub fn remove(&mut self, id: StreamId) -> Option<WaitRequest> {
        let Entry { wait_request, .. } = self.places.remove(&id)?;
        for owner in wait_request.owners() {
            if let Some(held) = self.held.get_mut(&owner) {
                *held = held.saturating_sub(1);
                if *held == 0 {
                    self.held.remove(&owner);
                }
            }
        }
        for fetch in &wait_request.fetches {
            if let Some(ids) = self.by_fetch.get_mut(fetch) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_fetch.remove(fetch);
                }
            }
        }
        self.by_deadline.remove(&(wait_request.deadline, id));
        // Among those that are due it is passed over when its turn comes.
        Some(wait_request)
    }

    /// Something arrived: the requests that wait for it are due.
    pub fn wake(&mut self, fetch: &PendingFetch) {
        for id in self.by_fetch.remove(fetch).unwrap_or_default() {
            self.make_due(id);
        }
    }

    /// The requests whose time is up are due.
    pub fn expire(&mut self, now: Duration) {
        while let Some(&(deadline, id)) = self.by_deadline.first() {
            if deadline > now {
                break;
            }
            self.by_deadline.pop_first();
            self.make_due(id);
        }
    }

    fn make_due(&mut self, id: StreamId) {
        if let Some(place) = self.places.get_mut(&id).filter(|place| !place.is_due) {
            place.is_due = true;
            self.due.push_back(id);
        }
    }

    /// The next request that is due, if there is one. It keeps its place until it is [removed](Self::remove).
    pub fn next_due(&mut self) -> Option<StreamId> {
        while let Some(id) = self.due.pop_front() {
            if let Some(place) = self.places.get_mut(&id).filter(|place| place.is_due) {
                place.is_due = false;
                return Some(id);
            }
        }
        None
    }

    /// A request that was due could not be spoken of: it is due again.
    pub fn put_back(&mut self, id: StreamId) {
        self.make_due(id);
    }

    /// Whether some request is due.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
