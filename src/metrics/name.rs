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
    pub fn counter(&mut self, name: &'static str, labels: &[(&'static str, &str)]) -> StatId {
        self.define(StatKind::Counter, name, labels)
    }

    /// The gauge with these labels.
    pub fn gauge(&mut self, name: &'static str, labels: &[(&'static str, &str)]) -> StatId {
        self.define(StatKind::Gauge, name, labels)
    }

    fn define(&mut self, kind: StatKind, name: &'static str, labels: &[(&'static str, &str)]) -> StatId {
        let joined: String = labels.iter().map(|(key, value)| format!("{key}=.={value};.;")).collect();
        let joined = joined + name;
        *self.slots.entry(joined).or_insert_with_key(|joined| {
            let labels = labels.iter().map(|&(key, value)| (key, value.to_owned())).collect();
            self.definitions.push(StatDefinition { kind, name: joined.clone(), family: name, labels });
            self.definitions.len().saturating_sub(1)
        })
    }

    /// All of them, in the order of their slots.
    pub fn finish(self) -> Vec<StatDefinition> {
        self.definitions
    }
}
