//! Names of stats. A stat of Envoy has a name and no labels, so labels are part of the name, in the form
//! that Istio's own stats have: `rule=.=health;.;lychgate_requests_total`. Envoy's `stats_tags`, or
//! Istio's `extraStatTags`, make labels of them.

use std::collections::HashMap;

use crate::host::{StatDefinition, StatId, StatKind};

/// Names as they are given out, each once.
#[derive(Default)]
pub struct Names {
    definitions: Vec<StatDefinition>,
    slots: HashMap<String, StatId>,
}

impl Names {
    /// The counter with these labels, whose values are [labels](label).
    pub fn counter(&mut self, name: &str, labels: &[(&str, &str)]) -> StatId {
        self.define(StatKind::Counter, name, labels)
    }

    /// The gauge with these labels.
    pub fn gauge(&mut self, name: &str, labels: &[(&str, &str)]) -> StatId {
        self.define(StatKind::Gauge, name, labels)
    }

    fn define(&mut self, kind: StatKind, name: &str, labels: &[(&str, &str)]) -> StatId {
        let labels: String = labels.iter().map(|(key, value)| format!("{key}=.={value};.;")).collect();
        let name = labels + name;
        *self.slots.entry(name).or_insert_with_key(|name| {
            self.definitions.push(StatDefinition { kind, name: name.clone() });
            self.definitions.len().saturating_sub(1)
        })
    }

    /// All of them, in the order of their slots.
    pub fn finish(self) -> Vec<StatDefinition> {
        self.definitions
    }
}
