//! What Envoy has: requests, what waits for its threads, and calls. Each piece of memory that it lends is a piece of
//! its own and is freed when Envoy may free it, so that a sanitizer sees a use that comes too late.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use super::hooks::{
    envoy_dynamic_module_on_http_filter_destroy, envoy_dynamic_module_on_http_filter_request_body,
    envoy_dynamic_module_on_http_filter_request_trailers,
};

/// Bytes of either side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub start: *const u8,
    pub size: usize,
}

/// A header of either side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    pub name: Bytes,
    pub value: Bytes,
}

pub type Envoy = *mut c_void;
pub type Own = *const c_void;
pub type Pair = (Box<[u8]>, Box<[u8]>);

impl Bytes {
    pub fn of(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), size: bytes.len() }
    }

    /// # Safety
    /// The bytes are there.
    pub unsafe fn copied(self) -> Box<[u8]> {
        if self.start.is_null() || self.size == 0 {
            return Box::default();
        }
        // SAFETY: as the caller has it.
        unsafe { std::slice::from_raw_parts(self.start, self.size) }.into()
    }
}

impl Header {
    pub fn of((name, value): &Pair) -> Self {
        Self { name: Bytes::of(name), value: Bytes::of(value) }
    }
}

pub fn pair(name: &[u8], value: &[u8]) -> Pair {
    (name.into(), value.into())
}

/// A configuration, as Envoy has it.
pub struct ConfigObject {
    pub id: u64,
}

/// What Envoy keeps back of a request that is held altogether.
#[derive(Default)]
pub struct Rest {
    pub pieces: Vec<Box<[u8]>>,
    /// The last of the body is there.
    pub is_whole: bool,
    pub trailers: Option<Vec<Pair>>,
}

/// A name in dynamic metadata, and the texts of its list.
type Listed = (Box<[u8]>, Vec<Box<[u8]>>);

/// A request, as Envoy has it.
pub struct Stream {
    pub id: u64,
    pub connection: u64,
    /// The worker that it is on.
    thread: ThreadId,
    /// The headers and the trailers.
    pub maps: [Vec<Pair>; 2],
    /// The piece of the body that came now, and those before it.
    pub body: [Vec<Box<[u8]>>; 2],
    /// The piece that came now is the buffer itself.
    pub is_buffer_itself: bool,
    /// What is kept back, if all of it is.
    pub rest: Option<Rest>,
    /// The names and texts of its dynamic metadata. All of it is made anew when it changes.
    pub metadata: Vec<Listed>,
    /// The client's address.
    pub address: Box<[u8]>,
    /// The status of its answer.
    pub answer: Option<u32>,
    /// Whether it went on while it was held.
    pub is_resumed: bool,
    /// Whether it is over as soon as it is answered.
    pub dies_when_answered: bool,
    /// The policy of its route.
    pub route: Own,
    /// The module's filter for it.
    pub filter: Own,
}

/// What another filter has set in the metadata of a request.
pub const THEIRS: &[u8] = b"theirs";

impl Stream {
    /// Sets dynamic metadata; `texts`, with what is there before them if `is_added`.
    pub fn set_metadata(&mut self, name: Box<[u8]>, text: Box<[u8]>, is_added: bool) {
        let own = |(other, _): &&(Box<[u8]>, Vec<Box<[u8]>>)| **other == *name;
        let before = self.metadata.iter().find(own).map(|(_, texts)| texts.clone());
        let mut texts = before.filter(|_| is_added).unwrap_or_default();
        assert!(texts.iter().all(|text| **text != *THEIRS), "two identities are mixed");
        texts.push(text);
        let others = self.metadata.iter().filter(|(other, _)| **other != *name);
        self.metadata = others.cloned().chain([(name.clone(), texts)]).collect();
    }

    pub fn new(id: u64, headers: Vec<Pair>) -> Self {
        Self {
            id,
            connection: 0,
            thread: thread::current().id(),
            maps: [headers, Vec::new()],
            body: [Vec::new(), Vec::new()],
            is_buffer_itself: false,
            rest: None,
            metadata: Vec::new(),
            address: b"192.0.2.1:1024"[..].into(),
            answer: None,
            is_resumed: false,
            dies_when_answered: false,
            route: null(),
            filter: null(),
        }
    }

    /// What of the body is there: the piece that came now (0), or those before it (1).
    pub fn chunks(&self, kind: u32) -> &[Box<[u8]>] {
        let place = if self.is_buffer_itself { 1 } else { kind as usize };
        self.body.get(place).map_or(&[], Vec::as_slice)
    }
}

/// What waits for a thread of Envoy's, by the number of what it is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Stream(u64),
    Config(u64),
}

/// A call of a cluster that was begun, and the configuration that it was made for.
pub struct Call {
    pub id: u64,
    pub config: u64,
    pub is_for_keys: bool,
}

static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());
static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

pub fn schedule(event: Event) {
    EVENTS.lock().unwrap().push(event);
}

/// What was scheduled since the last time.
pub fn events() -> Vec<Event> {
    std::mem::take(&mut *EVENTS.lock().unwrap())
}

pub fn begin_call(call: Call) {
    CALLS.lock().unwrap().push(call);
}

/// The calls that wait for an answer.
pub fn calls() -> Vec<Call> {
    std::mem::take(&mut *CALLS.lock().unwrap())
}

thread_local! {
    /// The requests that are on this worker.
    static STREAMS: RefCell<HashMap<u64, Envoy>> = RefCell::default();
}

pub fn begin(stream: Stream) -> Envoy {
    let id = stream.id;
    let pointer: Envoy = Box::into_raw(Box::new(stream)).cast();
    STREAMS.with(|streams| streams.borrow_mut().insert(id, pointer));
    pointer
}

pub fn find(id: u64) -> Option<Envoy> {
    STREAMS.with(|streams| streams.borrow().get(&id).copied())
}

pub fn live() -> Vec<u64> {
    let mut ids: Vec<u64> = STREAMS.with(|streams| streams.borrow().keys().copied().collect());
    ids.sort_unstable();
    ids
}

/// Ends a request: the module is told, and all that belongs to it is freed.
pub fn end(id: u64) -> Option<Stream> {
    let pointer = STREAMS.with(|streams| streams.borrow_mut().remove(&id))?;
    // SAFETY: it was there until now, and is known by no other name than the module's, which is told.
    unsafe {
        envoy_dynamic_module_on_http_filter_destroy(stream(pointer).filter);
        Some(*Box::from_raw(pointer.cast::<Stream>()))
    }
}

/// # Safety
/// The stream is there.
pub unsafe fn stream<'a>(pointer: Envoy) -> &'a mut Stream {
    // SAFETY: as the caller has it.
    let stream: &mut Stream = unsafe { &mut *pointer.cast() };
    assert_eq!(stream.thread, thread::current().id(), "a stream is spoken of on its worker alone");
    stream
}

/// What was kept back of a request follows its head. Envoy hands the buffer itself over.
///
/// # Safety
/// The stream is there.
pub unsafe fn send_rest(pointer: Envoy, id: u64) {
    // SAFETY: as the caller has it; later it is looked for, because a hook may end it.
    unsafe {
        let own = stream(pointer);
        let (Some(rest), filter) = (own.rest.take(), own.filter) else { return };
        let Rest { pieces, is_whole, trailers } = rest;
        if !pieces.is_empty() {
            own.body[1] = pieces;
            own.is_buffer_itself = true;
            let end = is_whole && trailers.is_none();
            envoy_dynamic_module_on_http_filter_request_body(pointer, filter, end);
        }
        if find(id).is_none() {
            return;
        }
        stream(pointer).is_buffer_itself = false;
        if let Some(trailers) = trailers.filter(|_| stream(pointer).answer.is_none()) {
            stream(pointer).maps[1] = trailers;
            envoy_dynamic_module_on_http_filter_request_trailers(pointer, filter);
        }
    }
}
