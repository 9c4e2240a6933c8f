//! Stats of the host: defined when the configuration is read, and fed with what the core counts. What
//! the host does not take is lost, and changes nothing else.

use super::abi::{self, Level, Status};
use crate::metrics::{Definition, Kind, Update};

/// The host's number of each stat, in the order of the core's.
#[derive(Default)]
pub struct Meters {
    ids: Vec<Option<u32>>,
}

impl Meters {
    /// Defines these stats.
    pub fn define(definitions: &[Definition]) -> Self {
        let mut ids = Vec::with_capacity(definitions.len());
        let mut refused = None;
        for Definition { kind, name } in definitions {
            let id = match kind {
                Kind::Counter => abi::define_counter(name),
                Kind::Gauge => abi::define_gauge(name),
            };
            ids.push(id.map_err(|status| refused = Some(status)).ok());
        }
        if let Some(Status(status)) = refused {
            let line = format!("lychgate: stats cannot be had, or not all: host status {status}");
            abi::log(Level::Warn, &line);
        }
        Self { ids }
    }

    /// Carries a change to the host.
    pub fn apply(&self, slot: usize, update: Update) {
        let Some(id) = self.ids.get(slot).copied().flatten() else { return };
        let _ = match update {
            Update::Add(change) => abi::increment_metric(id, change),
            Update::Set(value) => abi::record_metric(id, value),
        };
    }
}
