//! The root context: reads the configuration, hands the engine to every request, and looks after what
//! comes from outside.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Level};
use super::body::Waiting;
use super::host::ProxyHost;
use super::http::Filter;
use super::paused::{Paused, decide_anew};
use crate::engine::Engine;
use crate::host::Host as _;
use crate::policy::Policy;
use crate::remote::{CallResponse, MAX_BODY_BYTES, Wants};

/// Registers the filter with the SDK.
pub fn start() {
    proxy_wasm::set_root_context(|context| Box::new(Root::closed(context)));
}

/// Everything that outlives a request, for one worker.
pub struct Shared {
    /// The number of the root context.
    pub root_context: u32,
    /// The policy at work.
    pub engine: Engine,
    /// The host.
    pub host: ProxyHost,
    /// Requests whose body is awaited.
    pub waiting: Waiting,
    /// Requests that wait for something to be fetched.
    pub paused: Paused,
    /// The period of ticks, in milliseconds; 0: none.
    tick: Cell<u32>,
}

impl Shared {
    fn new(root_context: u32, engine: Engine, host: ProxyHost) -> Rc<Self> {
        let (waiting, paused) = (Waiting::new(), Paused::default());
        Rc::new(Self { root_context, engine, host, waiting, paused, tick: Cell::new(0) })
    }

    /// Has ticks come as often as something waits for them.
    pub fn schedule(&self) {
        let period = match self.engine.remotes().wants(self.host.now()) {
            _ if !self.paused.is_empty() => 20,
            _ if self.waiting.is_watched() => 50,
            Wants::Now => 100,
            Wants::Soon => 1000,
            Wants::Nothing => 0,
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
}

struct Root {
    context: u32,
    shared: Rc<Shared>,
}

impl Root {
    /// Refuses everything: what holds until a configuration was read.
    fn closed(context: u32) -> Self {
        let engine = Engine::new(Policy::closed());
        Self { context, shared: Shared::new(context, engine, ProxyHost::without_native()) }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, id: u32, _headers: usize, body_size: usize, _trailers: usize) {
        let headers = abi::call_response_headers().unwrap_or_default();
        let headers = abi::parse_map(&headers).unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        // One byte more than is looked at, so that what is too long is seen to be.
        let size = body_size.min(MAX_BODY_BYTES.saturating_add(1));
        let body = if size == 0 { Vec::new() } else { abi::call_response_body(size).unwrap_or_default() };
        let response = CallResponse { headers, body };
        let log = self.shared.engine.remotes().respond(id, &response, &self.shared.host);
        self.shared.carry_on(&log.unwrap_or_default());
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = match abi::plugin_configuration() {
            Ok(bytes) => bytes,
            Err(status) => {
                let line = format!("lychgate: the configuration cannot be read: host status {}", status.0);
                abi::log(Level::Error, &line);
                return false;
            }
        };
        match Policy::compile(&bytes, &|name| std::env::var(name).ok()) {
            Ok(compiled) => {
                for warning in &compiled.warnings {
                    abi::log(Level::Warn, &format!("lychgate: {warning}"));
                }
                let engine = Engine::new(compiled.policy);
                self.shared = Shared::new(self.context, engine, ProxyHost::probe());
                // Nothing is fetched here: clusters may not exist yet. The first tick does it.
                self.shared.engine.remotes().begin(&self.shared.host);
                self.shared.schedule();
                true
            }
            Err(errors) => {
                for error in &errors {
                    abi::log(Level::Error, &format!("lychgate: configuration refused: {error}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.shared.waiting.tick(self.shared.host.uptime());
        let _ = abi::speak_of(self.context);
        let log = self.shared.engine.remotes().tick(&self.shared.host);
        self.shared.carry_on(&log);
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter::new(context_id, Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
