//! `servers`: the path part of each URL is where the paths of a document begin.

use serde_json::{Map, Value};

use crate::config::node::Node;

/// The base paths of the `servers` of `owner`, each once; nothing where it has none.
#[expect(clippy::option_option, reason = "an error, silence, or a list")]
pub fn base_paths(node: Node<'_>, owner: &Map<String, Value>) -> Option<Option<Vec<String>>> {
    let Some(servers) = owner.get("servers") else { return Some(None) };
    let place = node.path.key("servers");
    let node = Node { path: &place, ..node };
    let Value::Array(servers) = servers else { return node.error("expected an array") };
    let mut bases: Vec<String> = Vec::new();
    for (index, server) in servers.iter().enumerate() {
        let place = place.index(index);
        let node = Node { path: &place, ..node };
        let Some(url) = server.get("url").and_then(Value::as_str) else {
            return node.error("expected an object with `url`");
        };
        let base = base_path(node, url, server)?;
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    // An empty list is as good as the default, `/` (OpenAPI 3.1 section 4.8.1).
    Some((!bases.is_empty()).then_some(bases))
}

fn base_path(node: Node<'_>, url: &str, server: &Value) -> Option<String> {
    if url.contains(['?', '#']) {
        return node.error(format_args!(
            "{url:?}: no path begins with it; a server's URL has neither a query nor a fragment"
        ));
    }
    let path = match url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//")) {
        Some(rest) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or_default(),
        None => url,
    };
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return node.error(format_args!("{url:?}: a brace that is not closed"));
        };
        let variable = server.get("variables").and_then(|variables| variables.get(name));
        let Some(default) = variable.and_then(|variable| variable.get("default")).and_then(Value::as_str)
        else {
            return node.error(format_args!("{url:?}: the variable {name:?} has no `default`"));
        };
        if default.contains(['?', '#', '{', '}', '%']) || default.contains("//") {
            return node.error(format_args!(
                "{url:?}: the `default` of the variable {name:?} is no part of a plain path"
            ));
        }
        filled.push_str(before);
        filled.push_str(default);
        rest = after;
    }
    filled.push_str(rest);
    let base = filled.trim_matches('/');
    Some(if base.is_empty() { String::new() } else { format!("/{base}") })
}
