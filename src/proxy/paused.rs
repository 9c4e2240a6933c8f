//! Requests that wait for something to be fetched: their headers are kept, and they are decided anew
//! whenever something came.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use zeroize::Zeroizing;

use super::abi;
use super::http::carry_out;
use super::root::Shared;
use crate::decision::{Decision, Denial};
use crate::host::Host as _;
use crate::request::Request;

/// How long a request waits, at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests of a worker may wait.
const MOST: usize = 1024;

/// How many are decided anew in one callback. Envoy carries out their answers one within the other, each
/// of which enters the module again: some three hundred exhaust the stack.
const SLICE: usize = 32;

/// The requests of one worker that wait.
#[derive(Default)]
pub struct Paused {
    waiting: RefCell<Vec<Waiting>>,
    /// How many of them, from the first on, have yet to be decided by the latest change.
    behind: Cell<usize>,
    /// The changes outside that everybody who waits has been decided by.
    seen: Cell<u64>,
}

struct Waiting {
    context: u32,
    headers: Zeroizing<Vec<u8>>,
    since: Duration,
}

impl Paused {
    /// Takes a request in, with its headers as the ABI serialises them; says whether there is room.
    pub fn add(&self, context: u32, headers: Vec<u8>, now: Duration) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MOST {
            return false;
        }
        waiting.push(Waiting { context, headers: Zeroizing::new(headers), since: now });
        true
    }

    /// A request is gone.
    pub fn remove(&self, context: u32) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(place) = waiting.iter().position(|waiting| waiting.context == context) {
            waiting.remove(place);
            if place < self.behind.get() {
                self.behind.set(self.behind.get().saturating_sub(1));
            }
        }
    }

    /// Whether this request waits.
    pub fn holds(&self, context: u32) -> bool {
        self.waiting.borrow().iter().any(|waiting| waiting.context == context)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

/// Decides those anew who wait, a slice at a time: when something changed outside, and when patience is
/// over.
pub fn decide_anew(shared: &Shared) {
    let paused = &shared.paused;
    let changes = shared.engine.remotes().changes();
    if paused.seen.replace(changes) != changes {
        paused.behind.set(paused.waiting.borrow().len());
    }
    let now = shared.host.uptime();
    let mut decided = 0;
    let mut place = 0;
    while decided < SLICE {
        let next = {
            let mut waiting = paused.waiting.borrow_mut();
            let Some(request) = waiting.get(place) else { break };
            let patient = now.saturating_sub(request.since) < PATIENCE;
            if patient && place >= paused.behind.get() {
                place = place.saturating_add(1);
                continue;
            }
            if place < paused.behind.get() {
                paused.behind.set(paused.behind.get().saturating_sub(1));
            }
            (waiting.remove(place), patient)
        };
        let (request, patient) = next;
        decided = decided.saturating_add(1);
        if let Some(request) = decide(shared, request, patient) {
            paused.waiting.borrow_mut().push(request);
        }
    }
    let _ = abi::speak_of(shared.root_context);
}

/// Decides a request anew; gives it back if it waits on.
fn decide(shared: &Shared, request: Waiting, patient: bool) -> Option<Waiting> {
    // A context that is gone is taken out when it goes; any other can be spoken of next time.
    if abi::speak_of(request.context).is_err() {
        return Some(request);
    }
    let decision = match abi::parse_map(&request.headers) {
        Some(headers) => shared.engine.decide(&Request::new(&headers), &shared.host, patient),
        None => Decision::Deny(Denial::host_failure("request headers are not there")),
    };
    if decision == Decision::Await {
        return Some(request);
    }
    if carry_out(shared, &decision) && abi::resume_request().is_err() {
        // Better an answer than none.
        let denial = Denial::host_failure("a request that waited cannot go on");
        carry_out(shared, &Decision::Deny(denial));
    }
    None
}
