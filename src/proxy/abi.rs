//! The host calls of proxy-wasm ABI 0.2.1 that the filter makes, each failure a value.
//!
//! This is the one place with unsafe code: the host's functions are foreign, and hand data over by
//! pointer into memory that `proxy_on_memory_allocate` took from Rust's allocator.

use std::ptr::null_mut;
use std::time::Duration;

pub use super::map::parse as parse_map;
use super::map::serialize as serialize_map;

/// A status other than OK, as the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const REQUEST_BODY: u32 = 0;
const CALL_RESPONSE_BODY: u32 = 4;
const CALL_RESPONSE_HEADERS: u32 = 6;
const REQUEST_STREAM: u32 = 0;
const PLUGIN_CONFIGURATION: u32 = 7;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;

/// Log levels of the ABI.
#[derive(Clone, Copy)]
pub enum Level {
    /// For who looks into one request.
    Debug = 1,
    /// For who operates the gateway.
    Info = 2,
    /// Odd, not wrong.
    Warn = 3,
    /// Wrong.
    Error = 4,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_buffer_bytes(
        kind: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        kind: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        kind: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(kind: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        id: *mut u32,
    ) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, value: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, size: usize) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, change: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        value: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        size: usize,
        version: u32,
    ) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> u32;
}

fn check(status: u32) -> Result<(), Status> {
    if status == 0 { Ok(()) } else { Err(Status(status)) }
}

/// Takes over what the host returned by pointer.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    let mut data = null_mut();
    let mut size = 0;
    check(call(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host filled `size` bytes of memory that it asked of `proxy_on_memory_allocate`,
    // which gives away a Vec of exactly that capacity, and it keeps no pointer to it.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Logs a line; a host that cannot log loses it.
pub fn log(level: Level, message: &str) {
    // SAFETY: the host reads the message during the call.
    unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// The lowest level that the host's log lets through.
pub fn log_level() -> Result<u32, Status> {
    let mut level = 0;
    // SAFETY: the host writes through a pointer that is valid during the call.
    check(unsafe { proxy_get_log_level(&raw mut level) })?;
    Ok(level)
}

/// The plugin's configuration.
pub fn plugin_configuration() -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size) })
}

/// All request headers, as the ABI serialises them.
pub fn request_headers() -> Result<Vec<u8>, Status> {
    // SAFETY: as above.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, size) })
}

/// Gives a request header this value and no other.
pub fn set_request_header(name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        proxy_replace_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Adds a request header; one of the same name stays.
pub fn add_request_header(name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        proxy_add_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes every request header of this name.
pub fn remove_request_header(name: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the name during the call.
    check(unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) })
}

/// All request trailers, as the ABI serialises them.
pub fn request_trailers() -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_TRAILERS, data, size) })
}

/// Removes every request trailer of this name.
pub fn remove_request_trailer(name: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the name during the call.
    check(unsafe { proxy_remove_header_map_value(REQUEST_TRAILERS, name.as_ptr(), name.len()) })
}

/// Answers the request. `details` become Envoy's response-code details.
pub fn send_local_response(
    status: u16,
    details: &str,
    headers: &[(&str, String)],
    body: &[u8],
    grpc_status: i32,
) -> Result<(), Status> {
    let headers = serialize_map(headers);
    // SAFETY: the host reads all of it during the call.
    check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

/// All headers of the response to a call, as the ABI serialises them.
pub fn call_response_headers() -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(CALL_RESPONSE_HEADERS, data, size) })
}

/// Up to `max_size` bytes of the body of the response to a call.
pub fn call_response_body(max_size: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: as above.
    returned(|data, size| unsafe { proxy_get_buffer_bytes(CALL_RESPONSE_BODY, 0, max_size, data, size) })
}

/// Up to `max_size` bytes of the request body that is buffered.
pub fn request_body(max_size: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_buffer_bytes(REQUEST_BODY, 0, max_size, data, size) })
}

/// A property of the host by its path.
pub fn property(path: &[&str]) -> Result<Vec<u8>, Status> {
    let path = path.join("\0");
    // SAFETY: the host reads the path during the call and writes through valid pointers.
    returned(|value, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), value, size) })
}

/// Gives a property of the request a value; `name` is a path of one step.
pub fn set_property(name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

fn define_metric(kind: u32, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: the host reads the name during the call and writes through a valid pointer.
    check(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Makes a counter of this name, or finds it; gives its number.
pub fn define_counter(name: &str) -> Result<u32, Status> {
    define_metric(COUNTER, name)
}

/// Makes a gauge of this name, or finds it; gives its number.
pub fn define_gauge(name: &str) -> Result<u32, Status> {
    define_metric(GAUGE, name)
}

/// Changes a counter or a gauge by so much.
pub fn increment_metric(id: u32, change: i64) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_increment_metric(id, change) })
}

/// Gives a gauge this value.
pub fn record_metric(id: u32, value: u64) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_record_metric(id, value) })
}

/// A value of the shared data, and its version.
pub fn shared_data(key: &str) -> Result<Option<(Vec<u8>, u32)>, Status> {
    let mut version = 0;
    // SAFETY: the host reads the key during the call and writes through valid pointers.
    let value = returned(|value, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), value, size, &raw mut version)
    });
    match value {
        Ok(value) => Ok(Some((value, version))),
        Err(Status(NOT_FOUND)) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Writes a value of the shared data, unless somebody else did since `version`; says whether.
pub fn set_shared_data(key: &str, value: &[u8], version: u32) -> Result<bool, Status> {
    // SAFETY: the host reads key and value during the call.
    let written = check(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version)
    });
    match written {
        Ok(()) => Ok(true),
        Err(Status(CAS_MISMATCH)) => Ok(false),
        Err(status) => Err(status),
    }
}

/// Has `on_tick` called every so many milliseconds; 0: no longer.
pub fn set_tick_period(milliseconds: u32) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Has the calls that follow speak of this context.
pub fn speak_of(context: u32) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_set_effective_context(context) })
}

/// Lets the request that was paused go on.
pub fn resume_request() -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_continue_stream(REQUEST_STREAM) })
}

/// Begins an HTTP call to a cluster; gives the number that the response will bear.
pub fn http_call(
    cluster: &str,
    headers: &[(String, String)],
    body: &[u8],
    timeout: Duration,
) -> Result<u32, Status> {
    let headers = serialize_map(headers);
    let trailers = serialize_map::<&str>(&[]);
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let mut id = 0;
    // SAFETY: the host reads all of it during the call and writes through a valid pointer.
    check(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            milliseconds,
            &raw mut id,
        )
    })?;
    Ok(id)
}

/// Calls a function that the host has beyond the ABI.
pub fn call_foreign_function(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: the host reads name and argument during the call and writes through valid pointers.
    returned(|result, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            result,
            size,
        )
    })
}
