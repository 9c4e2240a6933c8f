//! Envoy's ABI for dynamic modules: the functions that Envoy offers, and those that it looks for. The one room
//! with unsafe code; what leaves it is safe to use.
//!
//! The shapes are those of Envoy 1.37 to 1.40. A function that one of these does not have is found at run time
//! ([`newer`]), so that one file serves all of them.
//!
//! What makes it sound, beside the shapes:
//! - Envoy runs all hooks of a stream on the thread that made it, and those of a configuration that are named
//!   here on its main thread, but for its end.
//! - A pointer of Envoy's is kept in a handle, and is taken out of it by the hook that says that the object is
//!   over. After that each call fails.
//! - Headers and bodies are lent for the time of a closure, in which nothing of the stream can be changed.

mod config;
mod exports;
mod metadata;
mod stream;
mod system;

pub use config::{ConfigHandle, ConfigScheduler, Kind};
pub use stream::{Attribute, Change, Map, StreamHandle, StreamScheduler};
pub use system::{thread_time, yield_to_others};

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

/// Bytes of either side.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    start: *const u8,
    size: usize,
}

/// A header of either side.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
}

type Envoy = *mut c_void;
type Own = *const c_void;

macro_rules! envoy {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $answer:ty)?;)*) => {
        unsafe extern "C" {
            $(fn $name($($argument: $kind),*) $(-> $answer)?;)*
        }
    };
}

envoy! {
    envoy_dynamic_module_callback_log(level: u32, message: Bytes);
    envoy_dynamic_module_callback_log_enabled(level: u32) -> bool;
    envoy_dynamic_module_callback_http_get_headers_size(stream: Envoy, map: u32) -> usize;
    envoy_dynamic_module_callback_http_get_headers(stream: Envoy, map: u32, headers: *mut Header) -> bool;
    envoy_dynamic_module_callback_http_set_header(stream: Envoy, map: u32, name: Bytes, value: Bytes) -> bool;
    envoy_dynamic_module_callback_http_add_header(stream: Envoy, map: u32, name: Bytes, value: Bytes) -> bool;
    envoy_dynamic_module_callback_http_send_response(
        stream: Envoy, status: u32, headers: *mut Header, count: usize, body: Bytes, details: Bytes
    );
    envoy_dynamic_module_callback_http_get_body_size(stream: Envoy, kind: u32) -> usize;
    envoy_dynamic_module_callback_http_get_body_chunks_size(stream: Envoy, kind: u32) -> usize;
    envoy_dynamic_module_callback_http_get_body_chunks(stream: Envoy, kind: u32, chunks: *mut Bytes) -> bool;
    envoy_dynamic_module_callback_http_set_filter_state_bytes(stream: Envoy, name: Bytes, value: Bytes) -> bool;
    envoy_dynamic_module_callback_http_get_filter_state_bytes(stream: Envoy, name: Bytes, value: *mut Bytes) -> bool;
    envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
        stream: Envoy, namespace: Bytes, name: Bytes, value: Bytes
    );
    envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
        stream: Envoy, namespace: Bytes, name: Bytes, value: f64
    );
    envoy_dynamic_module_callback_http_filter_get_attribute_string(
        stream: Envoy, id: u32, value: *mut Bytes
    ) -> bool;
    envoy_dynamic_module_callback_http_filter_get_attribute_int(stream: Envoy, id: u32, value: *mut u64) -> bool;
    envoy_dynamic_module_callback_http_filter_continue_decoding(stream: Envoy);
    envoy_dynamic_module_callback_http_clear_route_cache(stream: Envoy);
    envoy_dynamic_module_callback_get_most_specific_route_config(stream: Envoy) -> Own;
    envoy_dynamic_module_callback_http_filter_scheduler_new(stream: Envoy) -> Envoy;
    envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: Envoy, event: u64);
    envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: Envoy);
    envoy_dynamic_module_callback_http_filter_config_scheduler_new(config: Envoy) -> Envoy;
    envoy_dynamic_module_callback_http_filter_config_scheduler_commit(scheduler: Envoy, event: u64);
    envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: Envoy);
    envoy_dynamic_module_callback_http_filter_config_define_counter(
        config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
    ) -> u32;
    envoy_dynamic_module_callback_http_filter_config_define_gauge(
        config: Envoy, name: Bytes, labels: *mut Bytes, count: usize, id: *mut usize
    ) -> u32;
    envoy_dynamic_module_callback_http_filter_increment_counter(
        stream: Envoy, id: usize, labels: *mut Bytes, count: usize, value: u64
    ) -> u32;
    envoy_dynamic_module_callback_http_filter_increment_gauge(
        stream: Envoy, id: usize, labels: *mut Bytes, count: usize, value: u64
    ) -> u32;
    envoy_dynamic_module_callback_http_filter_decrement_gauge(
        stream: Envoy, id: usize, labels: *mut Bytes, count: usize, value: u64
    ) -> u32;
    envoy_dynamic_module_callback_http_filter_set_gauge(
        stream: Envoy, id: usize, labels: *mut Bytes, count: usize, value: u64
    ) -> u32;
}

/// Changes a stat of a stream's configuration, or of a configuration.
type Count = unsafe extern "C" fn(Envoy, usize, *mut Bytes, usize, u64) -> u32;
type Callout = unsafe extern "C" fn(Envoy, *mut u64, Bytes, *mut Header, usize, Bytes, u64) -> u32;
type AddToList = unsafe extern "C" fn(Envoy, Bytes, Bytes, Bytes) -> bool;
type SetBool = unsafe extern "C" fn(Envoy, Bytes, Bytes, bool);
type CountNames = unsafe extern "C" fn(Envoy, u32, Bytes) -> usize;
type GetNames = unsafe extern "C" fn(Envoy, u32, Bytes, *mut Bytes) -> bool;
type SetStruct = unsafe extern "C" fn(Envoy, Bytes, Bytes);

/// What not every Envoy has.
struct Newer {
    callout: Option<Callout>,
    increment_counter: Option<Count>,
    increment_gauge: Option<Count>,
    decrement_gauge: Option<Count>,
    set_gauge: Option<Count>,
    add_to_list: Option<AddToList>,
    set_bool: Option<SetBool>,
    count_names: Option<CountNames>,
    get_names: Option<GetNames>,
    set_struct: Option<SetStruct>,
    version: &'static CStr,
}

fn newer() -> &'static Newer {
    static NEWER: OnceLock<Newer> = OnceLock::new();
    NEWER.get_or_init(|| {
        macro_rules! find {
            ($name:literal as $kind:ty) => {{
                let name = concat!("envoy_dynamic_module_callback_", $name, "\0");
                // SAFETY: the name ends with a NUL. A function of this name has the shape that it is taken for,
                // and a null pointer is `None` of it.
                unsafe {
                    let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast());
                    std::mem::transmute::<*mut c_void, Option<$kind>>(found)
                }
            }};
        }
        let since_1_38 = find!("get_concurrency" as unsafe extern "C" fn());
        let since_1_40 = find!("http_get_timing_info" as unsafe extern "C" fn());
        let version = match (since_1_38, since_1_40) {
            (_, Some(_)) => c"v0.2.0",
            (Some(_), None) => c"v0.1.0",
            // Envoy 1.37 wants to be told which header it was built with, by its SHA-256.
            (None, None) => c"4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f",
        };
        Newer {
            callout: find!("http_filter_config_http_callout" as Callout),
            increment_counter: find!("http_filter_config_increment_counter" as Count),
            increment_gauge: find!("http_filter_config_increment_gauge" as Count),
            decrement_gauge: find!("http_filter_config_decrement_gauge" as Count),
            set_gauge: find!("http_filter_config_set_gauge" as Count),
            add_to_list: find!("http_add_dynamic_metadata_list_string" as AddToList),
            set_bool: find!("http_set_dynamic_metadata_bool" as SetBool),
            count_names: find!("http_get_metadata_keys_count" as CountNames),
            get_names: find!("http_get_metadata_keys" as GetNames),
            set_struct: find!("http_set_dynamic_metadata_struct" as SetStruct),
            version,
        }
    })
}

/// Whether calls can be made that belong to no request (Envoy 1.38).
pub fn has_callouts() -> bool {
    newer().callout.is_some()
}

/// Whether stats can be changed outside of a request (Envoy 1.39).
pub fn counts_without_a_request() -> bool {
    newer().increment_counter.is_some()
}

/// Whether filter state that is there can be given another value (Envoy 1.39).
fn changes_filter_state() -> bool {
    newer().increment_counter.is_some()
}

fn bytes(text: &[u8]) -> Bytes {
    Bytes { start: text.as_ptr(), size: text.len() }
}

impl Bytes {
    /// # Safety
    /// They are there for as long as `'a`.
    unsafe fn lent<'a>(self) -> &'a [u8] {
        if self.start.is_null() || self.size == 0 {
            return &[];
        }
        // SAFETY: as the caller has it.
        unsafe { std::slice::from_raw_parts(self.start, self.size) }
    }
}

impl Header {
    fn of(name: &[u8], value: &[u8]) -> Self {
        let (name_size, value_size) = (name.len(), value.len());
        Self { name: name.as_ptr(), name_size, value: value.as_ptr(), value_size }
    }

    /// # Safety
    /// As [`Bytes::lent`].
    unsafe fn lent<'a>(self) -> (&'a [u8], &'a [u8]) {
        let name = Bytes { start: self.name, size: self.name_size };
        let value = Bytes { start: self.value, size: self.value_size };
        // SAFETY: as the caller has it.
        unsafe { (name.lent(), value.lent()) }
    }
}

/// Writes a line of Envoy's log, at a level of Envoy's: 1 is debug, 4 is error.
pub fn log(level: u32, line: &str) {
    // SAFETY: Envoy reads the line during the call.
    unsafe { envoy_dynamic_module_callback_log(level, bytes(line.as_bytes())) };
}

/// Whether such a line would be written.
pub fn log_enabled(level: u32) -> bool {
    // SAFETY: the call takes no pointer.
    unsafe { envoy_dynamic_module_callback_log_enabled(level) }
}
