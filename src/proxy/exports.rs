//! The functions that Envoy finds in the module (proxy-wasm ABI 0.2.1), and the memory that it asks
//! for. Whatever a callback has nothing to do in is not there, and so costs nothing.

use super::plugin::with_plugin;
use crate::filter::Action;

/// What becomes of a head, as Envoy's `FilterHeadersStatus` has it. With `StopIteration` the host holds the
/// head and hands over the body, where `allow_on_headers_stop_iteration` is set; and of a body that was paused
/// here and goes on, Envoy without the fix of envoyproxy/envoy#46841 loses the next piece.
fn head_code(action: Action) -> u32 {
    match action {
        Action::Continue => 0,
        Action::Pause => 1,
        // `StopAllIterationAndWatermark`.
        Action::Hold => 4,
    }
}

/// What becomes of anything but a head.
fn code(action: Action) -> u32 {
    match action {
        Action::Continue => 0,
        Action::Pause | Action::Hold => 1,
    }
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// What a reactor does first. Without it the linker would have every callback run constructors.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the linker makes it, and the host calls this once, before anything else.
    unsafe { __wasm_call_ctors() };
}

/// Tells the host which ABI this is.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for what the host returns by pointer; `abi::returned` takes it over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut bytes = std::mem::ManuallyDrop::new(Vec::<u8>::new());
    if bytes.try_reserve_exact(size).is_err() {
        // The host sees that there is none and fails the call.
        return std::ptr::null_mut();
    }
    bytes.as_mut_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    with_plugin(|plugin| plugin.create(context, parent));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, _size: usize) -> u32 {
    u32::from(with_plugin(|plugin| plugin.configure(context)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    with_plugin(|plugin| plugin.tick(context));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(context: u32, id: u32, _headers: u32, body: usize, _trailers: u32) {
    with_plugin(|plugin| plugin.call_response(context, id, body));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _count: u32, end_of_stream: u32) -> u32 {
    head_code(with_plugin(|plugin| plugin.request_headers(context, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, size: usize, end_of_stream: u32) -> u32 {
    code(with_plugin(|plugin| plugin.request_body(context, size, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _count: u32) -> u32 {
    code(with_plugin(|plugin| plugin.request_trailers(context)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _count: u32, _end_of_stream: u32) -> u32 {
    code(with_plugin(|plugin| plugin.response_headers(context)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    with_plugin(|plugin| plugin.delete(context));
}
