//! The functions that Envoy looks for. Each turns pointers into values and hands them to [`hooks`], where a
//! panic ends.

use std::ffi::c_char;
use std::mem::ManuallyDrop;
use std::ptr::null;
use std::rc::Rc;
use std::sync::Arc;

use lychgate::host::CallResponse;

use super::config::ConfigHandle;
use super::stream::StreamHandle;
use super::*;
use crate::config::{Config, Route};
use crate::exchange::Exchange;
use crate::hooks;

/// A configuration of the module's, lent for a hook.
///
/// # Safety
/// The pointer is null, or is what `config_new` gave and is not over.
unsafe fn config(pointer: Own) -> Option<ManuallyDrop<Arc<Config>>> {
    // SAFETY: as the caller has it. The count is as it was before, for this one is not dropped.
    (!pointer.is_null()).then(|| unsafe { ManuallyDrop::new(Arc::from_raw(pointer.cast())) })
}

/// A stream of the module's. It holds until the hook is over, also where the stream ends meanwhile.
///
/// # Safety
/// The pointer is null, or is what `stream_new` gave on this thread and is not over.
unsafe fn exchange(pointer: Own) -> Option<Rc<Exchange>> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: as the caller has it.
    unsafe {
        Rc::increment_strong_count(pointer.cast::<Exchange>());
        Some(Rc::from_raw(pointer.cast()))
    }
}

/// Headers and body of an answer.
///
/// # Safety
/// Envoy lends as many as it says, for as long as the hook lasts.
unsafe fn answer(
    headers: *const Header,
    count: usize,
    chunks: *const Bytes,
    chunk_count: usize,
    most: usize,
) -> CallResponse {
    let (mut copied, mut body) = (Vec::new(), Vec::new());
    // SAFETY: as the caller has it.
    unsafe {
        if !headers.is_null() {
            for header in std::slice::from_raw_parts(headers, count) {
                let (name, value) = header.lent();
                copied.push((name.to_vec(), value.to_vec()));
            }
        }
        if !chunks.is_null() {
            for chunk in std::slice::from_raw_parts(chunks, chunk_count) {
                let chunk = chunk.lent();
                let rest = most.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
            }
        }
    }
    CallResponse { headers: copied, body }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    system::stay(envoy_dynamic_module_on_program_init as *const c_void);
    newer().version.as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_new(envoy: Envoy, name: Bytes, text: Bytes) -> Own {
    // SAFETY: Envoy lends name and text for this hook, and its object until the one below.
    let (handle, name, text) = unsafe { (ConfigHandle::new(envoy), name.lent(), text.lent()) };
    hooks::config_new(handle, name, text).map_or(null(), |config| Arc::into_raw(config).cast())
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(pointer: Own) {
    // SAFETY: Envoy gives back what it was given, once.
    let config = unsafe { config(pointer) };
    if let Some(config) = config {
        let config = ManuallyDrop::into_inner(config);
        hooks::config_over(&config);
        config.envoy.end();
        // Now other threads may forget it: what they still count for it no longer goes to Envoy, whose side is gone soon.
        config.text.end();
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(_: Envoy, pointer: Own, _event: u64) {
    // SAFETY: it is not over, for Envoy calls it.
    if let Some(config) = unsafe { config(pointer) } {
        hooks::config_scheduled(&config);
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    _: Envoy,
    pointer: Own,
    id: u64,
    _result: u32,
    headers: *const Header,
    count: usize,
    chunks: *const Bytes,
    chunk_count: usize,
) {
    // SAFETY: as above; the answer is lent for this hook, and there is none where the call failed.
    let (config, answer) =
        unsafe { (config(pointer), answer(headers, count, chunks, chunk_count, hooks::LONGEST_ANSWER)) };
    if let Some(config) = config {
        hooks::call_done(&config, id, answer);
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(name: Bytes, text: Bytes) -> Own {
    // SAFETY: Envoy lends name and text for this hook.
    let (name, text) = unsafe { (name.lent(), text.lent()) };
    hooks::route_new(name, text).map_or(null(), |route| Arc::into_raw(route).cast())
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(pointer: Own) {
    if !pointer.is_null() {
        // SAFETY: Envoy gives back what it was given, once.
        let route = unsafe { Arc::<Route>::from_raw(pointer.cast()) };
        hooks::route_over(&route);
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(pointer: Own, envoy: Envoy) -> Own {
    // SAFETY: the configuration is not over, and Envoy keeps its object until the hook below.
    let (config, handle) = unsafe { (config(pointer), StreamHandle::new(envoy)) };
    Rc::into_raw(hooks::stream_new(config.as_deref(), handle)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_destroy(pointer: Own) {
    if !pointer.is_null() {
        // SAFETY: Envoy gives back what it was given, once.
        let exchange = unsafe { Rc::<Exchange>::from_raw(pointer.cast()) };
        exchange.envoy.end();
        hooks::stream_over(&exchange);
    }
}

macro_rules! stream_hooks {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $answer:ty)? = $hook:path;)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name(_: Envoy, pointer: Own, $($argument: $kind),*) $(-> $answer)? {
                // SAFETY: Envoy calls it for a stream that is not over, on its thread.
                let exchange = unsafe { exchange(pointer) };
                $hook(exchange.as_ref(), $($argument),*)
            }
        )*
    };
}

stream_hooks! {
    envoy_dynamic_module_on_http_filter_request_headers(end: bool) -> u32 = hooks::request_headers;
    envoy_dynamic_module_on_http_filter_request_body(end: bool) -> u32 = hooks::request_body;
    envoy_dynamic_module_on_http_filter_request_trailers() -> u32 = hooks::request_trailers;
    envoy_dynamic_module_on_http_filter_response_headers(end: bool) -> u32 = hooks::response_headers;
    envoy_dynamic_module_on_http_filter_scheduled(event: u64) = hooks::stream_scheduled;
}

/// Envoy wants these to be there. Nothing happens in them: a response passes, and a stream makes no calls.
macro_rules! idle_hooks {
    ($($name:ident($($kind:ty),*) -> $answer:ty = $value:expr;)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name(_: Envoy, _: Own, $(_: $kind),*) -> $answer {
                $value
            }
        )*
    };
}

idle_hooks! {
    envoy_dynamic_module_on_http_filter_response_body(bool) -> u32 = 0;
    envoy_dynamic_module_on_http_filter_response_trailers() -> u32 = 0;
    envoy_dynamic_module_on_http_filter_stream_complete() -> () = ();
    envoy_dynamic_module_on_http_filter_http_callout_done(
        u64, u32, *const Header, usize, *const Bytes, usize
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_headers(u64, *const Header, usize, bool) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_data(u64, *const Bytes, usize, bool) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_trailers(u64, *const Header, usize) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_complete(u64) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_reset(u64, u32) -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark() -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark() -> () = ();
}
