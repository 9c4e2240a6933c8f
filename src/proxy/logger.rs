//! The `log` facade over the host's log.

use proxy_wasm::types::LogLevel;

use super::hostcalls;

struct HostLog;

impl log::Log for HostLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug | log::Level::Trace => LogLevel::Debug,
        };
        hostcalls::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Has the facade write what the host's level lets through. What it does not is not formatted either. Envoy's level
/// can be changed at runtime, so this is called at every tick.
pub fn update() {
    // A second logger is refused, and is the same one.
    let _ = log::set_logger(&HostLog);
    log::set_max_level(match hostcalls::get_log_level() {
        Ok(2) => log::LevelFilter::Info,
        Ok(3) => log::LevelFilter::Warn,
        Ok(4) => log::LevelFilter::Error,
        // Critical, and Envoy's off.
        Ok(5 | 6) => log::LevelFilter::Off,
        // A host that does not tell, or tells of a level that there is not, filters by itself.
        Ok(_) | Err(_) => log::LevelFilter::Debug,
    });
}
