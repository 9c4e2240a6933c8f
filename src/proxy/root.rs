//! The root context: reads the configuration, hands the engine to every request, and looks after what
//! comes from outside.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::abi::{self, Level};
use super::body::Waiting;
use super::filter_state;
use super::host::ProxyHost;
use super::meters::Meters;
use super::paused::{Paused, decide_anew};
use super::wasi;
use crate::decision::Denial;
use crate::engine::Engine;
use crate::host::Host as _;
use crate::issue::TokenRequest;
use crate::policy::Policy;
use crate::remote::{CallResponse, MAX_BODY_BYTES, Wants};

/// Everything that outlives a request, for one worker.
pub struct Shared {
    /// The number of the root context.
    pub root_context: u32,
    /// The policy at work.
    pub engine: Engine,
    /// The host.
    pub host: ProxyHost,
    /// The stats of the host.
    meters: Meters,
    /// Requests for tokens whose body is awaited.
    pub logins: RefCell<BTreeMap<u32, TokenRequest>>,
    /// Who of them may have to be let go.
    pub waiting: Waiting,
    /// Requests that wait for something to be fetched.
    pub paused: Paused,
    /// The period of ticks, in milliseconds; 0: none.
    tick: Cell<u32>,
}

impl Shared {
    fn new(root_context: u32, engine: Engine, host: ProxyHost, meters: Meters) -> Rc<Self> {
        let (waiting, paused) = (Waiting::new(), Paused::default());
        let logins = RefCell::default();
        Rc::new(Self { root_context, engine, host, meters, waiting, logins, paused, tick: Cell::new(0) })
    }

    /// Has ticks come as often as something waits for them.
    pub fn schedule(&self) {
        let period = match self.engine.remotes().wants(self.host.now()) {
            _ if !self.paused.is_empty() => 20,
            _ if self.waiting.is_watched() => 50,
            Wants::Now => 100,
            // Nothing is fetched, and the time is kept.
            Wants::Soon | Wants::Nothing => 1000,
        };
        if period != self.tick.get() {
            match abi::set_tick_period(period) {
                Ok(()) => self.tick.set(period),
                Err(status) => {
                    let line = format!("lychgate: ticks cannot be had: host status {}", status.0);
                    abi::log(Level::Error, &line);
                }
            }
        }
    }

    /// Something may have changed outside.
    fn carry_on(&self, log: &[String]) {
        for line in log {
            abi::log(Level::Info, &format!("lychgate: {line}"));
        }
        if !self.paused.is_empty() {
            decide_anew(self);
        }
        self.schedule();
    }

    /// Refuses everything: what holds until a configuration was read. Nothing if the host has no
    /// randomness, without which Rust's hash tables panic; requests of no root are refused too.
    pub fn closed(root_context: u32) -> Option<Rc<Self>> {
        let host = ProxyHost::without_native();
        host.random(&mut [0; 8]).ok()?;
        Some(Self::new(root_context, Engine::new(Policy::closed()), host, Meters::default()))
    }

    /// Reads and compiles the configuration; nothing, and the log says why, if it is not a good one.
    pub fn configured(root_context: u32) -> Option<Rc<Self>> {
        #[cfg(feature = "trap-for-tests")]
        super::trap::warn();
        if ProxyHost::without_native().random(&mut [0; 8]).is_err() {
            abi::log(Level::Error, "lychgate: configuration refused: the host has no randomness");
            return None;
        }
        let bytes = match abi::plugin_configuration() {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(status) => {
                let line = format!("lychgate: the configuration cannot be read: host status {}", status.0);
                abi::log(Level::Error, &line);
                return None;
            }
        };
        match Policy::compile(&bytes, &wasi::environment) {
            Ok(compiled) => {
                for warning in &compiled.warnings {
                    abi::log(Level::Warn, &format!("lychgate: {warning}"));
                }
                // Everything in shared data is found by it.
                if matches!(abi::property(&["plugin_vm_id"]), Ok(id) if id.is_empty()) {
                    let line = "lychgate: vm_config.vm_id is empty: shared data is shared with every other plugin \
                                that has none; give it a name of its own";
                    abi::log(Level::Warn, line);
                }
                let engine = Engine::new(compiled.policy);
                if engine.policy().filter_state {
                    filter_state::declare();
                }
                let host = ProxyHost::probe(Rc::clone(engine.metrics()));
                let meters = Meters::define(engine.metrics().definitions());
                let shared = Self::new(root_context, engine, host, meters);
                // Nothing is fetched here: clusters may not exist yet. The first tick does it.
                shared.engine.remotes().begin(&shared.host);
                shared.schedule();
                Some(shared)
            }
            Err(errors) => {
                for error in &errors {
                    abi::log(Level::Error, &format!("lychgate: configuration refused: {error}"));
                }
                None
            }
        }
    }

    /// Time has passed.
    pub fn tick(&self) {
        self.host.tick(self.tick.get() != 0);
        self.waiting.tick(self.host.uptime());
        let _ = abi::speak_of(self.root_context);
        let log = self.engine.remotes().tick(&self.host);
        self.carry_on(&log);
        self.engine.measure(|slot, update| self.meters.apply(slot, update));
    }

    /// What came of a request was counted. Most of it is carried to the host's stats when time has passed,
    /// so that a request that goes on costs none of the host's calls.
    pub fn has_counted(&self) {
        if self.tick.get() == 0 {
            self.engine.measure(|slot, update| self.meters.apply(slot, update));
        }
    }

    /// A refusal is counted and seen at once.
    pub fn count_denied(&self, denial: &Denial) {
        let metrics = self.engine.metrics();
        for slot in metrics.denied(denial) {
            if let Some(update) = metrics.take_one(slot) {
                self.meters.apply(slot, update);
            }
        }
    }

    /// This root is over: what it counted stays, what it remembered is gone.
    pub fn retire(&self) {
        self.engine.retire(|slot, update| self.meters.apply(slot, update));
    }

    /// What was called for is there.
    pub fn respond(&self, id: u32, body_size: usize) {
        let headers = abi::call_response_headers().unwrap_or_default();
        let headers = abi::parse_map(&headers).unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        // One byte more than is looked at, so that what is too long is seen to be.
        let size = body_size.min(MAX_BODY_BYTES.saturating_add(1));
        let body = if size == 0 { Vec::new() } else { abi::call_response_body(size).unwrap_or_default() };
        let response = CallResponse { headers, body };
        let log = self.engine.remotes().respond(id, &response, &self.host);
        self.carry_on(&log.unwrap_or_default());
    }
}
