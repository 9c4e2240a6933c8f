//! Waiting for the body of a request for a token.
//!
//! The request must not reach the upstream meanwhile. Envoy 1.35 and later can hold the head back
//! and still hand over the body, if the plugin's `allow_on_headers_stop_iteration` is set. Without
//! that, a head that is held back holds its body back too, and nobody says so. So the first
//! request finds out: if its body does not come within a moment, it is let go, and when the body
//! then comes at once, heads are let go from then on. The upstream then sees such a head, without
//! credentials and without its body, and a broken stream.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::abi;

/// How long the first head is held back before it is let go.
const PATIENCE: Duration = Duration::from_millis(200);
/// How soon the body follows a head that was the only thing in its way.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Whether a head that is held back holds its body back too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holding {
    Unknown,
    HeadOnly,
    BodyToo,
}

/// Requests of one worker whose body is awaited.
pub struct Waiting {
    holding: Cell<Holding>,
    requests: RefCell<Vec<Awaited>>,
}

struct Awaited {
    context: u32,
    since: Duration,
    let_go: Option<Duration>,
}

impl Waiting {
    /// Nobody waits.
    pub fn new() -> Self {
        Self { holding: Cell::new(Holding::Unknown), requests: RefCell::new(Vec::new()) }
    }

    /// Begins to wait at `now` on the host's monotonic clock. Says whether the head is held back.
    pub fn begin(&self, context: u32, now: Duration) -> bool {
        match self.holding.get() {
            Holding::BodyToo => false,
            Holding::HeadOnly => true,
            Holding::Unknown => {
                self.requests.borrow_mut().push(Awaited { context, since: now, let_go: None });
                true
            }
        }
    }

    /// Whether somebody waits who may have to be let go.
    pub fn is_watched(&self) -> bool {
        !self.requests.borrow().is_empty()
    }

    /// Some of the body came.
    pub fn arrived(&self, context: u32, now: Duration) {
        if self.holding.get() != Holding::Unknown {
            return;
        }
        let found =
            self.requests.borrow().iter().find(|awaited| awaited.context == context).map(|a| a.let_go);
        match found {
            Some(None) => {
                self.learned(Holding::HeadOnly);
                // Nobody has to be let go any more, this one least of all: what came of its body so far
                // would go on to the upstream, and what comes yet would be taken for all of it.
                self.requests.borrow_mut().clear();
            }
            Some(Some(let_go)) if now.saturating_sub(let_go) < AT_ONCE => {
                abi::log(
                    abi::Level::Warn,
                    "lychgate: requests for tokens cannot be held back while their body is read, so the \
                     upstream sees their head; set `allow_on_headers_stop_iteration: true` in the plugin's \
                     config (Envoy 1.35 and later)",
                );
                self.learned(Holding::BodyToo);
            }
            _ => {}
        }
    }

    /// A request is over.
    pub fn end(&self, context: u32) {
        self.requests.borrow_mut().retain(|awaited| awaited.context != context);
    }

    /// Time has passed: who waited long enough is let go.
    pub fn tick(&self, now: Duration) {
        let mut overdue = Vec::new();
        for awaited in self.requests.borrow_mut().iter_mut() {
            if awaited.let_go.is_none() && now.saturating_sub(awaited.since) >= PATIENCE {
                awaited.let_go = Some(now);
                overdue.push(awaited.context);
            }
        }
        for context in overdue {
            // One that is gone needs nothing any more.
            if abi::speak_of(context).is_ok() {
                let _ = abi::resume_request();
            }
        }
    }

    fn learned(&self, holding: Holding) {
        self.holding.set(holding);
    }
}
