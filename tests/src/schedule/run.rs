//! A schedule is run, and after each event all that is seen is held against what may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::counts::Counts;
use super::known::{Asked, Known};
use super::world::{self, FORGED, SUBJECT, image, world};
use super::{Answer, Event, Head, Policy, Schedule, Span, Status};
use crate::vm::{Failure, Machine};

/// The host calls that may be made to fail.
const CALLS: [&str; 20] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "clock_time_get",
    "random_get",
];

/// The host calls whose failure takes the module down, and why it is not for the module to mend: Envoy gives
/// randomness, or has never given it; and of the crate `proxy-wasm` the calls that Envoy answers as the crate
/// expects, be they restricted or not, but for a status that is none of theirs, and for a context of the host's own
/// that it does not know.
pub const FATAL: [&str; 3] = ["random_get", "proxy_http_call", "proxy_set_effective_context"];

/// The most requests that a schedule has at once.
const MOST: usize = 400;
/// What passwords are counted under that were hashed.
pub const HASHED: &str = "result=.=hashed;.;lychgate_password_checks_total";

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// After so many events; `None`: at the end, when everything was answered.
    pub after: Option<usize>,
    /// What it is.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Some(number) => write!(f, "at event {number}: {}", self.what),
            None => write!(f, "at the end: {}", self.what),
        }
    }
}

/// Why a schedule stops.
pub enum Stop {
    /// Something must not be.
    Wrong(String),
    /// The module trapped because the host broke the ABI; Envoy answers from here on.
    Broken,
}

/// What an event came to.
pub type Done = Result<(), Stop>;

pub struct Run {
    pub(super) machine: Machine,
    pub(super) known: Known,
    pub(super) asked: BTreeMap<u32, Asked>,
    /// What the clients sent of the bodies.
    pub(super) sent: BTreeMap<u32, Vec<u8>>,
    /// Requests, and trailers of requests, that were looked at.
    pub(super) judged: BTreeSet<(u32, &'static str)>,
    /// The configuration of each root context.
    pub(super) policies: BTreeMap<u32, Policy>,
    /// Whether the host checks signatures.
    pub(super) native: bool,
    pub(super) counts: Counts,
}

/// Runs a schedule.
///
/// # Errors
/// What must not be.
///
/// # Panics
/// If the module does not start.
pub fn run(schedule: &Schedule) -> Result<Counts, Violation> {
    let machine = image().start(world().state(schedule.native));
    let mut machine = machine.unwrap_or_else(|failure| panic!("{failure:?}"));
    machine.state().streams.holds_all = schedule.holds_all;
    machine.state().streams.ends_at_once = schedule.ends_at_once;
    let policies = [(machine.root(), Policy::First)].into();
    let mut run = Run {
        machine,
        known: Known::default(),
        asked: BTreeMap::new(),
        sent: BTreeMap::new(),
        judged: BTreeSet::new(),
        policies,
        native: schedule.native,
        counts: Counts { schedules: 1, ..Counts::default() },
    };
    run.machine.state().streams.costs.clear();
    for (number, event) in schedule.events.iter().enumerate() {
        let done = run.event(*event).and_then(|()| run.check());
        run.known.see(run.machine.host().calls.iter().map(|call| call.id));
        run.heal(*event);
        match done {
            Ok(()) => {}
            Err(Stop::Broken) => return Ok(run.count()),
            Err(Stop::Wrong(what)) => return Err(Violation { after: Some(number), what }),
        }
    }
    match run.end() {
        Ok(()) | Err(Stop::Broken) => Ok(run.count()),
        Err(Stop::Wrong(what)) => Err(Violation { after: None, what }),
    }
}

impl Run {
    pub(super) fn now(&mut self) -> Duration {
        self.machine.state().now
    }

    /// A trap is wrong, unless one of those calls failed.
    fn trapped(&mut self, trap: String) -> Stop {
        let state = self.machine.state();
        let is_fatal = |call: &str| FATAL.contains(&call);
        if state.failed.is_some_and(is_fatal) || state.faults.iter().any(|fault| is_fatal(fault.0)) {
            Stop::Broken
        } else {
            Stop::Wrong(format!("the module trapped: {trap}"))
        }
    }

    pub(super) fn done(&mut self, done: Result<(), String>) -> Done {
        done.map_err(|trap| self.trapped(trap))
    }

    /// The request that a number means.
    fn pick(&mut self, number: u8) -> Option<u32> {
        let streams = &self.machine.state().streams.each;
        let live: Vec<u32> = streams.iter().filter(|(_, stream)| !stream.gone).map(|(id, _)| *id).collect();
        (!live.is_empty()).then(|| live[usize::from(number) % live.len()])
    }

    fn event(&mut self, event: Event) -> Done {
        self.counts.events += 1;
        match event {
            Event::Open(head) => self.open(head),
            Event::Flood(head, count) => (0..count).try_for_each(|_| self.open(head)),
            Event::Body(number, piece, end) => {
                let Some(id) = self.pick(number) else { return Ok(()) };
                let piece = world::piece(piece);
                if !self.machine.state().streams.each[&id].complete {
                    self.sent.entry(id).or_default().extend(&piece);
                }
                let done = self.machine.send(id, &piece, end);
                self.done(done)
            }
            Event::Trailers(number) => {
                let Some(id) = self.pick(number) else { return Ok(()) };
                let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                let trailers =
                    vec![own("x-checksum", "1"), own(SUBJECT, FORGED), own("x-auth-scopes", FORGED)];
                let done = self.machine.finish(id, trailers);
                self.done(done)
            }
            Event::Answer(number, answer) => {
                let open = self.machine.state().calls.len();
                if open == 0 { Ok(()) } else { self.answer(usize::from(number) % open, answer) }
            }
            Event::AnswerAll(answer) => self.answer_all(answer),
            Event::Time(span) => self.time(span),
            Event::Upstream(number) => {
                let Some(id) = self.pick(number) else { return Ok(()) };
                let done = self.machine.upstream_answers(id);
                self.done(done)
            }
            Event::HangUp(number) => {
                let Some(id) = self.pick(number) else { return Ok(()) };
                let done = self.machine.hang_up(id);
                self.done(done)
            }
            Event::Stranger => match self.machine.strange() {
                Ok([body, trailers]) if body != 0 && trailers != 0 => Ok(()),
                Ok(_) => Err(Stop::Wrong("Continue for a request that was never announced".into())),
                // The crate's dispatcher knows no such context. Envoy announces each, and answers 503 after a trap.
                Err(_) => Err(Stop::Broken),
            },
            Event::Fault(number, status) => {
                self.known.faulty = true;
                let call = CALLS[usize::from(number) % CALLS.len()];
                self.machine.state().faults = vec![(call, code(status))];
                Ok(())
            }
            Event::FaultAfter(calls, status) => {
                self.known.faulty = true;
                self.machine.state().fault_after = Some((calls.into(), code(status)));
                Ok(())
            }
            Event::NewRoot(policy) => {
                let configured = self.machine.reconfigure(world().configuration(policy)).map(drop);
                let root = self.machine.root();
                self.configured(configured, policy, root)
            }
            Event::Again(policy) => {
                let root = self.machine.root();
                self.known.configured_again();
                let configured = self.machine.configure_again(root, world().configuration(policy));
                self.configured(configured, policy, root)
            }
            Event::EndRoot => self.end_root(),
        }
    }

    /// What failed works again after the next event.
    fn heal(&mut self, event: Event) {
        if !matches!(event, Event::Fault(..) | Event::FaultAfter(..)) {
            let state = self.machine.state();
            state.faults.clear();
            state.fault_after = None;
            state.failed = None;
        }
    }

    fn open(&mut self, head: Head) -> Done {
        let live = self.machine.state().streams.each.values().filter(|stream| !stream.gone).count();
        if live >= MOST {
            return Ok(());
        }
        let (root, since) = (self.machine.root(), self.now());
        self.counts.streams += 1;
        let opened = self.machine.open(root, world().headers(head), head.complete);
        let id = opened.map_err(|trap| self.trapped(trap))?;
        let policies = [self.policies[&root]].into();
        let first = self.known.is_first();
        self.asked.insert(id, Asked { head, root, since, policies, first });
        Ok(())
    }

    fn answer(&mut self, place: usize, answer: Answer) -> Done {
        let now = self.now();
        let call = self.machine.state().calls[place].clone();
        let (headers, body) = world().answer(&call, answer);
        self.counts.calls += 1;
        self.known.learn(&call, answer, now);
        let done = self.machine.respond(place, headers, &body);
        self.done(done)
    }

    pub(super) fn answer_all(&mut self, answer: Answer) -> Done {
        // What they lead to is answered another time.
        let open = self.machine.state().calls.len();
        (0..open).try_for_each(|_| {
            if self.machine.state().calls.is_empty() { Ok(()) } else { self.answer(0, answer) }
        })
    }

    pub(super) fn time(&mut self, span: Span) -> Done {
        let milliseconds = match span {
            Span::Moment => 20,
            Span::Tick => 100,
            Span::Pause => 300,
            Span::Second => 1_000,
            Span::Seconds => 4_000,
            Span::Long => 11_000,
            Span::VeryLong => 45_000,
        };
        self.machine.wait(Duration::from_millis(milliseconds));
        let now = self.now();
        let due = self.due(now);
        for root in self.machine.state().streams.roots.clone() {
            self.known.tick(root);
            let done = self.machine.tick_root(root);
            self.done(done)?;
        }
        self.check_due(&due)?;
        while let Some(place) = self.machine.state().calls.iter().position(|call| call.until <= now) {
            let headers = vec![(":status".to_owned(), "504".to_owned())];
            let done = self.machine.respond(place, headers, b"upstream request timeout");
            self.done(done)?;
        }
        Ok(())
    }

    fn configured(&mut self, configured: Result<(), Failure>, policy: Policy, root: u32) -> Done {
        match configured {
            Ok(()) if policy == Policy::Broken => Err(Stop::Wrong("a broken configuration is taken".into())),
            Ok(()) => {
                self.policies.insert(root, policy);
                for asked in self.asked.values_mut().filter(|asked| asked.root == root) {
                    asked.policies.insert(policy);
                }
                Ok(())
            }
            Err(Failure::Refused(_)) if policy == Policy::Broken || self.known.faulty => Ok(()),
            Err(Failure::Refused(log)) => Err(Stop::Wrong(format!("a configuration is refused: {log:?}"))),
            Err(Failure::Trapped(trap) | Failure::Unborn(trap)) => Err(self.trapped(trap)),
        }
    }

    fn end_root(&mut self) -> Done {
        let newest = self.machine.root();
        let streams = &self.machine.state().streams;
        let used: BTreeSet<u32> =
            streams.each.values().filter(|stream| !stream.gone).map(|stream| stream.root).collect();
        let old = streams.roots.iter().copied().find(|root| *root != newest && !used.contains(root));
        let Some(root) = old else { return Ok(()) };
        let done = self.machine.end_root(root);
        self.done(done)
    }
}

fn code(status: Status) -> u32 {
    match status {
        Status::NotFound => 1,
        Status::BadArgument => 2,
        Status::Mismatch => 8,
        Status::Internal => 10,
        Status::Unheard => 9999,
    }
}
