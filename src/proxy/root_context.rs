//! The root contexts of a VM, each with its configuration.
//!
//! A VM may have several roots: plugins that share a `vm_id`, and an old configuration beside the new
//! one while its connections end. Each stream is held against the policy of its own.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType, LogLevel, MapType};
use zeroize::Zeroizing;

use super::header_map::{self, HeaderPairs};
use super::host::{ProxyHost, Ticks};
use super::hostcalls::{self, Status};
use super::http_context::{Refused, Stream, wake};
use super::{logger, wasi};
use crate::filter::{WakeBudget, Worker};
use crate::host::{CallResponse, Host, MAX_BODY_BYTES};
use crate::login::LoginHistory;

thread_local! {
    /// What this VM knows of logins, whatever configuration they were under.
    static LOGINS: LoginHistory = LoginHistory::default();
}

/// A root context: a worker for its configuration, and those for the ones it had before, while requests wait
/// under them. A request is judged by the configuration under which its head came.
pub struct Root {
    id: u32,
    ticks: Rc<Ticks>,
    /// How many configurations were good.
    configured: u32,
    /// The present worker, by the number of its configuration. `None` if the host has no randomness, without
    /// which Rust's hash tables panic.
    worker: Option<(u32, Rc<Worker>)>,
    draining: Vec<(u32, Rc<Worker>)>,
}

impl Root {
    /// A root that refuses everything until it is configured.
    pub fn new(id: u32) -> Self {
        let ticks = Rc::new(Ticks::default());
        let host = ProxyHost::without_native(0, Rc::clone(&ticks));
        let worker = if host.random(&mut [0; 8]).is_ok() {
            Some((0, Worker::closed(Rc::new(host))))
        } else {
            hostcalls::log(LogLevel::Error, "lychgate: the host has no randomness: everything is refused");
            None
        };
        Self { id, ticks, configured: 0, worker, draining: Vec::new() }
    }

    /// The worker for a configuration; `None`, and the log says why, if it is not a good one.
    fn configured(&self, number: u32) -> Option<Rc<Worker>> {
        let bytes = match hostcalls::get_buffer(BufferType::PluginConfiguration, usize::MAX) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(Status(status)) => {
                let line = format!("lychgate: the configuration cannot be read: host status {status}");
                hostcalls::log(LogLevel::Error, &line);
                return None;
            }
        };
        let host = |metrics: &Rc<_>| -> Rc<dyn Host> {
            Rc::new(ProxyHost::probe(number, Rc::clone(&self.ticks), Rc::clone(metrics)))
        };
        Worker::configured(&bytes, &wasi::environment, LOGINS.with(Clone::clone), host)
    }

    /// Ends the workers of earlier configurations under which no request waits any more.
    fn end_idle(&mut self) {
        let ticks = &self.ticks;
        self.draining.retain(|(number, worker)| {
            let is_idle = worker.is_idle();
            if is_idle {
                worker.retire();
                ticks.forget(*number);
            }
            !is_idle
        });
    }

    /// The workers, the present one last.
    fn workers(&self) -> impl Iterator<Item = &Rc<Worker>> {
        self.draining.iter().chain(&self.worker).map(|(_, worker)| worker)
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _headers: usize, body_size: usize, _trailers: usize) {
        let bytes = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
        let mut headers = HeaderPairs::new();
        if header_map::parse(&bytes, &mut headers).is_none() {
            headers.clear();
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        // One byte more than is looked at, so that what is too long is seen to be.
        let size = body_size.min(MAX_BODY_BYTES.saturating_add(1));
        let body = if size == 0 {
            Vec::new()
        } else {
            hostcalls::get_buffer(BufferType::HttpCallResponseBody, size).unwrap_or_default()
        };
        let response = CallResponse { headers, body };
        let budget = WakeBudget::default();
        for worker in self.workers() {
            worker.on_http_call_response(token, &response, &budget, &mut |stream| wake(stream, self.id));
        }
        self.end_idle();
    }
}

impl RootContext for Root {
    /// Called in a module whose exports are as they were linked, and in no other.
    fn on_vm_start(&mut self, _size: usize) -> bool {
        hostcalls::log(
            LogLevel::Warn,
            "lychgate: this module was not finished by scripts/build: Envoy without the fix of \
             envoyproxy/envoy#46841 loses parts of bodies of requests that wait",
        );
        true
    }

    fn on_configure(&mut self, _size: usize) -> bool {
        logger::update();
        #[cfg(feature = "trap-for-tests")]
        super::trap::warn();
        if self.worker.is_none() {
            return false;
        }
        let number = self.configured.wrapping_add(1);
        let Some(worker) = self.configured(number) else {
            self.ticks.forget(number);
            return false;
        };
        // Everything in shared data is found by it.
        if matches!(hostcalls::get_property(&["plugin_vm_id"]), Ok(id) if id.is_empty()) {
            log::warn!(
                "lychgate: vm_config.vm_id is empty: shared data is shared with every other plugin that has \
                 none; give it a name of its own"
            );
        }
        self.configured = number;
        self.draining.extend(self.worker.replace((number, worker)));
        self.end_idle();
        true
    }

    fn on_tick(&mut self) {
        logger::update();
        let budget = WakeBudget::default();
        for worker in self.workers() {
            worker.on_tick(&budget, &mut |stream| wake(stream, self.id));
        }
        self.end_idle();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.worker {
            Some((_, worker)) => Box::new(Stream::new(id, Rc::clone(worker))),
            None => Box::new(Refused),
        })
    }
}

/// The root is over: the crate's `on_delete`.
impl Drop for Root {
    fn drop(&mut self) {
        self.workers().for_each(|worker| worker.retire());
    }
}
