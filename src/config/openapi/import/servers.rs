//! `servers`: the path part of each URL is where the paths of a document begin.

use serde_json::{Map, Value};

use crate::config::error::Errors;
use crate::config::node::Node;

/// More URLs than one server has.
const MOST_URLS: usize = 64;

/// The text of a variable that is not known, which is of no consequence in a host.
const UNKNOWN: char = '\u{1}';

/// The base paths of the `servers` of `owner`, each once. `None`: an error. `Some(None)`: it has no `servers`.
#[expect(clippy::option_option, reason = "an error, silence, or a list")]
pub fn base_paths(
    node: Node<'_>,
    owner: &Map<String, Value>,
    warnings: &Errors,
) -> Option<Option<Vec<String>>> {
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
        for filled in filled(node, url, server, warnings)? {
            for base in base_of(node, url, &filled, server, warnings)? {
                if !bases.contains(&base) {
                    bases.push(base);
                }
            }
        }
    }
    // An empty list is as good as the default, `/` (OpenAPI 3.1 section 4.8.1).
    Some((!bases.is_empty()).then_some(bases))
}

/// A URL with each value of its variables.
fn filled(node: Node<'_>, url: &str, server: &Value, warnings: &Errors) -> Option<Vec<String>> {
    let mut urls = vec![String::new()];
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return node.error(format_args!("{url:?}: a brace that is not closed"));
        };
        let variable = server.get("variables").and_then(|variables| variables.get(name));
        let default = variable.and_then(|variable| variable.get("default")).and_then(Value::as_str);
        let named = variable.and_then(|variable| variable.get("enum")).and_then(Value::as_array);
        let mut values: Vec<&str> = named.into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(default) = default.filter(|default| !values.contains(default)) {
            values.push(default);
        }
        let unknown = UNKNOWN.to_string();
        if values.is_empty() {
            values.push(&unknown);
        }
        let is_in_host = is_in_host(url, rest.len());
        if named.is_none() && default.is_some_and(|default| !default.contains("://")) && !is_in_host {
            let message =
                format!("{url:?}: `{name}` has no `enum`; no value of it but its `default` is read");
            warnings.add(node.path, message);
        }
        if urls.len().saturating_mul(values.len()) > MOST_URLS {
            return node.error(format_args!("{url:?}: its variables make more than {MOST_URLS} URLs"));
        }
        let with =
            |own: &String| values.iter().map(|value| format!("{own}{before}{value}")).collect::<Vec<_>>();
        urls = urls.iter().flat_map(with).collect();
        rest = after;
    }
    for own in &mut urls {
        own.push_str(rest);
    }
    Some(urls)
}

/// Whether what is so far from the end of `url` is in its host.
fn is_in_host(url: &str, from_end: usize) -> bool {
    let before = url.len().checked_sub(from_end).and_then(|end| url.get(..end)).unwrap_or_default();
    let host = before.split_once("://").map(|(_, host)| host).or_else(|| before.strip_prefix("//"));
    host.is_some_and(|host| !host.contains('/'))
}

/// The base path of a URL without variables; two where it is a host or a path.
fn base_of(
    node: Node<'_>,
    url: &str,
    filled: &str,
    server: &Value,
    warnings: &Errors,
) -> Option<Vec<String>> {
    if filled.contains(['?', '#']) {
        return node.error(format_args!(
            "{url:?}: no path begins with it; a server's URL has neither a query nor a fragment"
        ));
    }
    let behind_host = |rest: &str| rest.split_once('/').map_or("", |(_, path)| path).to_owned();
    let scheme_and_rest = filled.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', UNKNOWN]));
    let paths = match scheme_and_rest.map(|(_, rest)| rest).or_else(|| filled.strip_prefix("//")) {
        Some(rest) => vec![behind_host(rest)],
        None if filled.is_empty() || filled.starts_with('/') => vec![filled.to_owned()],
        None => {
            let path = from_the_root(filled);
            let first = path.split('/').next().unwrap_or_default();
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'%');
            if first.bytes().all(is_plain) || first.contains(UNKNOWN) {
                let message = format!("{url:?} is relative to where the document is; it is read as /{path}");
                warnings.add(node.path, message);
                vec![path.to_owned()]
            } else {
                let message = "is a host or a path, and is read as both; write `https://` before a host, `/` before a path";
                warnings.add(node.path, format_args!("{url:?} {message}"));
                vec![behind_host(path), path.to_owned()]
            }
        }
    };
    let mut bases = Vec::with_capacity(paths.len());
    for path in paths {
        if path.contains(UNKNOWN) {
            return no_default(node, url, server);
        }
        if path.contains(['{', '}']) {
            return node.error(format_args!("{url:?}: the value of a variable is no part of a plain path"));
        }
        let base = path.trim_matches('/');
        bases.push(if base.is_empty() { String::new() } else { format!("/{base}") });
    }
    Some(bases)
}

/// The path of a relative URL, of a document that is taken to be at the root.
fn from_the_root(url: &str) -> &str {
    let mut path = url;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix("../")) {
        path = rest;
    }
    if matches!(path, "." | "..") { "" } else { path }
}

/// Says which variable of a URL has no value.
fn no_default<T>(node: Node<'_>, url: &str, server: &Value) -> Option<T> {
    let mut names = url.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let lacks_value = |name: &&str| {
        let variable = server.get("variables").and_then(|variables| variables.get(*name));
        variable.is_none_or(|own| own.get("default").is_none() && own.get("enum").is_none())
    };
    let name = names.find(lacks_value).unwrap_or_default();
    node.error(format_args!("{url:?}: the variable {name:?} has no `default`"))
}
