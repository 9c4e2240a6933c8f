//! The clocks of the system. Each costs some tens of nanoseconds.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Unix time in seconds. A clock before 1970, or one beyond reach, reads as the end of time: every token has
/// expired.
pub fn now() -> i64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    time.and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(i64::MAX)
}

/// A clock that never goes back, the same for all threads.
pub fn monotonic() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}
