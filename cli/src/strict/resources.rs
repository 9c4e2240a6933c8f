//! Which tokens are held to a protected resource (RFC 9728) in place of `audiences`.

use super::{items, string};
use crate::document::{Node, Tree};

/// Whether every rule that asks for tokens by `scheme` is below one of the `resources`, so that each such token must name
/// it in `aud` (RFC 8707).
pub(super) fn hold(tree: &Tree, scheme: &str) -> bool {
    let paths: Vec<&str> = items(tree, "resources").filter_map(|(_, own)| path(own)).collect();
    let names = |security: &Node| security.value.items().iter().any(|own| own.value.get(scheme).is_some());
    let is_below = |rule: &Tree| {
        let matching = rule.get("match").map(|node| &node.value);
        let asked = matching.and_then(|own| string(own, "prefix").or_else(|| string(own, "path")));
        let below = |path: &str| {
            asked
                .and_then(|asked| asked.strip_prefix(path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        paths.iter().any(|path| below(path))
    };
    !paths.is_empty()
        && tree.at(&["openapi", "document"]).is_none()
        && !tree.get("security").is_some_and(names)
        && items(tree, "rules")
            .into_iter()
            .all(|(_, rule)| !rule.get("security").is_some_and(names) || is_below(rule))
}

/// The path that a resource is served at, without a slash at its end.
fn path(resource: &Tree) -> Option<&str> {
    let of_url = || {
        let (_, rest) = string(resource, "resource")?.split_once("://")?;
        Some(rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default())
    };
    string(resource, "path").or_else(of_url).map(|path| path.trim_end_matches('/'))
}
