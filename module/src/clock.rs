//! Ticks. Envoy has none for filters of dynamic modules, so a thread of the module's own keeps the time, and
//! wakes who wants to be woken: the configurations on the main thread, and the workers on which requests wait.
//!
//! A worker is woken by one of its requests that wait: Envoy takes an event for a stream from any thread, and calls
//! a hook on the worker. A stream takes its scheduler back here before it is over. Both happen under one lock, so
//! that no event is under way to a worker that ends.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lychgate::filter::StreamId;

use crate::abi::{ConfigScheduler, StreamScheduler};

/// Someone who is woken, by a number of its own.
pub type Key = u64;

/// After so long an event that nothing came of is taken for lost.
const LOST: Duration = Duration::from_secs(1);

enum Subject {
    /// A configuration, on the main thread.
    Config(ConfigScheduler),
    /// A worker, by the requests that wait on it.
    Worker(BTreeMap<StreamId, StreamScheduler>),
}

struct Sleeper {
    subject: Subject,
    /// How often it wants to be woken; none: it does not.
    period: Option<Duration>,
    next: Instant,
    /// When it was last woken, and by which request if it is a worker; it has not come since.
    called: Option<(Instant, Option<StreamId>)>,
}

impl Sleeper {
    /// Wakes it, unless it is being woken already.
    fn wake(&mut self, now: Instant) {
        if self.called.is_some_and(|(called, _)| now.saturating_duration_since(called) < LOST) {
            return;
        }
        self.called = match &self.subject {
            Subject::Config(scheduler) => {
                scheduler.wake();
                Some((now, None))
            }
            Subject::Worker(streams) => streams.first_key_value().map(|(stream, scheduler)| {
                scheduler.wake();
                (now, Some(*stream))
            }),
        };
    }

    /// When to wake it, if there is anything to wake it by.
    fn due(&self) -> Option<Instant> {
        let is_there = match &self.subject {
            Subject::Config(_) => true,
            Subject::Worker(streams) => !streams.is_empty(),
        };
        self.period.filter(|_| is_there).map(|_| self.next)
    }
}

type Sleepers = HashMap<Key, Sleeper>;

static BELL: Condvar = Condvar::new();

fn sleepers() -> MutexGuard<'static, Sleepers> {
    static SLEEPERS: LazyLock<Mutex<Sleepers>> = LazyLock::new(Mutex::default);
    SLEEPERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the thread run. It is begun once, and ends with the process.
///
/// # Errors
/// If the system gives no thread.
pub fn start() -> std::io::Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if STARTED.get().is_none() {
        thread::Builder::new().name("lychgate-clock".into()).spawn(run)?;
        let _ = STARTED.set(());
    }
    Ok(())
}

fn run() {
    let mut sleepers = sleepers();
    loop {
        let now = Instant::now();
        for sleeper in sleepers.values_mut() {
            if sleeper.due().is_some_and(|due| due <= now)
                && let Some(period) = sleeper.period
            {
                sleeper.wake(now);
                sleeper.next = after(now, period);
            }
        }
        let next = sleepers.values().filter_map(Sleeper::due).min();
        sleepers = match next {
            Some(next) => {
                let wait = BELL.wait_timeout(sleepers, next.saturating_duration_since(now));
                wait.unwrap_or_else(PoisonError::into_inner).0
            }
            None => BELL.wait(sleepers).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// So much later. A time beyond reach is a day off.
fn after(now: Instant, period: Duration) -> Instant {
    now.checked_add(period).or_else(|| now.checked_add(Duration::from_secs(86_400))).unwrap_or(now)
}

fn add(key: Key, subject: Subject) {
    sleepers().insert(key, Sleeper { subject, period: None, next: Instant::now(), called: None });
}

/// A configuration is there.
pub fn add_config(key: Key, scheduler: ConfigScheduler) {
    add(key, Subject::Config(scheduler));
}

/// A worker is there.
pub fn add_worker(key: Key) {
    add(key, Subject::Worker(BTreeMap::new()));
}

/// It wants nothing any more.
pub fn remove(key: Key) {
    // What is in it is dropped after the lock is given back.
    let _sleeper = sleepers().remove(&key);
}

/// A request waits on this worker, and can wake it.
pub fn add_stream(key: Key, stream: StreamId, scheduler: StreamScheduler) {
    if let Some(Sleeper { subject: Subject::Worker(streams), .. }) = sleepers().get_mut(&key) {
        streams.insert(stream, scheduler);
    }
    BELL.notify_one();
}

/// It waits no longer.
pub fn remove_stream(key: Key, stream: StreamId) {
    if let Some(sleeper) = sleepers().get_mut(&key)
        && let Subject::Worker(streams) = &mut sleeper.subject
    {
        streams.remove(&stream);
        // A worker that was called by a request that is over does not hear it: another one calls.
        if sleeper.called.is_some_and(|(_, by)| by == Some(stream)) {
            sleeper.called = None;
            sleeper.wake(Instant::now());
        }
    }
}

/// It wants to be woken so often.
pub fn set_period(key: Key, period: Duration) {
    if let Some(sleeper) = sleepers().get_mut(&key) {
        sleeper.period = Some(period);
        sleeper.next = sleeper.next.min(after(Instant::now(), period));
    }
    BELL.notify_one();
}

/// It has something to attend to.
pub fn ring(key: Key) {
    if let Some(sleeper) = sleepers().get_mut(&key) {
        sleeper.wake(Instant::now());
    }
}

/// It was woken, and attends to everything now.
pub fn has_come(key: Key) {
    if let Some(sleeper) = sleepers().get_mut(&key) {
        sleeper.called = None;
    }
}
