//! The host calls that the crate `proxy-wasm` has no fit function for, each under the name that the crate gives
//! its own. The crate panics on a status that it does not expect, which takes the worker's VM with it, and a host
//! that restricts capabilities answers a call that it does not allow with `InternalFailure`. Here each status
//! other than OK is a value.
//!
//! The unsafe code of host calls is in here: the host's functions are foreign, and hand data over by pointer into
//! memory that `proxy_on_memory_allocate` took from Rust's allocator.

use std::ptr::null_mut;
use std::time::Duration;

use proxy_wasm::types::{BufferType, Bytes, LogLevel, MapType, MetricType, StreamType};

use super::header_map::serialize;

/// A status other than OK, as the host gave it. The crate's enum knows eight of them, and it would be undefined
/// behaviour to read another one into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;

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
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Bytes, Status> {
    let mut data = null_mut();
    let mut size = 0;
    check(call(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the host filled `size` bytes of memory that it asked of `proxy_on_memory_allocate`, which gives
    // away an allocation of exactly that capacity, and it keeps no pointer to it.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Logs a line. The crate's panics where the host does not log; here the line is lost.
pub fn log(level: LogLevel, message: &str) {
    // SAFETY: the host reads the message during the call.
    unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// The lowest level that the host's log lets through, as a number: Envoy has one that the crate's enum has not
/// (6, off).
pub fn get_log_level() -> Result<u32, Status> {
    let mut level = 0;
    // SAFETY: the host writes through a pointer that is valid during the call.
    check(unsafe { proxy_get_log_level(&raw mut level) })?;
    Ok(level)
}

/// Up to `max_size` bytes of a buffer, from its beginning. The crate's panics where the host restricts it.
pub fn get_buffer(kind: BufferType, max_size: usize) -> Result<Bytes, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_buffer_bytes(kind as u32, 0, max_size, data, size) })
}

/// A header map as the ABI serialises it. The crate's copies each name and value, and panics on a name that is not
/// UTF-8 and where the host restricts it.
pub fn get_map_bytes(kind: MapType) -> Result<Bytes, Status> {
    // SAFETY: the host writes through pointers that are valid during the call.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(kind as u32, data, size) })
}

/// Gives a header this value and no other. The crate's takes only a name that is UTF-8, and panics where the host
/// does not do it; so do those of the next two.
pub fn set_map_value_bytes(kind: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        proxy_replace_header_map_value(kind as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Adds a header; one of the same name stays.
pub fn add_map_value_bytes(kind: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        proxy_add_header_map_value(kind as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes every header of this name.
pub fn remove_map_value(kind: MapType, name: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the name during the call.
    check(unsafe { proxy_remove_header_map_value(kind as u32, name.as_ptr(), name.len()) })
}

/// Answers the request. The crate's sends no response-code details and no gRPC status, and panics where the host
/// does not take it.
pub fn send_http_response(
    status: u16,
    details: &str,
    headers: &[(&str, String)],
    body: &[u8],
    grpc_status: i32,
) -> Result<(), Status> {
    let headers = serialize(headers);
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

/// A property of the host by its path. The crate's panics on a status that Envoy has no reason to give; this one
/// on none.
pub fn get_property(path: &[&str]) -> Result<Bytes, Status> {
    let path = path.join("\0");
    // SAFETY: the host reads the path during the call and writes through valid pointers.
    returned(|value, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), value, size) })
}

/// Gives a property of the request a value; `name` is a path of one step. The crate's panics where the host does
/// not take it.
pub fn set_property(name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Makes a stat of this name, or finds it; gives its number. The crate's panics where the host restricts it; so do
/// those of the next two.
pub fn define_metric(kind: MetricType, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: the host reads the name during the call and writes through a valid pointer.
    check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
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

/// A value of the shared data, and its version. The crate's panics where the host restricts it; so does that of
/// the next one.
pub fn get_shared_data(key: &str) -> Result<Option<(Bytes, u32)>, Status> {
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

/// Writes a value of the shared data, unless it was written since `version`; says whether.
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

/// Has `on_tick` called at this period; zero: no longer. The crate's panics where the host restricts it.
pub fn set_tick_period(period: Duration) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds(period)) })
}

/// Has the calls that follow speak of this context. The crate's panics where the host restricts it.
pub fn set_effective_context(context: u32) -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_set_effective_context(context) })
}

/// Lets the request that was paused go on. The crate's panics where the host does not.
pub fn resume_http_request() -> Result<(), Status> {
    // SAFETY: the call takes no pointer.
    check(unsafe { proxy_continue_stream(StreamType::HttpRequest as u32) })
}

/// Calls a function that the host has beyond the ABI. The crate's panics on a status that Envoy has no reason to
/// give; this one on none.
pub fn call_foreign_function(name: &str, argument: &[u8]) -> Result<Bytes, Status> {
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

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
