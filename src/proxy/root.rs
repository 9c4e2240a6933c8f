//! The root context: reads the configuration and hands the engine to every request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Level};
use super::body::Waiting;
use super::host::ProxyHost;
use super::http::Filter;
use crate::engine::Engine;
use crate::host::Host as _;
use crate::policy::Policy;

/// Registers the filter with the SDK.
pub fn start() {
    proxy_wasm::set_root_context(|_| Box::new(Root::closed()));
}

/// Everything that outlives a request, for one worker.
pub struct Shared {
    /// The policy at work.
    pub engine: Engine,
    /// The host.
    pub host: ProxyHost,
    /// Requests whose body is awaited.
    pub waiting: Waiting,
}

impl Shared {
    fn new(engine: Engine, host: ProxyHost) -> Rc<Self> {
        Rc::new(Self { engine, host, waiting: Waiting::new() })
    }
}

struct Root {
    shared: Rc<Shared>,
}

impl Root {
    /// Refuses everything: what holds until a configuration was read.
    fn closed() -> Self {
        let engine = Engine::new(Policy::closed());
        Self { shared: Shared::new(engine, ProxyHost::without_native()) }
    }
}

impl Context for Root {}

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
                self.shared = Shared::new(engine, ProxyHost::probe());
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
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter::new(context_id, Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
