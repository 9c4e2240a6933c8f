//! Everything that outlives a request, for one worker and one configuration: the engine, waiting requests, the
//! clock's ticks, the calls that are answered.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::pending::{PendingRequests, StreamId, WaitLimits, WaitRequest};
use super::rate_limit::RateLimit;
use crate::decision::Attribution;
use crate::engine::Engine;
use crate::fetch::{PendingFetch, Urgency};
use crate::host::{CallResponse, Host, Ticket, WorkDone};
use crate::login::{LoginHistory, LoginId};
use crate::metrics::Metrics;
use crate::policy::Environment;
use crate::token::begin_replays;

/// How many requests that waited are woken in one callback, whatever they wait under. Envoy carries out the answers to them one within
/// the other, and each enters the module again: some three hundred exhaust the stack of a Wasm VM. The others
/// are woken at the next tick.
const WAKES_PER_CALLBACK: usize = 32;

/// The period of ticks in milliseconds while requests are due; while some wait; while something is to be
/// fetched; and otherwise.
const TICK_DUE: u32 = 10;
const TICK_WAITING: u32 = 50;
const TICK_FETCH: u32 = 100;
const TICK_IDLE: u32 = 1000;

/// How many refusals of a dry run are written to the log in ten seconds.
const DRY_RUN_LINES: u32 = 100;

/// How many refusals in a second are seen in the host's stats at once, as a person looks for them. The others are seen
/// at the next tick: one stat costs as much as a quarter of a refusal.
const SEEN_AT_ONCE: u32 = 16;

/// How many more requests may be woken in this callback.
pub struct WakeBudget(Cell<usize>);

impl Default for WakeBudget {
    fn default() -> Self {
        Self(Cell::new(WAKES_PER_CALLBACK))
    }
}

impl WakeBudget {
    /// Takes a turn, if one is left.
    fn take(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Gives a turn back that was not needed.
    fn give_back(&self) {
        self.0.set(self.0.get().saturating_add(1));
    }
}

/// A worker's share of the filter.
pub struct Worker {
    pub(super) engine: Engine,
    pub(super) host: Rc<dyn Host>,
    /// The requests that wait for something that is being fetched.
    pending: RefCell<PendingRequests>,
    /// The requests for a token, which wait for their body: they take no places of the others.
    token_requests: RefCell<PendingRequests>,
    pub(super) dry_run_lines: RateLimit,
    /// The refusals that are seen in the host's stats at once.
    pub(super) seen_at_once: RateLimit,
    has_warned_of_held_body: Cell<bool>,
    route_lines: RateLimit,
    /// Logins whose request is gone, with where it would have been refused: bounded by those that wait for their turn.
    pub(super) left_logins: RefCell<HashMap<LoginId, Attribution>>,
}

impl Worker {
    /// A worker that refuses everything: what holds until a configuration was read.
    #[must_use]
    pub fn closed(host: Rc<dyn Host>) -> Rc<Self> {
        Self::new(Engine::closed(), host)
    }

    fn new(engine: Engine, host: Rc<dyn Host>) -> Rc<Self> {
        Rc::new(Self {
            engine,
            host,
            pending: RefCell::new(PendingRequests::new(WaitLimits::FETCHES)),
            token_requests: RefCell::new(PendingRequests::new(WaitLimits::BODIES)),
            dry_run_lines: RateLimit::new(DRY_RUN_LINES, 10),
            seen_at_once: RateLimit::new(SEEN_AT_ONCE, 1),
            has_warned_of_held_body: Cell::new(false),
            route_lines: RateLimit::new(1, 10),
            left_logins: RefCell::default(),
        })
    }

    /// Reads and compiles a configuration; `None`, and the log says why, if it is not a good one. `host` makes
    /// the host, which counts what it hears of in the metrics it is given. `logins` is shared by the
    /// configurations of this worker.
    #[must_use]
    pub fn configured(
        configuration: &[u8],
        environment: Environment<'_>,
        logins: LoginHistory,
        host: impl FnOnce(&Rc<Metrics>) -> Rc<dyn Host>,
    ) -> Option<Rc<Self>> {
        let configured = match Engine::compile(configuration, environment) {
            Ok(configured) => configured,
            Err(errors) => {
                for error in &errors {
                    log::error!("lychgate: configuration refused: {error}");
                }
                return None;
            }
        };
        for warning in &configured.warnings {
            log::warn!("lychgate: {warning}");
        }
        Some(Self::of(configured.engine, logins, host))
    }

    /// A worker with this engine; the rest as in [`configured`](Self::configured).
    #[must_use]
    pub fn of(
        engine: Engine,
        logins: LoginHistory,
        host: impl FnOnce(&Rc<Metrics>) -> Rc<dyn Host>,
    ) -> Rc<Self> {
        let engine = engine.with_logins(logins);
        let host = host(engine.metrics());
        host.define_stats(engine.metrics().definitions());
        if engine.policy().filter_state {
            host.declare_filter_state(&super::filter_state::NAMES);
        }
        let worker = Self::new(engine, host);
        // Nothing is fetched here: clusters may not exist yet. The first tick does it.
        worker.engine.fetcher().begin(worker.host());
        if worker.engine.policy().takes_proofs() {
            begin_replays(worker.host());
        }
        worker.schedule();
        worker
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Whether no request waits, and nothing is being fetched: while one worker fetches a source, no other
    /// does, so its answer must find it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.borrow().is_empty()
            && self.token_requests.borrow().is_empty()
            && !self.engine.fetcher().is_fetching()
    }

    /// Time has passed. `wake` is given requests whose [`on_wake`](super::HttpFilter::on_wake) is to be
    /// called, at once or soon; it says whether it can. All workers that are served in one callback share a
    /// budget.
    pub fn on_tick(&self, budget: &WakeBudget, wake: &mut dyn FnMut(StreamId) -> bool) {
        self.host.cache_now(self.tick_period() != 0);
        for line in self.engine.fetcher().tick(self.host()) {
            log::info!("lychgate: {line}");
        }
        let now = self.host.monotonic();
        self.pending.borrow_mut().expire(now);
        self.token_requests.borrow_mut().expire(now);
        self.wake_due(budget, wake);
        if let Some(count) = self.dry_run_lines.left_out(self.host.coarse_now()) {
            log::info!("lychgate: dry run: {count} more refusals are counted and not written here");
        }
        self.engine.measure(|slot, update| self.host.update_stat(slot, update));
        // All are seen now.
        let _ = self.seen_at_once.left_out(self.host.coarse_now());
    }

    /// A call was answered; `budget` and `wake` as in [`on_tick`](Self::on_tick).
    pub fn on_http_call_response(
        &self,
        id: u32,
        response: &CallResponse,
        budget: &WakeBudget,
        wake: &mut dyn FnMut(StreamId) -> bool,
    ) {
        // An answer may come before the tick that renews the time.
        self.host.cache_now(self.tick_period() != 0);
        for line in self.engine.fetcher().on_http_call_response(id, response, self.host()).unwrap_or_default()
        {
            log::info!("lychgate: {line}");
        }
        self.wake_due(budget, wake);
    }

    /// Work that was taken over is done; `budget` and `wake` as in [`on_tick`](Self::on_tick).
    pub fn on_work_done(
        &self,
        ticket: Ticket,
        done: WorkDone,
        budget: &WakeBudget,
        wake: &mut dyn FnMut(StreamId) -> bool,
    ) {
        for (login, verdict) in self.engine.finish_login(ticket, done, self.host()) {
            self.pending.borrow_mut().wake(&PendingFetch::Login(login));
            let left = self.left_logins.borrow_mut().remove(&login);
            if let (Some(attribution), Some(verdict)) = (left, verdict) {
                self.count_left(attribution, verdict);
            }
        }
        self.wake_due(budget, wake);
    }

    fn wake_due(&self, budget: &WakeBudget, wake: &mut dyn FnMut(StreamId) -> bool) {
        for fetch in self.engine.fetcher().take_completed() {
            self.pending.borrow_mut().wake(&fetch);
        }
        for pending in [&self.pending, &self.token_requests] {
            let mut missed = Vec::new();
            while budget.take() {
                let Some(id) = pending.borrow_mut().next_due() else {
                    budget.give_back();
                    break;
                };
                if !wake(id) {
                    missed.push(id);
                }
            }
            // A request that is gone is taken out when it goes; any other can be spoken of next time.
            missed.into_iter().for_each(|id| pending.borrow_mut().put_back(id));
        }
        self.schedule();
    }

    /// Gives a request a place to wait at for what is being fetched; says whether there is one.
    pub(super) fn wait(&self, id: StreamId, wait_request: WaitRequest) -> bool {
        let has_place = self.pending.borrow_mut().add(id, wait_request);
        self.schedule();
        has_place
    }

    /// A request that had a place waits on.
    pub(super) fn wait_on(&self, id: StreamId, wait_request: WaitRequest) {
        self.pending.borrow_mut().keep(id, wait_request);
        self.schedule();
    }

    /// Gives a place to a request for a token, which waits for its body.
    pub(super) fn wait_for_body(&self, id: StreamId, wait_request: WaitRequest) -> bool {
        let has_place = self.token_requests.borrow_mut().add(id, wait_request);
        self.schedule();
        has_place
    }

    /// A request for a token that had a place waits on for its body.
    pub(super) fn wait_on_for_body(&self, id: StreamId, wait_request: WaitRequest) {
        self.token_requests.borrow_mut().keep(id, wait_request);
        self.schedule();
    }

    /// A request waits no longer, or is gone.
    pub fn stop_waiting(&self, id: StreamId) {
        self.pending.borrow_mut().remove(id);
        self.token_requests.borrow_mut().remove(id);
    }

    /// From now on answers are not heard when they come: see [`Hears`](crate::host::Hears).
    pub fn stop_hearing(&self) {
        self.engine.fetcher().stop_hearing(self.host());
    }

    fn tick_period(&self) -> u32 {
        let (pending, token_requests) = (self.pending.borrow(), self.token_requests.borrow());
        let waits = !pending.is_empty() || !token_requests.is_empty();
        match self.engine.fetcher().urgency(self.host.now()) {
            Urgency::Now | Urgency::Soon | Urgency::Idle if pending.has_due() || token_requests.has_due() => {
                TICK_DUE
            }
            Urgency::Now if !pending.is_empty() => TICK_DUE,
            Urgency::Now | Urgency::Soon | Urgency::Idle if waits => TICK_WAITING,
            Urgency::Now => TICK_FETCH,
            // Nothing is fetched, and the time is kept.
            Urgency::Soon | Urgency::Idle => TICK_IDLE,
        }
    }

    /// Has ticks come as often as something waits for them.
    fn schedule(&self) {
        if let Err(error) = self.host.set_tick_period(self.tick_period()) {
            log::error!("lychgate: ticks cannot be had: {error}");
        }
    }

    /// This worker is over: what it counted stays, what it remembered is gone.
    pub fn retire(&self) {
        self.engine.fetcher().abandon(self.host());
        self.engine.retire(|slot, update| self.host.update_stat(slot, update));
    }

    /// Says that the host chose no route for a request that was edited. A client can bring it about.
    pub(super) fn warn_of_route(&self, what: &str) {
        let now = self.host.coarse_now();
        let _ = self.route_lines.left_out(now);
        if self.route_lines.take(now) {
            log::error!(
                "lychgate: a request is refused: {what}; do not match a route that has a policy of its own, or the route \
                 that such a request has otherwise, on headers that the filter sets or removes"
            );
        }
    }

    /// Says once how requests for tokens can be served.
    pub(super) fn warn_of_held_body(&self) {
        if !self.has_warned_of_held_body.replace(true) {
            log::error!(
                "lychgate: a request for a token is refused: the host holds its body back together with its \
                 head; set `allow_on_headers_stop_iteration: true` in the plugin's config (Envoy 1.35 and \
                 later), or let the upstream see such heads by `issue: {{release_head: true}}`"
            );
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
