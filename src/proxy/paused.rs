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

/// The requests of one worker that wait.
#[derive(Default)]
pub struct Paused {
    waiting: RefCell<Vec<Waiting>>,
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
        self.waiting.borrow_mut().retain(|waiting| waiting.context != context);
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

/// Decides everybody anew who waits: when something changed outside, and when patience is over.
pub fn decide_anew(shared: &Shared) {
    let changes = shared.engine.remotes().changes();
    let has_changed = shared.paused.seen.replace(changes) != changes;
    let waiting = std::mem::take(&mut *shared.paused.waiting.borrow_mut());
    let now = shared.host.uptime();
    let mut still = Vec::new();
    for request in waiting {
        let patient = now.saturating_sub(request.since) < PATIENCE;
        if patient && !has_changed {
            still.push(request);
            continue;
        }
        // A context that is gone is taken out when it goes; any other can be spoken of next time.
        if abi::speak_of(request.context).is_err() {
            still.push(request);
            continue;
        }
        let decision = match abi::parse_map(&request.headers) {
            Some(headers) => shared.engine.decide(&Request::new(&headers), &shared.host, patient),
            None => Decision::Deny(Denial::host_failure("request headers are not there")),
        };
        match decision {
            Decision::Await => still.push(request),
            decision => {
                if carry_out(shared, &decision) && abi::resume_request().is_err() {
                    // Better an answer than none.
                    let denial = Denial::host_failure("a request that waited cannot go on");
                    carry_out(shared, &Decision::Deny(denial));
                }
            }
        }
    }
    shared.paused.waiting.borrow_mut().extend(still);
    let _ = abi::speak_of(shared.root_context);
}
