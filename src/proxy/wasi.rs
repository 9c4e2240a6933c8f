//! The three things of WASI that the filter asks for: the time, its environment, randomness (which
//! `getrandom` asks for). Rust's standard library takes each failure of them for a reason to panic.

use std::ptr::null_mut;
use std::time::Duration;

use zeroize::Zeroizing;

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    fn environ_get(pointers: *mut *mut u8, buffer: *mut u8) -> u32;
}

fn time(clock: u32) -> Option<Duration> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes through a pointer that is valid during the call.
    let errno = unsafe { clock_time_get(clock, 1, &raw mut nanoseconds) };
    (errno == 0).then(|| Duration::from_nanos(nanoseconds))
}

/// The time since 1970; `None` if the host does not tell.
pub fn since_epoch() -> Option<Duration> {
    time(REALTIME)
}

/// A clock that never goes back, from any start; it stands still if the host does not tell.
pub fn uptime() -> Duration {
    time(MONOTONIC).unwrap_or_default()
}

/// A variable of the plugin's environment (`vm_config.environment_variables`).
pub fn environment(name: &str) -> Option<String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes through pointers that are valid during the call.
    if unsafe { environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return None;
    }
    let mut pointers = vec![null_mut(); count];
    let mut text = Zeroizing::new(vec![0; size]);
    // SAFETY: the host writes as many pointers and bytes as it has just said.
    if unsafe { environ_get(pointers.as_mut_ptr(), text.as_mut_ptr()) } != 0 {
        return None;
    }
    // Each is `NAME=value` with a NUL after it, so the pointers are not needed.
    text.split(|&byte| byte == 0).find_map(|line| {
        let (own, value) = std::str::from_utf8(line).ok()?.split_once('=')?;
        (own == name).then(|| value.to_owned())
    })
}
