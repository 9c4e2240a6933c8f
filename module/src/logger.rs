//! The `log` facade over Envoy's log.

use crate::abi;

struct EnvoyLog;

/// Envoy's number of a level.
fn number(level: log::Level) -> u32 {
    match level {
        log::Level::Error => 4,
        log::Level::Warn => 3,
        log::Level::Info => 2,
        log::Level::Debug | log::Level::Trace => 1,
    }
}

impl log::Log for EnvoyLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        abi::log(number(record.level()), &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Has the facade write what Envoy's level lets through. What it does not is not formatted either.
pub fn update() {
    // A second logger is refused, and is the same one.
    let _ = log::set_logger(&EnvoyLog);
    let levels = [log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error];
    let lowest = levels.into_iter().find(|level| abi::log_enabled(number(*level)));
    log::set_max_level(lowest.map_or(log::LevelFilter::Off, |level| level.to_level_filter()));
}
