//! Envoy's functions, as the native module is linked to them here. Each piece of memory that Envoy lends is a piece of
//! its own and is freed when Envoy may free it, so that a sanitizer sees a use that comes too late.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Mutex;

/// Bytes of either side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    start: *const u8,
    size: usize,
}

/// A header of either side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    name: Bytes,
    value: Bytes,
}

pub type Envoy = *mut c_void;
pub type Own = *const c_void;
type Pair = (Box<[u8]>, Box<[u8]>);

impl Bytes {
    pub fn of(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), size: bytes.len() }
    }

    /// # Safety
    /// The bytes are there.
    unsafe fn copied(self) -> Box<[u8]> {
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

/// A request, as Envoy has it.
pub struct Stream {
    pub id: u64,
    /// The headers and the trailers.
    pub maps: [Vec<Pair>; 2],
    /// The piece of the body that came now, and those before it.
    pub body: [Vec<Box<[u8]>>; 2],
    /// The client's address.
    address: Box<[u8]>,
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

impl Stream {
    pub fn new(id: u64, headers: Vec<Pair>) -> Self {
        Self {
            id,
            maps: [headers, Vec::new()],
            body: [Vec::new(), Vec::new()],
            address: b"192.0.2.1:1024"[..].into(),
            answer: None,
            is_resumed: false,
            dies_when_answered: false,
            route: null(),
            filter: null(),
        }
    }
}

/// What waits for a thread of Envoy's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Stream(u64),
    Config(usize),
}

static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());

/// What was scheduled since the last time.
pub fn events() -> Vec<Event> {
    std::mem::take(&mut *EVENTS.lock().unwrap())
}

thread_local! {
    /// The requests that are there.
    static STREAMS: RefCell<HashMap<u64, Envoy>> = RefCell::default();
    /// The calls that wait for an answer, with their configuration.
    static CALLS: RefCell<Vec<(u64, usize)>> = const { RefCell::new(Vec::new()) };
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
        super::hooks::envoy_dynamic_module_on_http_filter_destroy(stream(pointer).filter);
        Some(*Box::from_raw(pointer.cast::<Stream>()))
    }
}

pub fn calls() -> Vec<(u64, usize)> {
    CALLS.with(|calls| std::mem::take(&mut *calls.borrow_mut()))
}

/// # Safety
/// The stream is there.
pub unsafe fn stream<'a>(pointer: Envoy) -> &'a mut Stream {
    // SAFETY: as the caller has it.
    unsafe { &mut *pointer.cast() }
}

macro_rules! envoy {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $answer:ty)? $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($argument: $kind),*) $(-> $answer)? $body
        )*
    };
}

/// # Safety
/// So many labels are there.
unsafe fn read(labels: *mut Bytes, count: usize) -> u32 {
    // SAFETY: as the caller has it.
    (0..count).for_each(|at| drop(unsafe { (*labels.add(at)).copied() }));
    0
}

// SAFETY of all of these: the module calls them as Envoy's ABI wants it, or a sanitizer says where it does not.
#[allow(unused_unsafe, reason = "the bodies of all are marked, also of those that need nothing")]
mod functions {
    use super::*;

    envoy! {
        envoy_dynamic_module_callback_log(_level: u32, message: Bytes) {
            let text = String::from_utf8_lossy(&unsafe { message.copied() }).into_owned();
            assert!(!text.contains("panicked"), "{text}");
        }
        envoy_dynamic_module_callback_log_enabled(level: u32) -> bool { level >= 4 }
        envoy_dynamic_module_callback_http_get_headers_size(envoy: Envoy, map: u32) -> usize {
            unsafe { stream(envoy) }.maps.get(map as usize).map_or(0, Vec::len)
        }
        envoy_dynamic_module_callback_http_get_headers(envoy: Envoy, map: u32, to: *mut Header) -> bool {
            let Some(map) = unsafe { stream(envoy) }.maps.get(map as usize) else { return false };
            for (at, pair) in map.iter().enumerate() {
                unsafe { to.add(at).write(Header::of(pair)) };
            }
            true
        }
        envoy_dynamic_module_callback_http_set_header(envoy: Envoy, map: u32, name: Bytes, value: Bytes) -> bool {
            let (name, is_removed) = (unsafe { name.copied() }, value.start.is_null());
            let value = unsafe { value.copied() };
            let Some(map) = unsafe { stream(envoy) }.maps.get_mut(map as usize) else { return false };
            let before = map.len();
            // All of them are made anew: what was lent before is there no longer.
            *map = map.iter().filter(|(own, _)| *own != name).cloned().collect();
            if is_removed {
                return map.len() < before;
            }
            map.push((name, value));
            true
        }
        envoy_dynamic_module_callback_http_add_header(envoy: Envoy, map: u32, name: Bytes, value: Bytes) -> bool {
            let new = unsafe { (name.copied(), value.copied()) };
            let Some(map) = unsafe { stream(envoy) }.maps.get_mut(map as usize) else { return false };
            *map = map.iter().cloned().chain([new]).collect();
            true
        }
        envoy_dynamic_module_callback_http_send_response(
            envoy: Envoy, status: u32, headers: *mut Header, count: usize, body: Bytes, details: Bytes
        ) {
            for at in 0..count {
                let header = unsafe { headers.add(at).read() };
                drop(unsafe { (header.name.copied(), header.value.copied()) });
            }
            drop(unsafe { (body.copied(), details.copied()) });
            let own = unsafe { stream(envoy) };
            assert!(own.answer.is_none(), "answered twice");
            own.answer = Some(status);
            let (id, filter, dies) = (own.id, own.filter, own.dies_when_answered);
            // The answer goes back through the filter, before this returns.
            unsafe { super::super::envoy_dynamic_module_on_http_filter_response_headers(envoy, filter, true) };
            if dies {
                super::super::note_end(end(id));
            }
        }
        envoy_dynamic_module_callback_http_get_body_size(envoy: Envoy, kind: u32) -> usize {
            unsafe { stream(envoy) }.body.get(kind as usize).map_or(0, |all| all.iter().map(|one| one.len()).sum())
        }
        envoy_dynamic_module_callback_http_get_body_chunks_size(envoy: Envoy, kind: u32) -> usize {
            unsafe { stream(envoy) }.body.get(kind as usize).map_or(0, Vec::len)
        }
        envoy_dynamic_module_callback_http_get_body_chunks(envoy: Envoy, kind: u32, to: *mut Bytes) -> bool {
            let Some(chunks) = unsafe { stream(envoy) }.body.get(kind as usize) else { return false };
            for (at, chunk) in chunks.iter().enumerate() {
                unsafe { to.add(at).write(Bytes::of(chunk)) };
            }
            true
        }
        envoy_dynamic_module_callback_http_set_filter_state_bytes(envoy: Envoy, name: Bytes, value: Bytes) -> bool {
            drop(unsafe { (stream(envoy).id, name.copied(), value.copied()) });
            true
        }
        envoy_dynamic_module_callback_http_get_filter_state_bytes(_envoy: Envoy, name: Bytes, _to: *mut Bytes) -> bool {
            drop(unsafe { name.copied() });
            false
        }
        envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
            envoy: Envoy, namespace: Bytes, name: Bytes, value: Bytes
        ) {
            drop(unsafe { (stream(envoy).id, namespace.copied(), name.copied(), value.copied()) });
        }
        envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
            envoy: Envoy, namespace: Bytes, name: Bytes, _value: f64
        ) {
            drop(unsafe { (stream(envoy).id, namespace.copied(), name.copied()) });
        }
        envoy_dynamic_module_callback_http_filter_get_attribute_string(
            envoy: Envoy, id: u32, to: *mut Bytes
        ) -> bool {
            const SOURCE_ADDRESS: u32 = 24;
            if id == SOURCE_ADDRESS {
                unsafe { to.write(Bytes::of(&stream(envoy).address)) };
            }
            id == SOURCE_ADDRESS
        }
        envoy_dynamic_module_callback_http_filter_get_attribute_int(envoy: Envoy, _id: u32, to: *mut u64) -> bool {
            unsafe { to.write(stream(envoy).id % 3) };
            true
        }
        envoy_dynamic_module_callback_http_filter_continue_decoding(envoy: Envoy) {
            let own = unsafe { stream(envoy) };
            own.is_resumed = true;
            // What was held back follows, before this returns.
            if !own.body.iter().all(Vec::is_empty) {
                let filter = own.filter;
                unsafe { super::super::envoy_dynamic_module_on_http_filter_request_body(envoy, filter, true) };
            }
        }
        envoy_dynamic_module_callback_get_most_specific_route_config(envoy: Envoy) -> Own {
            unsafe { stream(envoy) }.route
        }
        envoy_dynamic_module_callback_http_filter_scheduler_new(envoy: Envoy) -> Envoy {
            Box::into_raw(Box::new(Event::Stream(unsafe { stream(envoy) }.id))).cast()
        }
        envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: Envoy, _event: u64) {
            EVENTS.lock().unwrap().push(unsafe { *scheduler.cast::<Event>() });
        }
        envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: Envoy) {
            drop(unsafe { Box::from_raw(scheduler.cast::<Event>()) });
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_new(config: Envoy) -> Envoy {
            Box::into_raw(Box::new(Event::Config(config as usize))).cast()
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_commit(scheduler: Envoy, _event: u64) {
            EVENTS.lock().unwrap().push(unsafe { *scheduler.cast::<Event>() });
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: Envoy) {
            drop(unsafe { Box::from_raw(scheduler.cast::<Event>()) });
        }
        envoy_dynamic_module_callback_http_filter_config_define_counter(
            _config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
        ) -> u32 {
            unsafe { id.write(name.size); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_config_define_gauge(
            _config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
        ) -> u32 {
            unsafe { id.write(name.size); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_increment_counter(
            envoy: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { let _ = stream(envoy).id; read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_increment_gauge(
            envoy: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { let _ = stream(envoy).id; read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_decrement_gauge(
            envoy: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { let _ = stream(envoy).id; read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_set_gauge(
            envoy: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { let _ = stream(envoy).id; read(labels, count) }
        }
        // Since 1.38: found at run time, where the executable offers it (`fuzz/build.rs`).
        envoy_dynamic_module_callback_http_filter_config_http_callout(
            config: Envoy, id: *mut u64, cluster: Bytes, headers: *mut Header, count: usize, body: Bytes,
            _milliseconds: u64
        ) -> u32 {
            for at in 0..count {
                let header = unsafe { headers.add(at).read() };
                drop(unsafe { (header.name.copied(), header.value.copied()) });
            }
            drop(unsafe { (cluster.copied(), body.copied()) });
            CALLS.with(|calls| {
                let number = super::super::number();
                calls.borrow_mut().push((number, config as usize));
                unsafe { id.write(number) };
            });
            0
        }
    }
}

/// Keeps the linker from leaving out what is found at run time alone.
#[used]
static CALLOUT: unsafe extern "C" fn(Envoy, *mut u64, Bytes, *mut Header, usize, Bytes, u64) -> u32 =
    functions::envoy_dynamic_module_callback_http_filter_config_http_callout;
