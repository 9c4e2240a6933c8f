//! Two callbacks that take the place of the crate's in the finished module. `tools/exports`, which `scripts/build`
//! runs after linking, gives each the name that the host calls it by; a module without that step has the crate's.

use std::alloc::{Layout, alloc};
use std::cell::Cell;
use std::ptr::{NonNull, null_mut};

use proxy_wasm::types::Action;

/// Envoy's `FilterHeadersStatus::StopAllIterationAndWatermark`, which the crate's [`Action`] cannot say. With
/// `StopIteration` the host holds the head and hands over the body, where `allow_on_headers_stop_iteration` is set;
/// and of a body that was paused here and goes on, Envoy without the fix of envoyproxy/envoy#46841 loses the next
/// piece.
const STOP_ALL_ITERATION_AND_WATERMARK: u32 = 4;

thread_local! {
    /// Whether the head that was looked at last is held back together with all that follows it.
    static HOLDS_ALL: Cell<bool> = const { Cell::new(false) };
}

/// Says of the head that is being looked at that all of the request is to be held.
pub fn hold_all() {
    HOLDS_ALL.set(true);
}

unsafe extern "C" {
    /// The crate's.
    fn proxy_on_request_headers(context: u32, count: usize, end_of_stream: bool) -> Action;
}

/// Becomes `proxy_on_request_headers`: the crate's, and an answer more.
#[unsafe(no_mangle)]
extern "C" fn lychgate_on_request_headers(context: u32, count: usize, end_of_stream: u32) -> u32 {
    HOLDS_ALL.set(false);
    // SAFETY: the crate defines it with these types.
    match unsafe { proxy_on_request_headers(context, count, end_of_stream != 0) } {
        Action::Pause if HOLDS_ALL.get() => STOP_ALL_ITERATION_AND_WATERMARK,
        action => action as u32,
    }
}

/// Becomes `proxy_on_memory_allocate`. Where there is no memory the host sees that and fails its call, which is
/// refused; the crate's aborts.
#[unsafe(no_mangle)]
extern "C" fn lychgate_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the size of the layout is not zero.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        Ok(_) => NonNull::dangling().as_ptr(),
        Err(_) => null_mut(),
    }
}
