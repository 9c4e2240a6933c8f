//! The module without an Envoy: in wasmtime, with a host whose every call can be made to fail, whose
//! clock is moved by hand, and whose memory can be looked at.
//!
//! It knows of proxy-wasm ABI 0.2.1 what the module uses, and nothing else: a call of any other import, and the
//! crate `proxy-wasm` imports all of the ABI, traps.

mod image;
mod imports;
mod streams;

pub use image::Image;
pub use streams::{Cost, Stream, Streams};

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use wasmtime::{Instance, Memory, Store, StoreLimits, StoreLimitsBuilder, Trap, TypedFunc};

/// Header names and values, in order.
pub type Headers = Vec<(String, String)>;

/// A host call that fails: its name, and the status (or WASI's errno) that it fails with.
pub type Fault = (&'static str, u32);

/// Says of a call's arguments whether the signature in them is good.
pub type Judge = Box<dyn Fn(&[u8]) -> bool>;

/// What the plugin asked to be sent as the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalResponse {
    /// The status.
    pub status: u32,
    /// The body.
    pub body: Vec<u8>,
    /// The response-code details.
    pub details: String,
    /// Its headers.
    pub headers: Headers,
}

/// An HTTP call that the plugin began.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number it was given.
    pub id: u32,
    /// The context that it was begun from, and that its answer goes to.
    pub context: u32,
    /// The cluster.
    pub cluster: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// When the host gives it up.
    pub until: Duration,
}

/// What the host is, and what was done to it.
#[derive(Default)]
pub struct State {
    /// The calls that fail.
    pub faults: Vec<Fault>,
    /// After so many calls, whichever they are, one fails with this status.
    pub fault_after: Option<(u64, u32)>,
    /// The call that failed so.
    pub failed: Option<&'static str>,
    /// The plugin's configuration.
    pub configuration: Vec<u8>,
    /// The plugin's environment.
    pub environment: Vec<(String, String)>,
    /// The time, since 1970; it stands still.
    pub now: Duration,
    /// Unless it goes on by this each time that it is read.
    pub pace: Duration,
    /// What `verify_signature` says; `None`: there is no such function.
    pub verdict: Option<bool>,
    /// What it says of these arguments, where it says one thing of some and another of others.
    pub judge: Option<Judge>,
    /// The headers of the request that is worked on.
    pub request: Headers,
    /// Its body, as far as it is buffered.
    pub body: Vec<u8>,
    /// The answer that was sent.
    pub response: Option<LocalResponse>,
    /// Whether a paused request was let go on.
    pub resumed: bool,
    /// What the call in question was answered with.
    pub answer: (Headers, Vec<u8>),
    /// The calls that were begun.
    pub calls: VecDeque<Call>,
    /// Shared data, with versions.
    pub shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    /// The stats that were defined, with their values; each has its place as its number.
    pub stats: Vec<(String, i64)>,
    /// The properties that were set, and their values.
    pub properties: BTreeMap<String, String>,
    /// The period of ticks in milliseconds.
    pub tick: u32,
    /// The lowest level of the log that the host lets through: 0 is trace, 4 is error.
    pub log_level: u32,
    /// Lines of the log, with their levels.
    pub log: Vec<(u32, String)>,
    /// How often each host call was made.
    pub made: BTreeMap<&'static str, u64>,
    /// Memory cannot grow beyond so many bytes. To be set before the start, or by [`Machine::cap`].
    pub memory_cap: Option<usize>,
    /// Many requests at once, where it is they that are worked on and not the one above.
    pub streams: Streams,
    /// Whether each request comes from an IPv6 site of its own, and not all from one address.
    pub are_apart: bool,
    stat_numbers: HashMap<String, usize>,
    limits: StoreLimits,
    memory: Option<Memory>,
    allocate: Option<TypedFunc<u32, u32>>,
}

/// Why a machine is not running.
#[derive(Debug)]
pub enum Failure {
    /// The plugin refused its configuration: the log.
    Refused(Vec<String>),
    /// It trapped.
    Trapped(String),
    /// There is not even memory for what it is born with.
    Unborn(String),
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on, with these headers.
    Passed(Headers),
    /// It was answered.
    Answered(LocalResponse),
    /// It waits.
    Waits,
    /// The machine is broken; Envoy answers for it (`FAIL_RELOAD`, `FAIL_CLOSED`).
    Trapped(String),
}

/// A running machine with one root context.
pub struct Machine {
    store: Store<State>,
    instance: Instance,
    /// The root context that requests belong to.
    root: u32,
    next: u32,
}

const ROOT: u32 = 1;

fn limits(bytes: usize) -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(bytes).build()
}

impl Machine {
    /// The host.
    pub fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.store.data().log.iter().map(|(_, line)| line.clone()).collect()
    }

    /// Memory cannot grow beyond so many bytes from now on.
    pub fn cap(&mut self, bytes: usize) {
        self.state().limits = limits(bytes);
    }

    fn configure(&mut self, root: u32) -> Result<(), Failure> {
        self.state().streams.roots.insert(root);
        self.run::<_, ()>(root, "proxy_on_context_create", (root, 0_u32)).map_err(Failure::Trapped)?;
        self.configure_root(root)
    }

    fn configure_root(&mut self, root: u32) -> Result<(), Failure> {
        let size = u32::try_from(self.store.data().configuration.len()).expect("32 bits");
        match self.run::<_, u32>(root, "proxy_on_configure", (root, size)) {
            Ok(0) => Err(Failure::Refused(self.log())),
            Ok(_) => Ok(()),
            Err(trap) => Err(Failure::Trapped(trap)),
        }
    }

    /// A new configuration for requests to come, in this same machine, as the host brings it: another
    /// root context. Gives the number of the old one, which serves until it is [ended](Self::end).
    ///
    /// # Errors
    /// If the plugin refuses it, or traps. The old one goes on then.
    pub fn reconfigure(&mut self, configuration: Vec<u8>) -> Result<u32, Failure> {
        self.state().configuration = configuration;
        self.next += 1;
        let root = self.next;
        self.configure(root)?;
        Ok(std::mem::replace(&mut self.root, root))
    }

    /// Linear memory, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// The value of a stat, by its whole name.
    #[must_use]
    pub fn stat(&self, name: &str) -> Option<i64> {
        self.store.data().stats.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// Instructions run so far, if they are metered.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.store.get_fuel().map_or(0, |left| u64::MAX - left)
    }

    fn call<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
        &mut self,
        name: &str,
        parameters: P,
    ) -> Result<R, String> {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, name);
        let function = function.unwrap_or_else(|error| panic!("{name}: {error}"));
        function.call(&mut self.store, parameters).map_err(|error| {
            error.downcast_ref::<Trap>().map_or_else(|| format!("{error:?}"), ToString::to_string)
        })
    }

    /// A request's head; its number, and what became of it.
    pub fn head(&mut self, headers: &[(&str, &str)], end_of_stream: bool) -> (u32, Outcome) {
        self.next += 1;
        let id = self.next;
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let state = self.state();
        state.request = headers.iter().map(own).collect();
        (state.response, state.resumed) = (None, false);
        if let Err(trap) = self.call::<_, ()>("proxy_on_context_create", (id, self.root)) {
            return (id, Outcome::Trapped(trap));
        }
        let count = u32::try_from(headers.len()).expect("few");
        let flow = self.call("proxy_on_request_headers", (id, count, u32::from(end_of_stream)));
        (id, self.outcome(flow))
    }

    /// More of a request's body, and what became of it.
    pub fn body(&mut self, id: u32, body: &[u8], end_of_stream: bool) -> Outcome {
        self.state().body = body.to_vec();
        let size = u32::try_from(body.len()).expect("small");
        let flow = self.call("proxy_on_request_body", (id, size, u32::from(end_of_stream)));
        self.outcome(flow)
    }

    /// A request's trailers, and what became of it.
    pub fn trailers(&mut self, id: u32) -> Outcome {
        let flow = self.call("proxy_on_request_trailers", (id, 0_u32));
        self.outcome(flow)
    }

    /// An answer of the upstream begins, and what becomes of it.
    pub fn response(&mut self, id: u32) -> Outcome {
        let flow = self.call("proxy_on_response_headers", (id, 0_u32, 1_u32));
        self.outcome(flow)
    }

    /// A request is over, or a root context.
    ///
    /// # Errors
    /// If the machine traps.
    pub fn end(&mut self, id: u32) -> Result<(), String> {
        self.call("proxy_on_delete", (id,))
    }

    /// A whole request without a body: head, and its end.
    pub fn request(&mut self, headers: &[(&str, &str)]) -> Outcome {
        let (id, outcome) = self.head(headers, true);
        match (&outcome, self.end(id)) {
            (Outcome::Trapped(_), _) | (_, Ok(())) => outcome,
            (_, Err(trap)) => Outcome::Trapped(trap),
        }
    }

    /// Time passes, and what became of the request that waited.
    pub fn tick(&mut self, passed: Duration) -> Outcome {
        self.state().now += passed;
        let done = self.call::<_, ()>("proxy_on_tick", (self.root,));
        self.later(done)
    }

    /// A call is answered, and what became of the request that waited.
    pub fn answer(&mut self, id: u32, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.state().answer = (headers.iter().map(own).collect(), body.to_vec());
        let count = u32::try_from(headers.len()).expect("few");
        let size = u32::try_from(body.len()).expect("small");
        let done = self.call::<_, ()>("proxy_on_http_call_response", (self.root, id, count, size, 0_u32));
        self.later(done)
    }

    fn later(&mut self, done: Result<(), String>) -> Outcome {
        let resumed = self.state().resumed;
        self.outcome(done.map(|()| u32::from(!resumed)))
    }

    fn outcome(&mut self, flow: Result<u32, String>) -> Outcome {
        let state = self.state();
        match (flow, &state.response) {
            (Err(trap), _) => Outcome::Trapped(trap),
            (Ok(_), Some(response)) => Outcome::Answered(response.clone()),
            (Ok(0), None) => Outcome::Passed(state.request.clone()),
            (Ok(_), None) => Outcome::Waits,
        }
    }
}
