//! Routes that are matched by what the filter sets. Envoy has chosen one before, by what the client sent.

use lychgate::policy::Policy;

use super::{Findings, Weight};
use crate::document::Node;
use crate::find::Found;

const EARLY: &str = "early_header_mutation_extensions";

/// Judges the routes that stand in the connection manager of a configuration.
pub(super) fn judge(found: &Found<'_>, policy: &Policy, findings: &mut Findings) {
    let Some(manager) = found.manager else { return };
    let mut names = Vec::new();
    if let Some(routes) = manager.value.field("route_config") {
        matched(routes, &mut names);
    }
    let mut removed = Vec::new();
    if let Some(early) = manager.value.field(EARLY) {
        texts(early, "remove", &mut removed);
    }
    names.retain(|name| policy.is_reserved(name.as_bytes()) && !removed.contains(name));
    names.sort();
    names.dedup();
    for name in names {
        let message = format!(
            "does not remove `{name}`, by which a route is matched: before Lychgate does, Envoy chooses a route by the client's own, and \
             by that route which filters run and whether an upgrade is allowed; remove it there (docs/beside.md)"
        );
        findings.outside(found, manager, EARLY, &message, Weight::Warning);
    }
}

/// The headers by which routes are matched or chosen, in lower case.
fn matched(node: &Node, names: &mut Vec<String>) {
    let tree = &node.value;
    texts_of(tree.field("cluster_header"), names);
    let headers = tree.field("match").and_then(|own| own.value.field("headers"));
    for header in headers.map(|headers| headers.value.items()).unwrap_or_default() {
        texts_of(header.value.field("name"), names);
    }
    tree.members().iter().for_each(|(_, member)| matched(member, names));
    tree.items().iter().for_each(|item| matched(item, names));
}

/// The texts of every field of this name.
fn texts(node: &Node, name: &str, found: &mut Vec<String>) {
    texts_of(node.value.field(name), found);
    node.value.members().iter().for_each(|(_, member)| texts(member, name, found));
    node.value.items().iter().for_each(|item| texts(item, name, found));
}

fn texts_of(node: Option<&Node>, found: &mut Vec<String>) {
    found.extend(node.and_then(|node| node.value.text()).map(str::to_ascii_lowercase));
}
