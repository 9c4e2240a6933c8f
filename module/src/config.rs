//! A configuration, made on Envoy's main thread and known to every thread; and the policy of a route, by
//! `typed_per_filter_config`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use lychgate::engine::{Configured, Engine};
use zeroize::Zeroizing;

use crate::abi::{self, ConfigHandle};
use crate::calls::Calls;
use crate::clock::{self, Key};
use crate::stats::Stats;

/// A number that nothing else has.
pub fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The text of a policy, that is compiled on each thread: what is compiled belongs to one.
pub struct Text {
    /// A number that no other text has.
    pub id: u64,
    text: Zeroizing<Vec<u8>>,
    is_over: AtomicBool,
}

impl Text {
    fn new(text: &[u8]) -> Self {
        Self { id: number(), text: Zeroizing::new(text.to_vec()), is_over: AtomicBool::new(false) }
    }

    /// Whether both say the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id || *self.text == *other.text
    }

    /// Compiles it, after it was compiled before without a fault. What there is to say of it was said then.
    pub fn compile_again(&self) -> Option<Engine> {
        Engine::compile(&self.text, &environment).ok().map(|configured| configured.engine)
    }

    /// Envoy has no use for it any more.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether it is so.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

/// A variable of Envoy's own environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Compiles a policy for the first time, and tells the log what there is to tell. `of` says whose it is.
fn compile(text: &[u8], of: &str) -> Option<Engine> {
    let Configured { engine, warnings } = match Engine::compile(text, &environment) {
        Ok(configured) => configured,
        Err(errors) => {
            errors.iter().for_each(|error| log::error!("lychgate: {of}configuration refused: {error}"));
            return None;
        }
    };
    warnings.iter().for_each(|warning| log::warn!("lychgate: {of}{warning}"));
    let policy = engine.policy();
    let sources = policy.sources.iter().map(|source| source.name.as_str());
    let asks = policy.introspections.first().map(|_| "introspection");
    let needs_calls: Vec<&str> = sources.chain(asks).collect();
    if !needs_calls.is_empty() && !abi::has_callouts() {
        for name in needs_calls {
            log::error!("lychgate: {of}configuration refused: {name}: {NEEDS_CALLS}");
        }
        return None;
    }
    Some(engine)
}

const NEEDS_CALLS: &str = "what is fetched needs Envoy 1.38 or later, which makes calls for native modules; take \
                           keys that stand in the configuration, or the Wasm module";

/// A configuration of the filter.
pub struct Config {
    /// Envoy's side of it.
    pub envoy: ConfigHandle,
    /// Its policy.
    pub text: Text,
    /// Its stats.
    pub stats: Stats,
    /// The calls that are made for it.
    pub calls: Calls,
    /// What the main thread is woken by for it.
    pub key: Key,
}

impl Config {
    /// Reads and compiles a configuration on the main thread; `None`, and the log says why, if it is not a good one.
    pub fn new(envoy: ConfigHandle, text: &[u8]) -> Option<(Arc<Self>, Engine)> {
        let engine = compile(text, "")?;
        if let Err(error) = clock::start() {
            log::error!("lychgate: the system gives no thread: {error}");
            return None;
        }
        let Some(scheduler) = envoy.scheduler() else {
            log::error!("lychgate: Envoy gives no scheduler");
            return None;
        };
        log::info!("lychgate: RS*, PS* and ES* signatures are checked natively by aws-lc");
        let stats = Stats::define(&envoy);
        let key = number();
        clock::add_config(key, scheduler);
        let config = Self { envoy, text: Text::new(text), stats, calls: Calls::default(), key };
        Some((Arc::new(config), engine))
    }

    /// Envoy has no use for it any more. This may be told on a worker, that of the last request under it. Other threads
    /// learn of it by its text, which is to be ended after Envoy's side of it.
    pub fn end(&self) {
        clock::remove(self.key);
        self.stats.end(&self.envoy);
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // It has ended before, unless it never began.
        clock::remove(self.key);
    }
}

/// The policy of a route, in place of the filter's own.
pub struct Route {
    /// Its policy.
    pub text: Text,
}

/// How many routes have a policy of their own. Where none has, no request looks for one.
static ROUTES: AtomicUsize = AtomicUsize::new(0);

impl Route {
    /// Reads and compiles it; as [`Config::new`].
    pub fn new(name: &str, text: &[u8]) -> Option<Arc<Self>> {
        compile(text, &format!("{name}: "))?;
        ROUTES.fetch_add(1, Ordering::AcqRel);
        Some(Arc::new(Self { text: Text::new(text) }))
    }

    /// Envoy has no use for it any more.
    pub fn end(&self) {
        self.text.end();
        ROUTES.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether there are any.
    pub fn are_there() -> bool {
        ROUTES.load(Ordering::Acquire) != 0
    }
}
