//! Which proxies Istio's objects are for, and the plugins that are made for them.

use serde_json::{Map, Value, json};

use super::carry::Carrier;
use super::istio::Object;
use crate::document::Node;

/// The namespace whose policies are for all.
const ROOT: &str = "istio-system";

/// What an object is for: the namespace, and `selector` or `targetRefs`.
pub fn target(node: &Node) -> (String, Value) {
    let text = |way: &[&str]| node.value.at(way).and_then(|node| node.value.text()).map(str::to_owned);
    let mut target = Map::new();
    for key in ["selector", "targetRef", "targetRefs"] {
        target.extend(node.value.at(&["spec", key]).map(|own| (key.to_owned(), own.value.to_value())));
    }
    (text(&["metadata", "namespace"]).unwrap_or_default(), Value::Object(target))
}

/// The targets of these objects; those without one only where there is no other.
pub fn targets(objects: &[Object<'_>]) -> Vec<(String, Value)> {
    let mut all: Vec<_> = Vec::new();
    for (_, node) in objects {
        let own = target(node);
        if !all.contains(&own) {
            all.push(own);
        }
    }
    all
}

/// Whether an object is in force for a target.
pub fn is_for(node: &Node, (namespace, selector): &(String, Value)) -> bool {
    let (own_namespace, own) = target(node);
    let is_wide = own == json!({});
    (own_namespace == *namespace && (is_wide || own == *selector)) || (is_wide && own_namespace == ROOT)
}

/// The name of the plugin for a target: another one for each in a namespace, or one would take the place of the other.
pub fn name_of(targets: &[(String, Value)], number: usize) -> String {
    let namespace = targets.get(number).map(|(namespace, _)| namespace);
    let before = targets.iter().take(number).filter(|(own, _)| Some(own) == namespace).count();
    if before == 0 { "lychgate".to_owned() } else { format!("lychgate-{}", before.saturating_add(1)) }
}

/// A plugin for all proxies runs beside one for some of them, and both have to let a request in. Of policies that deny this is
/// what they say; others are enough alone.
pub fn say_both_hold(objects: &[Object<'_>], targets: &[(String, Value)], carrier: &mut Carrier) {
    for (file, node) in objects {
        let (namespace, own) = target(node);
        let is_beside = |(other, selector): &&(String, Value)| {
            *selector != own && (*other == namespace || namespace == ROOT)
        };
        let text = |way: &[&str]| node.value.at(way).and_then(|node| node.value.text());
        let denies = text(&["spec", "action"]) == Some("DENY");
        if own == json!({}) && !denies && targets.iter().any(|other| is_beside(&other)) {
            (*file).clone_into(&mut carrier.file);
            carrier.denies(
                node,
                "this is for all proxies, and its plugin also runs where one with a selector does: requests need what both \
                 ask for, where one of them is enough for Istio; give it a selector too",
            );
        }
    }
}
