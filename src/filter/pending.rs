//! The requests of one worker that wait: each for a fetch, each with a place, and no client with more
//! than its share of the places.
//!
//! A share that is a fixed part of all places is none where several clients take theirs: two halves are all.
//! So a share becomes smaller as the places run out. A client that has places gets another one while more are
//! free than it has, the reserve not counted. A client that has none gets one while any is free. Clients that
//! take all they can have as many places each as they leave free, and the reserve is left beside.

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
    /// How many of them are for clients that have none yet.
    pub reserve: u32,
    /// The most of one client address on one connection. A proxy may bring several clients on one.
    pub connection: u32,
    /// The most with one credential.
    pub credential: u32,
}

impl WaitLimits {
    /// For requests that wait for something that is being fetched.
    pub const FETCHES: Self = Self { all: 4096, reserve: 512, connection: 1024, credential: 512 };
    /// For requests for a token, which wait for their own body.
    pub const BODIES: Self = Self { all: 1024, reserve: 128, connection: 256, credential: 1024 };

    /// Whether an owner that has so many places may have one more, while so many are free.
    fn has_another(&self, owner: &QuotaOwner, held: u32, free: u32) -> bool {
        let most = match owner {
            QuotaOwner::Address(_) | QuotaOwner::Site(_) => self.all,
            QuotaOwner::Connection(..) => self.connection,
            QuotaOwner::Credential(_) => self.credential,
        };
        held == 0 || held < most.min(free.saturating_sub(self.reserve))
    }
}

/// A request that wants to wait.
#[derive(Clone, Debug, Default)]
pub struct WaitRequest {
    /// What it waits for.
    pub fetches: SmallVec<[PendingFetch; 1]>,
    /// When it waits no longer, on the host's monotonic clock.
    pub deadline: Duration,
    /// The client's address, of an IPv6 address the part that its client does not choose; `None`: it has none.
    pub address: Option<String>,
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
    Connection(u64, Option<String>),
    Credential(u64),
}

impl WaitRequest {
    #[inline(never)]
    fn owners(&self) -> [Option<QuotaOwner>; 4] {
        [
            self.address.clone().map(QuotaOwner::Address),
            self.site.clone().map(QuotaOwner::Site),
            self.connection.map(|number| QuotaOwner::Connection(number, self.address.clone())),
            self.credential.map(QuotaOwner::Credential),
        ]
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
        let taken = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let free = self.limits.all.saturating_sub(taken);
        let has_another = |owner: &QuotaOwner| {
            let held = self.held.get(owner).copied().unwrap_or_default();
            self.limits.has_another(owner, held, free)
        };
        let has_place = free > 0 && wait_request.owners().iter().flatten().all(has_another);
        if has_place {
            self.keep(id, wait_request);
        }
        has_place
    }

    /// Gives a request the place that it had, to wait on: a share that has become smaller meanwhile
    /// takes no place away.
    #[inline(never)]
    pub fn keep(&mut self, id: StreamId, wait_request: WaitRequest) {
        self.remove(id);
        for owner in wait_request.owners().into_iter().flatten() {
            let held = self.held.entry(owner).or_default();
            *held = held.saturating_add(1);
        }
        for &fetch in &wait_request.fetches {
            self.by_fetch.entry(fetch).or_default().insert(id);
        }
        self.by_deadline.insert((wait_request.deadline, id));
        self.places.insert(id, Entry { wait_request, is_due: false });
    }

    /// A request waits no longer; gives back what it waited with.
    #[inline(never)]
    pub fn remove(&mut self, id: StreamId) -> Option<WaitRequest> {
        let Entry { wait_request, .. } = self.places.remove(&id)?;
        for owner in wait_request.owners().into_iter().flatten() {
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
