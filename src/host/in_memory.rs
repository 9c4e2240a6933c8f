//! A host in memory: tests and benchmarks run the core on it, without a proxy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Event, Hears, Host, HostError, HttpCall, NativeVerdict, PeerCertificate, StatUpdate, Ticket, Work,
};
use crate::keys::NativeKey;

/// Hears of what is counted.
pub type EventSink = Box<dyn Fn(Event<'_>)>;

/// A host that does what its fields say.
pub struct InMemoryHost {
    /// Unix time in seconds.
    pub now: Cell<i64>,
    /// Unix time in seconds as it was read lately, if it is kept.
    pub cached_now: Cell<Option<i64>>,
    /// The clock that never goes back. Nothing moves it, so work costs no time.
    pub monotonic: Cell<Duration>,
    /// What it says of signatures.
    pub verdict: Cell<NativeVerdict>,
    /// Where requests come from.
    pub address: RefCell<Option<String>>,
    /// The certificate of the client.
    pub certificate: RefCell<Option<PeerCertificate>>,
    /// Whether randomness and shared data are to be had.
    pub works: Cell<bool>,
    /// The calls that were made, in order; each has its place as its number.
    pub calls: RefCell<Vec<HttpCall>>,
    /// What an operator should look into, line by line.
    pub warnings: RefCell<Vec<String>>,
    /// Receives the events to count.
    pub events: RefCell<Option<EventSink>>,
    /// The period of ticks that was asked for, in milliseconds; 0: none was.
    pub tick: Cell<u32>,
    /// How soon answers to calls are heard.
    pub hears: Cell<Hears>,
    /// How much work it takes over.
    pub room: Cell<usize>,
    /// The work that it took over, which the test does.
    pub work: RefCell<Vec<(Ticket, Work)>>,
    tickets: Cell<Ticket>,
    /// The stats that were updated, by their number, in order.
    pub updated_stats: RefCell<Vec<usize>>,
    shared: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
}

impl InMemoryHost {
    /// A host at this Unix time, without a native signature check.
    #[must_use]
    pub fn at(now: i64) -> Self {
        Self {
            now: Cell::new(now),
            cached_now: Cell::new(None),
            monotonic: Cell::new(Duration::ZERO),
            verdict: Cell::new(NativeVerdict::Unavailable),
            address: RefCell::new(Some("192.0.2.1".into())),
            certificate: RefCell::default(),
            works: Cell::new(true),
            calls: RefCell::default(),
            warnings: RefCell::default(),
            events: RefCell::default(),
            tick: Cell::new(0),
            hears: Cell::new(Hears::AtOnce),
            room: Cell::new(0),
            work: RefCell::default(),
            tickets: Cell::new(0),
            updated_stats: RefCell::default(),
            shared: RefCell::new(BTreeMap::new()),
        }
    }

    /// How many values are shared, and their bytes.
    #[must_use]
    pub fn shared_size(&self) -> (usize, usize) {
        let shared = self.shared.borrow();
        (shared.len(), shared.values().map(|(value, _)| value.len()).sum())
    }

    fn working<T>(&self, value: T) -> Result<T, HostError> {
        if self.works.get() { Ok(value) } else { Err(HostError("this host does not work")) }
    }
}

impl Host for InMemoryHost {
    fn now(&self) -> i64 {
        self.now.get()
    }

    fn cached_now(&self) -> Option<i64> {
        self.cached_now.get()
    }

    fn monotonic(&self) -> Duration {
        self.monotonic.get()
    }

    fn verify_signature(&self, _: &NativeKey, _: &[u8], _: &[u8]) -> NativeVerdict {
        self.verdict.get()
    }

    fn has_threads(&self) -> bool {
        self.room.get() > 0
    }

    fn hears(&self) -> Hears {
        self.hears.get()
    }

    fn take_over(&self, work: Work) -> Option<Ticket> {
        let mut taken = self.work.borrow_mut();
        let ticket = self.tickets.get();
        self.tickets.set(ticket.wrapping_add(1));
        (taken.len() < self.room.get()).then(|| taken.push((ticket, work)))?;
        Some(ticket)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        getrandom::fill(bytes).map_err(|_| HostError("no randomness"))?;
        self.working(())
    }

    fn client_address(&self) -> Option<String> {
        self.address.borrow().clone()
    }

    fn peer_certificate(&self) -> Option<PeerCertificate> {
        self.certificate.borrow().clone()
    }

    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.working(self.shared.borrow().get(key).cloned())
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        let mut shared = self.shared.borrow_mut();
        let current = shared.get(key).map_or(0, |(_, version)| *version);
        if current != version {
            return self.working(false);
        }
        shared.insert(key.to_owned(), (value.to_vec(), current.saturating_add(1)));
        self.working(true)
    }

    fn warn(&self, line: &str) {
        self.warnings.borrow_mut().push(line.to_owned());
    }

    fn record(&self, event: Event<'_>) {
        if let Some(hear) = self.events.borrow().as_ref() {
            hear(event);
        }
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        self.tick.set(milliseconds);
        self.working(())
    }

    fn update_stat(&self, slot: usize, _update: StatUpdate) {
        self.updated_stats.borrow_mut().push(slot);
    }

    fn has_ticks(&self) -> bool {
        self.tick.get() != 0
    }

    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        let mut calls = self.calls.borrow_mut();
        calls.push(call.clone());
        let number = u32::try_from(calls.len()).map_err(|_| HostError("too many calls"))?;
        self.working(number.saturating_sub(1))
    }
}
