//! Threads that hash passwords, so that no worker of Envoy's stands still meanwhile. They are few, and run when
//! nothing else wants to; what they take over is bounded.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use lychgate::host::{Host, HostError, HttpCall, NativeVerdict, Ticket, Work};
use lychgate::keys::NativeKey;

use crate::calls::Inbox;
use crate::{abi, shared, system_time};

/// How many threads there are.
const THREADS: usize = 2;
/// How much work may wait for one: what two threads do, at 40 ms each, in the time that a request waits.
const MOST: usize = 512;

struct Job {
    ticket: Ticket,
    work: Work,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The keys of what is being done.
    busy: HashSet<[u8; 32]>,
}

static BELL: Condvar = Condvar::new();

fn queue() -> MutexGuard<'static, Queue> {
    static QUEUE: LazyLock<Mutex<Queue>> = LazyLock::new(Mutex::default);
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the threads run. They are begun once, and end with the process.
///
/// # Errors
/// If the system gives none.
fn start() -> std::io::Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    static STARTING: Mutex<usize> = Mutex::new(0);
    if STARTED.get().is_some() {
        return Ok(());
    }
    let mut begun = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    while *begun < THREADS {
        let begin = thread::Builder::new().name(format!("lychgate-hash{begun}")).spawn(run);
        match begin {
            Ok(_) => *begun = begun.saturating_add(1),
            // One is enough.
            Err(_) if *begun > 0 => break,
            Err(error) => return Err(error),
        }
    }
    let _ = STARTED.set(());
    Ok(())
}

/// Takes work over; what comes of it is put into `inbox`. `None`: there is no room.
pub fn take_over(work: Work, inbox: &Arc<Inbox>) -> Option<Ticket> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    if let Err(error) = start() {
        log::error!("lychgate: the system gives no thread to hash passwords on: {error}");
        return None;
    }
    let mut queue = queue();
    if queue.jobs.len() >= MOST {
        return None;
    }
    let ticket = NEXT.fetch_add(1, Ordering::Relaxed);
    queue.jobs.push_back(Job { ticket, work, inbox: Arc::clone(inbox) });
    drop(queue);
    BELL.notify_one();
    Some(ticket)
}

impl Queue {
    /// The first job none of whose keys is being worked on.
    fn next(&mut self) -> Option<Job> {
        let is_free = |job: &Job| !job.work.keys.iter().any(|key| self.busy.contains(key));
        let place = self.jobs.iter().position(is_free)?;
        let job = self.jobs.remove(place)?;
        self.busy.extend(&job.work.keys);
        Some(job)
    }
}

fn run() {
    abi::yield_to_others();
    let mut queue = queue();
    loop {
        let Some(Job { ticket, work, inbox }) = queue.next() else {
            queue = BELL.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(queue);
        let Work { keys, run } = work;
        // What did not come back failed.
        let done = catch_unwind(AssertUnwindSafe(|| run(&Bare))).unwrap_or_default();
        inbox.put_work(ticket, done);
        queue = self::queue();
        queue.busy.retain(|key| !keys.contains(key));
        // Another thread may have left a job with one of these keys to the next thread.
        BELL.notify_one();
    }
}

/// The host of work: the time, and what is shared.
struct Bare;

impl Host for Bare {
    fn now(&self) -> i64 {
        system_time::now()
    }

    /// The time that this thread had of a processor: what it waited for one does not count.
    fn monotonic(&self) -> Duration {
        abi::thread_time()
    }

    fn verify_signature(&self, _: &NativeKey, _: &[u8], _: &[u8]) -> NativeVerdict {
        NativeVerdict::Unavailable
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        getrandom::fill(bytes).map_err(|_| HostError("no randomness"))
    }

    fn client_address(&self) -> Option<String> {
        None
    }

    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        Ok(shared::get(key))
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        Ok(shared::set(key, value, version))
    }

    fn dispatch_http_call(&self, _: &HttpCall) -> Result<u32, HostError> {
        Err(HostError("work makes no calls"))
    }
}
