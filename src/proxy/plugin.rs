//! The contexts of a VM: roots, one for each configuration, and the streams that belong to them.
//!
//! A VM may have several roots: plugins that share a `vm_id`, and an old configuration beside the new
//! one while its connections end. Each stream is held against the policy of its own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use hashbrown::HashTable;
use zeroize::Zeroizing;

use super::abi::{self, Level};
use super::host::{ProxyHost, Ticks};
use super::logger;
use super::stream::ProxyStream;
use super::wasi;
use crate::filter::{self, Action, HttpFilter, WakeBudget, Worker};
#[cfg(feature = "trap-for-tests")]
use crate::host::Stream as _;
use crate::host::{CallResponse, Host, MAX_BODY_BYTES};
use crate::login::LoginHistory;

/// What there is in this VM.
#[derive(Default)]
pub struct Plugin {
    roots: RefCell<BTreeMap<u32, Rc<Root>>>,
    streams: RefCell<Streams>,
    /// What this worker knows of logins, whatever configuration they were under.
    logins: LoginHistory,
}

/// A root context: a worker for its configuration, and those for the ones it had before, while requests wait
/// under them. A request is judged by the configuration under which its head came.
struct Root {
    id: u32,
    ticks: Rc<Ticks>,
    configured: Cell<u32>,
    worker: RefCell<(u32, Rc<Worker>)>,
    draining: RefCell<Vec<(u32, Rc<Worker>)>>,
}

/// The streams, each with its filter. Every request comes and goes here, so it costs no allocation.
#[derive(Default)]
struct Streams(HashTable<(u32, HttpFilter)>);

/// Numbers of contexts come one after the other; multiplied like this they spread (Fibonacci hashing).
fn hash(context: u32) -> u64 {
    u64::from(context).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Streams {
    fn insert(&mut self, context: u32, filter: HttpFilter) {
        // The host gives each number once, until it says that it is over.
        self.remove(context);
        self.0.insert_unique(hash(context), (context, filter), |(context, _)| hash(*context));
    }

    fn get_mut(&mut self, context: u32) -> Option<&mut HttpFilter> {
        self.0.find_mut(hash(context), |(own, _)| *own == context).map(|(_, filter)| filter)
    }

    fn remove(&mut self, context: u32) -> Option<HttpFilter> {
        let entry = self.0.find_entry(hash(context), |(own, _)| *own == context).ok()?;
        let ((_, filter), _) = entry.remove();
        Some(filter)
    }
}

impl Root {
    /// A root that refuses everything until it is configured. `None` if the host has no randomness, without
    /// which Rust's hash tables panic: requests of no root are refused too.
    fn new(id: u32) -> Option<Rc<Self>> {
        let ticks = Rc::new(Ticks::default());
        let host = ProxyHost::without_native(0, Rc::clone(&ticks));
        host.random(&mut [0; 8]).ok()?;
        let worker = RefCell::new((0, Worker::closed(Rc::new(host))));
        Some(Rc::new(Self { id, ticks, configured: Cell::new(0), worker, draining: RefCell::default() }))
    }

    fn worker(&self) -> Rc<Worker> {
        Rc::clone(&self.worker.borrow().1)
    }

    /// Reads the configuration; says whether it is a good one.
    fn configure(&self, logins: &LoginHistory) -> bool {
        logger::update();
        #[cfg(feature = "trap-for-tests")]
        super::trap::warn();
        let bytes = match abi::plugin_configuration() {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(status) => {
                let line = format!("lychgate: the configuration cannot be read: host status {}", status.0);
                abi::log(Level::Error, &line);
                return false;
            }
        };
        let number = self.configured.get().wrapping_add(1);
        let host = |metrics: &Rc<_>| -> Rc<dyn Host> {
            Rc::new(ProxyHost::probe(number, Rc::clone(&self.ticks), Rc::clone(metrics)))
        };
        let Some(worker) = Worker::configured(&bytes, &wasi::environment, logins.clone(), host) else {
            self.ticks.forget(number);
            return false;
        };
        // Everything in shared data is found by it.
        if matches!(abi::property(&["plugin_vm_id"]), Ok(id) if id.is_empty()) {
            log::warn!(
                "lychgate: vm_config.vm_id is empty: shared data is shared with every other plugin that has \
                 none; give it a name of its own"
            );
        }
        self.configured.set(number);
        let old = self.worker.replace((number, worker));
        self.draining.borrow_mut().push(old);
        self.end_idle();
        true
    }

    /// Ends the workers of earlier configurations under which no request waits any more.
    fn end_idle(&self) {
        self.draining.borrow_mut().retain(|(number, worker)| {
            let is_idle = worker.is_idle();
            if is_idle {
                worker.retire();
                self.ticks.forget(*number);
            }
            !is_idle
        });
    }

    /// The workers, the present one last.
    fn workers(&self) -> Vec<Rc<Worker>> {
        let mut workers: Vec<_> =
            self.draining.borrow().iter().map(|(_, worker)| Rc::clone(worker)).collect();
        workers.push(self.worker());
        workers
    }

    /// This root is over.
    fn retire(&self) {
        self.workers().iter().for_each(|worker| worker.retire());
    }
}

thread_local! {
    static PLUGIN: Plugin = Plugin::default();
}

/// Gives a callback what there is.
pub fn with_plugin<T>(callback: impl FnOnce(&Plugin) -> T) -> T {
    PLUGIN.with(callback)
}

impl Plugin {
    fn root(&self, context: u32) -> Option<Rc<Root>> {
        self.roots.borrow().get(&context).map(Rc::clone)
    }

    /// A context came to be: a root has no parent.
    pub fn create(&self, context: u32, parent: u32) {
        if parent == 0 {
            if let Some(root) = Root::new(context) {
                self.roots.borrow_mut().insert(context, root);
            } else {
                abi::log(Level::Error, "lychgate: the host has no randomness: everything is refused");
            }
        } else if let Some(root) = self.root(parent) {
            let filter = HttpFilter::new(context, root.worker());
            self.streams.borrow_mut().insert(context, filter);
        }
    }

    /// A root gets its configuration; says whether it is a good one.
    pub fn configure(&self, context: u32) -> bool {
        self.root(context).is_some_and(|root| root.configure(&self.logins))
    }

    /// Time has passed.
    pub fn tick(&self, context: u32) {
        logger::update();
        let Some(root) = self.root(context) else { return };
        let budget = WakeBudget::default();
        for worker in root.workers() {
            worker.on_tick(&budget, &mut |stream| self.wake(stream, root.id));
        }
        root.end_idle();
    }

    /// What a root called for is there.
    pub fn call_response(&self, context: u32, id: u32, body_size: usize) {
        let Some(root) = self.root(context) else { return };
        let headers = abi::call_response_headers().unwrap_or_default();
        let headers = abi::parse_map(&headers).unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        // One byte more than is looked at, so that what is too long is seen to be.
        let size = body_size.min(MAX_BODY_BYTES.saturating_add(1));
        let body = if size == 0 { Vec::new() } else { abi::call_response_body(size).unwrap_or_default() };
        let response = CallResponse { headers, body };
        let budget = WakeBudget::default();
        for worker in root.workers() {
            worker.on_http_call_response(id, &response, &budget, &mut |stream| self.wake(stream, root.id));
        }
        root.end_idle();
    }

    /// Has a request that waited look again; says whether the host can speak of it.
    fn wake(&self, context: u32, root: u32) -> bool {
        if abi::speak_of(context).is_err() {
            return false;
        }
        self.with_filter(context, |filter| filter.on_wake(&ProxyStream));
        let _ = abi::speak_of(root);
        true
    }

    /// Gives `work` the filter of a context; `None` if there is none. It is taken out meanwhile, and what
    /// stays in its place refuses.
    fn with_filter<T>(&self, context: u32, work: impl FnOnce(&mut HttpFilter) -> T) -> Option<T> {
        let mut filter = self.streams.borrow_mut().get_mut(context)?.take();
        let outcome = work(&mut filter);
        if let Some(place) = self.streams.borrow_mut().get_mut(context) {
            *place = filter;
        }
        Some(outcome)
    }

    /// A request's headers are there.
    pub fn request_headers(&self, context: u32, end_of_stream: bool) -> Action {
        #[cfg(feature = "trap-for-tests")]
        let _ = ProxyStream.read_request_headers(&mut |headers| super::trap::on_demand(headers));
        self.with_filter(context, |filter| filter.on_request_headers(&ProxyStream, end_of_stream))
            .unwrap_or_else(|| filter::refuse_unannounced(&ProxyStream))
    }

    /// So much of its body is buffered.
    pub fn request_body(&self, context: u32, size: usize, end_of_stream: bool) -> Action {
        self.with_filter(context, |filter| filter.on_request_body(&ProxyStream, size, end_of_stream))
            .unwrap_or(Action::Pause)
    }

    /// Its trailers are there, and so is all of its body.
    pub fn request_trailers(&self, context: u32) -> Action {
        self.with_filter(context, |filter| filter.on_request_trailers(&ProxyStream)).unwrap_or(Action::Pause)
    }

    /// An answer begins.
    pub fn response_headers(&self, context: u32) -> Action {
        // The filter's own answers come by here, those to streams that were not announced among them.
        self.with_filter(context, |filter| filter.on_response_headers(&ProxyStream))
            .unwrap_or(Action::Continue)
    }

    /// A context is over.
    pub fn delete(&self, context: u32) {
        let filter = self.streams.borrow_mut().remove(context);
        match filter {
            Some(mut filter) => filter.on_delete(),
            None => {
                let root = self.roots.borrow_mut().remove(&context);
                if let Some(root) = root {
                    root.retire();
                }
            }
        }
    }
}
