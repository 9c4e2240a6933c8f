//! Envoy's functions, as the native module is linked to them here: those of Envoy 1.39, which counts without a request.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use super::config::KEYS;
use super::envoy::{
    Bytes, Call, ConfigObject, Envoy, Event, Header, Own, begin_call, end, schedule, send_rest, stream,
};
use super::hooks::envoy_dynamic_module_on_http_filter_response_headers;
use super::threads::is_main;
use super::{note_end, number};

/// What Envoy says of calls that are to be begun. 0: they are; 2: there is no such cluster; 4: it has no healthy host.
static STATUS_OF_CALLS: AtomicU32 = AtomicU32::new(0);

/// From now on calls come to this.
pub fn set_status_of_calls(status: u32) {
    STATUS_OF_CALLS.store(status, Ordering::Relaxed);
}

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Whether the module finds what it looks for at run time. Where it does not it works as with Envoy 1.37.
pub fn are_found() -> bool {
    let is_found = |name: &CStr| {
        // SAFETY: the name ends with a NUL, and null is the library of all that there is.
        unsafe { !dlsym(null_mut(), name.as_ptr()).is_null() }
    };
    [
        c"envoy_dynamic_module_callback_http_filter_config_http_callout",
        c"envoy_dynamic_module_callback_http_filter_config_increment_counter",
        c"envoy_dynamic_module_callback_http_set_dynamic_metadata_bool",
        c"envoy_dynamic_module_callback_http_get_metadata_keys_count",
        c"envoy_dynamic_module_callback_http_get_metadata_keys",
    ]
    .into_iter()
    .all(is_found)
}

/// The number of a configuration.
///
/// # Safety
/// It is there.
unsafe fn config(pointer: Envoy) -> u64 {
    // SAFETY: as the caller has it.
    unsafe { &*pointer.cast::<ConfigObject>() }.id
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
mod offered {
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
            assert!(own.answer.is_none() && !own.is_resumed, "answered twice, or after it went on");
            own.answer = Some(status);
            let (id, filter, dies) = (own.id, own.filter, own.dies_when_answered);
            // The answer goes back through the filter, before this returns.
            unsafe { envoy_dynamic_module_on_http_filter_response_headers(envoy, filter, true) };
            if dies {
                note_end(end(id));
            }
        }
        envoy_dynamic_module_callback_http_get_body_size(envoy: Envoy, kind: u32) -> usize {
            unsafe { stream(envoy) }.chunks(kind).iter().map(|one| one.len()).sum()
        }
        envoy_dynamic_module_callback_http_get_body_chunks_size(envoy: Envoy, kind: u32) -> usize {
            unsafe { stream(envoy) }.chunks(kind).len()
        }
        envoy_dynamic_module_callback_http_get_body_chunks(envoy: Envoy, kind: u32, to: *mut Bytes) -> bool {
            for (at, chunk) in unsafe { stream(envoy) }.chunks(kind).iter().enumerate() {
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
            drop(unsafe { namespace.copied() });
            unsafe { stream(envoy).set_metadata(name.copied(), value.copied(), false) };
        }
        envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
            envoy: Envoy, namespace: Bytes, name: Bytes, value: f64
        ) {
            drop(unsafe { namespace.copied() });
            unsafe { stream(envoy).set_metadata(name.copied(), value.to_le_bytes().into(), false) };
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
            unsafe { to.write(stream(envoy).connection) };
            true
        }
        envoy_dynamic_module_callback_http_filter_continue_decoding(envoy: Envoy) {
            let own = unsafe { stream(envoy) };
            own.is_resumed = true;
            // What was kept back follows, before this returns.
            unsafe { send_rest(envoy, own.id) };
        }
        envoy_dynamic_module_callback_http_clear_route_cache(envoy: Envoy) {
            let _ = unsafe { stream(envoy).id };
        }
        envoy_dynamic_module_callback_get_most_specific_route_config(envoy: Envoy) -> Own {
            unsafe { stream(envoy) }.route
        }
        envoy_dynamic_module_callback_http_filter_scheduler_new(envoy: Envoy) -> Envoy {
            Box::into_raw(Box::new(Event::Stream(unsafe { stream(envoy) }.id))).cast()
        }
        envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: Envoy, _event: u64) {
            schedule(unsafe { *scheduler.cast::<Event>() });
        }
        envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: Envoy) {
            drop(unsafe { Box::from_raw(scheduler.cast::<Event>()) });
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_new(config: Envoy) -> Envoy {
            Box::into_raw(Box::new(Event::Config(unsafe { super::config(config) }))).cast()
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_commit(scheduler: Envoy, _event: u64) {
            schedule(unsafe { *scheduler.cast::<Event>() });
        }
        envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: Envoy) {
            drop(unsafe { Box::from_raw(scheduler.cast::<Event>()) });
        }
        envoy_dynamic_module_callback_http_filter_config_define_counter(
            config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
        ) -> u32 {
            assert!(is_main(), "stats are made on the main thread");
            unsafe { super::config(config); id.write(name.copied().len()); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_config_define_gauge(
            config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
        ) -> u32 {
            assert!(is_main(), "stats are made on the main thread");
            unsafe { super::config(config); id.write(name.copied().len()); read(labels, count) }
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
        // From here on: found at run time, where the executable offers it (`fuzz/build.rs`, `tests/build.rs`). Since 1.38:
        envoy_dynamic_module_callback_http_add_dynamic_metadata_list_string(
            envoy: Envoy, namespace: Bytes, name: Bytes, value: Bytes
        ) -> bool {
            drop(unsafe { namespace.copied() });
            unsafe { stream(envoy).set_metadata(name.copied(), value.copied(), true) };
            true
        }
        envoy_dynamic_module_callback_http_set_dynamic_metadata_bool(
            envoy: Envoy, namespace: Bytes, name: Bytes, value: bool
        ) {
            drop(unsafe { namespace.copied() });
            unsafe { stream(envoy).set_metadata(name.copied(), [u8::from(value)].into(), false) };
        }
        envoy_dynamic_module_callback_http_get_metadata_keys_count(
            envoy: Envoy, source: u32, namespace: Bytes
        ) -> usize {
            drop(unsafe { namespace.copied() });
            assert_eq!(source, 0, "that of the request");
            unsafe { stream(envoy) }.metadata.len()
        }
        envoy_dynamic_module_callback_http_get_metadata_keys(
            envoy: Envoy, _source: u32, namespace: Bytes, to: *mut Bytes
        ) -> bool {
            drop(unsafe { namespace.copied() });
            for (at, (name, _)) in unsafe { stream(envoy) }.metadata.iter().enumerate() {
                unsafe { to.add(at).write(Bytes::of(name)) };
            }
            true
        }
        envoy_dynamic_module_callback_http_filter_config_http_callout(
            config: Envoy, id: *mut u64, cluster: Bytes, headers: *mut Header, count: usize, body: Bytes,
            _milliseconds: u64
        ) -> u32 {
            assert!(is_main(), "calls are made on the main thread");
            let mut is_for_keys = false;
            for at in 0..count {
                let header = unsafe { headers.add(at).read() };
                let (name, value) = unsafe { (header.name.copied(), header.value.copied()) };
                is_for_keys |= *name == *b":path" && value.starts_with(KEYS.as_bytes());
            }
            drop(unsafe { (cluster.copied(), body.copied()) });
            let config = unsafe { super::config(config) };
            let status = STATUS_OF_CALLS.load(Ordering::Relaxed);
            if status == 0 {
                let number = number();
                begin_call(Call { id: number, config, is_for_keys });
                unsafe { id.write(number) };
            }
            status
        }
        // Since 1.39, from any thread.
        envoy_dynamic_module_callback_http_filter_config_increment_counter(
            config: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { super::config(config); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_config_increment_gauge(
            config: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { super::config(config); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_config_decrement_gauge(
            config: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { super::config(config); read(labels, count) }
        }
        envoy_dynamic_module_callback_http_filter_config_set_gauge(
            config: Envoy, _id: usize, labels: *mut Bytes, count: usize, _value: u64
        ) -> u32 {
            unsafe { super::config(config); read(labels, count) }
        }
    }
}

type Change = unsafe extern "C" fn(Envoy, usize, *mut Bytes, usize, u64) -> u32;

/// Keeps the linker from leaving out what is found at run time alone.
#[used]
static CHANGES: [Change; 4] = [
    offered::envoy_dynamic_module_callback_http_filter_config_increment_counter,
    offered::envoy_dynamic_module_callback_http_filter_config_increment_gauge,
    offered::envoy_dynamic_module_callback_http_filter_config_decrement_gauge,
    offered::envoy_dynamic_module_callback_http_filter_config_set_gauge,
];
#[used]
static CALLOUT: unsafe extern "C" fn(Envoy, *mut u64, Bytes, *mut Header, usize, Bytes, u64) -> u32 =
    offered::envoy_dynamic_module_callback_http_filter_config_http_callout;
#[used]
static LIST: unsafe extern "C" fn(Envoy, Bytes, Bytes, Bytes) -> bool =
    offered::envoy_dynamic_module_callback_http_add_dynamic_metadata_list_string;
#[used]
static BOOL: unsafe extern "C" fn(Envoy, Bytes, Bytes, bool) =
    offered::envoy_dynamic_module_callback_http_set_dynamic_metadata_bool;
#[used]
static COUNT_NAMES: unsafe extern "C" fn(Envoy, u32, Bytes) -> usize =
    offered::envoy_dynamic_module_callback_http_get_metadata_keys_count;
#[used]
static NAMES: unsafe extern "C" fn(Envoy, u32, Bytes, *mut Bytes) -> bool =
    offered::envoy_dynamic_module_callback_http_get_metadata_keys;
