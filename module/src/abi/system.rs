//! What the module asks of the system beside Envoy.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Once;
use std::time::Duration;

/// Keeps the library where it is until the process ends, whether or not the configuration says `do_not_close`: its
/// threads run in it, and the standard library's thread-locals end in it.
pub(super) fn stay(address: *const c_void) {
    static STAY: Once = Once::new();
    STAY.call_once(|| {
        let mut found = libc::Dl_info {
            dli_fname: std::ptr::null(),
            dli_fbase: null_mut(),
            dli_sname: std::ptr::null(),
            dli_saddr: null_mut(),
        };
        // SAFETY: the address is one of this library's, whose name the system keeps as long as it is loaded.
        unsafe {
            if libc::dladdr(address, &raw mut found) != 0 && !found.dli_fname.is_null() {
                libc::dlopen(found.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
            }
        }
    });
}

/// How much a thread yields. Against one that yields nothing it has 3 % of a processor, so that a login of 40 ms takes
/// about a second where Envoy leaves nothing idle; at 19, the most, it would take three.
const NICE: libc::c_int = 15;

/// Has the calling thread run when others want little (Linux has a nice value for each thread).
pub fn yield_to_others() {
    // SAFETY: neither call takes a pointer. One that fails changes nothing.
    unsafe {
        let thread = libc::syscall(libc::SYS_gettid);
        if let Ok(thread) = u32::try_from(thread) {
            libc::setpriority(libc::PRIO_PROCESS, thread, NICE);
        }
    }
}

/// The time that the calling thread had of a processor; zero if the system does not tell.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the system writes through a pointer that is valid.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    match (status, u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
        (0, Ok(seconds), Ok(nanoseconds)) => Duration::new(seconds, nanoseconds),
        _ => Duration::ZERO,
    }
}
