//! Names of stats. A stat of Envoy has a name and no labels, so labels stand in the name, in the form
//! that Istio's own stats have: `rule=.=health;.;lychgate_requests_total`. Envoy's `stats_tags`, or
//! Istio's `extraStatTags`, make labels of them.

use std::collections::HashMap;

use super::Slot;

/// The longest value of a label, in characters.
const LONGEST: usize = 64;

/// What a stat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It has a value.
    Gauge,
}

/// A stat as it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its name, labels in it.
    pub name: String,
    /// Its name without them, for a host that has labels.
    pub family: &'static str,
    /// Its labels.
    pub labels: Vec<(&'static str, String)>,
}

/// A text as the value of a label: short, and without a sign that separates something in Envoy's names,
/// in StatsD's lines or in a line of a log.
#[must_use]
pub fn label(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./{}[]*,+~ ".contains(c);
    let plain: String = text.chars().take(LONGEST).map(|c| if is_plain(c) { c } else { '_' }).collect();
    // Envoy drops a dot at the end of a name.
    let plain = plain.replace("..", "__");
    let plain = plain.trim_matches(|c: char| c == '.' || c == ' ');
    if plain.is_empty() { "_".to_owned() } else { plain.to_owned() }
}

/// Names as they are given out, each once.
#[derive(Default)]
pub struct Names {
    definitions: Vec<Definition>,
    slots: HashMap<String, Slot>,
}

impl Names {
    /// The counter with these labels, whose values are [labels](label).
    pub fn counter(&mut self, name: &'static str, labels: &[(&'static str, &str)]) -> Slot {
        self.define(Kind::Counter, name, labels)
    }

    /// The gauge with these labels.
    pub fn gauge(&mut self, name: &'static str, labels: &[(&'static str, &str)]) -> Slot {
        self.define(Kind::Gauge, name, labels)
    }

    fn define(&mut self, kind: Kind, name: &'static str, labels: &[(&'static str, &str)]) -> Slot {
        let joined: String = labels.iter().map(|(key, value)| format!("{key}=.={value};.;")).collect();
        let joined = joined + name;
        *self.slots.entry(joined).or_insert_with_key(|joined| {
            let labels = labels.iter().map(|&(key, value)| (key, value.to_owned())).collect();
            self.definitions.push(Definition { kind, name: joined.clone(), family: name, labels });
            self.definitions.len().saturating_sub(1)
        })
    }

    /// All of them, in the order of their slots.
    pub fn finish(self) -> Vec<Definition> {
        self.definitions
    }
}
