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
    /// Whether a request began to wait since its time was last looked at.
    is_fresh: bool,
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

    /// Whether there is anything to wake it by.
    fn can_be_woken(&self) -> bool {
        match &self.subject {
            Subject::Config(_) => true,
            Subject::Worker(streams) => !streams.is_empty(),
        }
    }

    /// Wakes it if it is time.
    fn look(&mut self, now: Instant) {
        let Some(period) = self.period.filter(|_| self.next <= now) else { return };
        if self.can_be_woken() {
            self.wake(now);
        } else if !self.is_fresh {
            return;
        }
        self.is_fresh = false;
        self.next = after(now, period);
    }

    /// When to look at it next. A worker whose requests have just gone is looked at once more: most wait for a moment, and it costs
    /// more to wake this thread for each of them.
    fn due(&self, now: Instant) -> Option<Instant> {
        self.period.filter(|_| self.can_be_woken() || self.next > now).map(|_| self.next)
    }
}

#[derive(Default)]
struct Sleepers {
    all: HashMap<Key, Sleeper>,
    /// Until when the clock's thread sleeps; `None`: until it is woken. It holds the lock while it does not.
    sleeps_until: Option<Instant>,
}

impl Sleepers {
    /// Wakes the clock's thread if it would look at this one too late.
    fn hurry(&self, key: Key) {
        let due = self.all.get(&key).and_then(|sleeper| sleeper.due(Instant::now()));
        if due.is_some_and(|due| self.sleeps_until.is_none_or(|until| due < until)) {
            BELL.notify_one();
        }
    }
}

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
        sleepers.all.values_mut().for_each(|sleeper| sleeper.look(now));
        let next = sleepers.all.values().filter_map(|sleeper| sleeper.due(now)).min();
        sleepers.sleeps_until = next;
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
    let sleeper = Sleeper { subject, period: None, next: Instant::now(), called: None, is_fresh: false };
    sleepers().all.insert(key, sleeper);
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
    let _sleeper = sleepers().all.remove(&key);
}

/// A request waits on this worker, and can wake it.
pub fn add_stream(key: Key, stream: StreamId, scheduler: StreamScheduler) {
    let mut sleepers = sleepers();
    if let Some(Sleeper { subject: Subject::Worker(streams), is_fresh, .. }) = sleepers.all.get_mut(&key) {
        streams.insert(stream, scheduler);
        *is_fresh = true;
    }
    sleepers.hurry(key);
}

/// It waits no longer.
pub fn remove_stream(key: Key, stream: StreamId) {
    if let Some(sleeper) = sleepers().all.get_mut(&key)
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
    let mut sleepers = sleepers();
    if let Some(sleeper) = sleepers.all.get_mut(&key) {
        sleeper.period = Some(period);
        sleeper.next = sleeper.next.min(after(Instant::now(), period));
    }
    sleepers.hurry(key);
}

/// It has something to attend to.
pub fn ring(key: Key) {
    if let Some(sleeper) = sleepers().all.get_mut(&key) {
        sleeper.wake(Instant::now());
    }
}

/// It was woken, and attends to everything now.
pub fn has_come(key: Key) {
    if let Some(sleeper) = sleepers().all.get_mut(&key) {
        sleeper.called = None;
    }
}
