//! The `log` facade over the host's log.

use super::abi::{self, Level};

struct HostLog;

impl log::Log for HostLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::Error,
            log::Level::Warn => Level::Warn,
            log::Level::Info => Level::Info,
            log::Level::Debug | log::Level::Trace => Level::Debug,
        };
        abi::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Has the facade write what the host's level lets through. What it does not is not formatted either.
pub fn update() {
    // A second logger is refused, and is the same one.
    let _ = log::set_logger(&HostLog);
    log::set_max_level(match abi::log_level() {
        Ok(2) => log::LevelFilter::Info,
        Ok(3) => log::LevelFilter::Warn,
        Ok(4 | 5) => log::LevelFilter::Error,
        // A host that does not tell, or tells of a level that the ABI does not have, filters by itself.
        Ok(_) | Err(_) => log::LevelFilter::Debug,
    });
}
