//! What a thread has of a policy: its engine, the requests that wait, and its ticks. A thread compiles a policy
//! when the first request under it comes, and forgets it when Envoy has no use for it any more.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lychgate::engine::Engine;
use lychgate::filter::{StreamId, WakeBudget, Worker};
use lychgate::host::CallResponse;
use lychgate::login::LoginHistory;

use crate::calls::{Inbox, Message};
use crate::clock;
use crate::config::{Config, Route, Text, number};
use crate::exchange::Exchange;
use crate::host::{NativeHost, Place};
use crate::logger;

/// A policy under a configuration.
type Key = (u64, u64);

#[derive(Default)]
struct Here {
    locals: RefCell<HashMap<Key, Rc<Local>>>,
    /// What this thread knows of logins, whatever the policy.
    logins: LoginHistory,
    streams: Cell<StreamId>,
}

thread_local! {
    static HERE: Here = Here::default();
}

/// What this thread has of a policy.
pub struct Local {
    config: Arc<Config>,
    /// The route whose policy it is, if it is not the configuration's.
    route: Option<Arc<Route>>,
    pub worker: Rc<Worker>,
    pub host: Rc<NativeHost>,
    /// The requests that wait, and can be woken.
    waiting: RefCell<HashMap<StreamId, Rc<Exchange>>>,
    last_tick: Cell<Option<Instant>>,
}

impl Local {
    fn new(config: &Arc<Config>, route: Option<&Arc<Route>>, engine: Engine, place: Place) -> Rc<Self> {
        let logins = HERE.with(|here| here.logins.clone());
        let mut made = None;
        let worker = Worker::of(engine, logins, |metrics| {
            let host = Rc::new(NativeHost::new(Arc::clone(config), place, Rc::clone(metrics)));
            made = Some(Rc::clone(&host));
            host
        });
        let host = made.unwrap_or_else(|| Rc::new(NativeHost::closed(Arc::clone(config))));
        let (waiting, last_tick) = (RefCell::default(), Cell::new(None));
        Rc::new(Self { config: Arc::clone(config), route: route.cloned(), worker, host, waiting, last_tick })
    }

    /// That of the main thread, which fetches what is fetched.
    pub fn on_main(config: &Arc<Config>, engine: Engine) {
        sweep();
        let local = Self::new(config, None, engine, Place::Main);
        HERE.with(|here| here.locals.borrow_mut().insert((config.text.id, 0), local));
    }

    /// That of a configuration here, if it was made before.
    pub fn existing(config: &Config) -> Option<Rc<Self>> {
        HERE.with(|here| here.locals.borrow().get(&(config.text.id, 0)).map(Rc::clone))
    }

    /// That of this worker for a policy. One that cannot be compiled, though it could before, refuses everything.
    pub fn of(config: &Arc<Config>, route: Option<&Arc<Route>>) -> Rc<Self> {
        let key = (config.text.id, route.map_or(0, |route| route.text.id));
        if let Some(local) = HERE.with(|here| here.locals.borrow().get(&key).map(Rc::clone)) {
            return local;
        }
        sweep();
        let text: &Text = route.map_or(&config.text, |route| &route.text);
        let engine = text.compile_again().unwrap_or_else(|| {
            log::error!("lychgate: a policy that was good cannot be compiled: everything is refused");
            Engine::closed()
        });
        let key_of_clock = number();
        clock::add_worker(key_of_clock);
        let inbox = Inbox::new(key_of_clock);
        let place = Place::Worker { key: key_of_clock, inbox, is_on_main: route.is_none() };
        let local = Self::new(config, route, engine, place);
        HERE.with(|here| here.locals.borrow_mut().insert(key, Rc::clone(&local)));
        local
    }

    /// The number of the next request on this thread.
    pub fn next_stream() -> StreamId {
        HERE.with(|here| {
            let number = here.streams.get().wrapping_add(1);
            here.streams.set(number);
            number
        })
    }

    /// Whether its policy is that of this route, or of a route without one.
    pub fn is_of(&self, route: Option<&Arc<Route>>) -> bool {
        match (&self.route, route) {
            (Some(own), Some(other)) => own.text.is_same(&other.text),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn is_over(&self) -> bool {
        self.config.text.is_over() || self.route.as_ref().is_some_and(|route| route.text.is_over())
    }

    /// A request waits, and can be woken by its number; says whether Envoy has a way to.
    pub fn begin_to_wait(&self, exchange: &Rc<Exchange>) -> bool {
        let Some(scheduler) = exchange.envoy.scheduler() else { return false };
        self.waiting.borrow_mut().insert(exchange.id, Rc::clone(exchange));
        if let Some(key) = self.host.key() {
            clock::add_stream(key, exchange.id, scheduler);
        }
        self.host.set_can_be_woken(true);
        true
    }

    /// It waits no longer.
    pub fn end_to_wait(&self, exchange: &Exchange) {
        if let Some(key) = self.host.key() {
            clock::remove_stream(key, exchange.id);
        }
        let mut waiting = self.waiting.borrow_mut();
        let _exchange = waiting.remove(&exchange.id);
        let is_last = waiting.is_empty();
        drop(waiting);
        if is_last {
            self.host.set_can_be_woken(false);
            self.worker.stop_hearing();
        }
    }

    /// Does what is to be done here: takes what came back, and ticks if it is time. `was_woken`: by the clock.
    pub fn attend(&self, was_woken: bool) {
        if was_woken && let Some(key) = self.host.key() {
            clock::has_come(key);
        }
        for message in self.host.take_messages() {
            match message {
                Message::Answer(number, response) => self.take_answer(number, &response),
                Message::Work(ticket, done) => {
                    let wake = &mut |stream| self.wake(stream);
                    self.worker.on_work_done(ticket, done, &WakeBudget::default(), wake);
                }
            }
        }
        let now = Instant::now();
        let since = self.last_tick.get().map(|last| now.saturating_duration_since(last));
        let period = Duration::from_millis(u64::from(self.host.period()));
        // What wakes it is a clock of its own, which may be a little before this one.
        let early = if was_woken { period.checked_div(2).unwrap_or_default() } else { Duration::ZERO };
        if since.is_none_or(|since| since.saturating_add(early) >= period) {
            self.last_tick.set(Some(now));
            self.tick();
        }
    }

    fn tick(&self) {
        self.worker.on_tick(&WakeBudget::default(), &mut |stream| self.wake(stream));
        self.host.has_ticked();
    }

    /// A call was answered.
    pub fn take_answer(&self, number: u32, response: &CallResponse) {
        self.worker
            .on_http_call_response(number, response, &WakeBudget::default(), &mut |stream| self.wake(stream));
    }

    fn wake(&self, stream: StreamId) -> bool {
        let waiting = self.waiting.borrow().get(&stream).map(Rc::clone);
        let Some(exchange) = waiting else { return false };
        exchange.wake();
        true
    }

    /// Time has passed on the main thread.
    pub fn on_main_tick(&self) {
        logger::update();
        clock::has_come(self.config.key);
        self.attend(true);
        self.config.calls.make_posted(&self.config.envoy);
        self.config.stats.tell_all(&self.config.envoy);
    }
}

/// Forgets the policies that Envoy has no use for any more.
fn sweep() {
    let over: Vec<Rc<Local>> = HERE.with(|here| {
        let mut locals = here.locals.borrow_mut();
        let keys: Vec<Key> =
            locals.iter().filter(|(_, local)| local.is_over()).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| locals.remove(key)).collect()
    });
    for local in over {
        local.worker.retire();
        local.config.stats.remove(local.worker.engine().metrics().tally());
        if let Some(key) = local.host.key() {
            clock::remove(key);
        }
    }
}
