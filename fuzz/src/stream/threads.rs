//! Envoy's threads. On its main thread configurations are made, and calls of clusters are made and end. Requests are on
//! workers: the thread that an input begins on, and another one. All but one stand still, so that an input does the same
//! each time, but for the module's own threads.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    static IS_MAIN: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the main thread.
pub(super) fn is_main() -> bool {
    IS_MAIN.get()
}

/// What one thread hands to another.
struct Handed<T>(T);

// SAFETY: who hands something over waits until the other thread is done with it.
unsafe impl<T> Send for Handed<T> {}

impl<T> Handed<T> {
    fn take(self) -> T {
        self.0
    }
}

/// A thread that does what it is given.
type Thread = LazyLock<Mutex<Sender<Job>>>;

fn start(is_main: bool) -> Mutex<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    let run = move || {
        IS_MAIN.set(is_main);
        jobs.iter().for_each(|job| job());
    };
    let name = if is_main { "envoy-main" } else { "envoy-worker" };
    // It ends with the process.
    thread::Builder::new().name(name.into()).spawn(run).expect("the system gives a thread");
    Mutex::new(sender)
}

/// Runs `work` on the main thread, and waits for it. A panic there goes on here.
pub(super) fn on_main<T>(work: impl FnOnce() -> T) -> T {
    static MAIN: Thread = LazyLock::new(|| start(true));
    on(&MAIN, work)
}

/// The same on the other worker.
pub(super) fn on_other_worker<T>(work: impl FnOnce() -> T) -> T {
    static WORKER: Thread = LazyLock::new(|| start(false));
    on(&WORKER, work)
}

fn on<T>(thread: &Thread, work: impl FnOnce() -> T) -> T {
    let (sender, done) = channel();
    let work = Handed(work);
    let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work.take()()));
        let _ = sender.send(Handed(outcome));
    });
    // SAFETY: this waits until the work is over, so that what it borrows is there for as long as it runs.
    let job: Job = unsafe { std::mem::transmute(job) };
    thread.lock().expect("nobody panics with it").send(job).expect("it takes work");
    match done.recv().expect("it does what it took").take() {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}
