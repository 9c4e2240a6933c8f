//! Calls of clusters. Envoy has those that belong to no request made on its main thread, so workers post theirs
//! here, and what comes back is put where the worker finds it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lychgate::host::{CallResponse, HttpCall, Ticket, WorkDone};

use crate::abi::ConfigHandle;
use crate::clock::{self, Key};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What comes back for a worker.
pub enum Message {
    /// A call was answered.
    Answer(u32, CallResponse),
    /// Work that was taken over is done.
    Work(Ticket, WorkDone),
}

/// What came back for a worker.
pub struct Inbox {
    key: Key,
    has_some: AtomicBool,
    messages: Mutex<Vec<Message>>,
}

impl Inbox {
    /// That of the worker with this key.
    pub fn new(key: Key) -> Arc<Self> {
        Arc::new(Self { key, has_some: AtomicBool::new(false), messages: Mutex::default() })
    }

    fn put(&self, number: u32, response: CallResponse) {
        self.put_message(Message::Answer(number, response));
    }

    /// Puts in what came of work.
    pub fn put_work(&self, ticket: Ticket, done: WorkDone) {
        self.put_message(Message::Work(ticket, done));
    }

    fn put_message(&self, message: Message) {
        lock(&self.messages).push(message);
        self.has_some.store(true, Ordering::Release);
        clock::ring(self.key);
    }

    /// Takes out what is there.
    pub fn take(&self) -> Vec<Message> {
        if !self.has_some.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.messages))
    }
}

/// Who called: a worker, or the main thread itself.
type Caller = (Option<Arc<Inbox>>, u32);

/// A call that was posted.
struct Posted {
    inbox: Arc<Inbox>,
    number: u32,
    call: HttpCall,
    /// Until when it may still be begun.
    deadline: Instant,
}

/// The calls of a configuration.
#[derive(Default)]
pub struct Calls {
    posted: Mutex<VecDeque<Posted>>,
    underway: Mutex<HashMap<u64, Caller>>,
}

impl Calls {
    /// Has the main thread make a call.
    pub fn post(&self, inbox: &Arc<Inbox>, number: u32, call: &HttpCall, main: Key) {
        let now = Instant::now();
        let deadline = now.checked_add(call.timeout).unwrap_or(now);
        let posted = Posted { inbox: Arc::clone(inbox), number, call: call.clone(), deadline };
        lock(&self.posted).push_back(posted);
        clock::ring(main);
    }

    /// Makes a call of the main thread's own.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn make(&self, envoy: &ConfigHandle, number: u32, call: &HttpCall) -> Result<(), &'static str> {
        let id = envoy.call(&call.cluster, &call.headers, &call.body, call.timeout)?;
        lock(&self.underway).insert(id, (None, number));
        Ok(())
    }

    /// Makes the calls that were posted. One that finds no room waits for one that is under way to be answered.
    pub fn make_posted(&self, envoy: &ConfigHandle) {
        loop {
            let Some(posted) = lock(&self.posted).pop_front() else { return };
            let Posted { inbox, number, call, deadline } = &posted;
            match envoy.call(&call.cluster, &call.headers, &call.body, call.timeout) {
                Ok(id) => {
                    lock(&self.underway).insert(id, (Some(Arc::clone(inbox)), *number));
                }
                Err(_) if !lock(&self.underway).is_empty() && Instant::now() < *deadline => {
                    lock(&self.posted).push_front(posted);
                    return;
                }
                Err(what) => {
                    log::debug!("lychgate: cluster {:?} cannot be called: {what}", call.cluster);
                    inbox.put(*number, CallResponse::default());
                }
            }
        }
    }

    /// A call was answered. That of the main thread's own is given back with its number.
    pub fn done(&self, id: u64, response: CallResponse) -> Option<(u32, CallResponse)> {
        match lock(&self.underway).remove(&id) {
            Some((Some(inbox), number)) => {
                inbox.put(number, response);
                None
            }
            Some((None, number)) => Some((number, response)),
            None => None,
        }
    }
}
