//! Members by which a document means to require something, in a place where OpenAPI does not read them.
//!
//! Other unknown members are ignored, because another project wrote the document. These are errors: an operation
//! without its requirement may be public.

use serde_json::{Map, Value};

use super::METHODS;
use crate::config::node::Node;

/// The members of a Path Item that are operations in OpenAPI 3.2.
const LATER: [&str; 2] = ["query", "additionalOperations"];

/// Where an author may believe a requirement to be read, from the document on; `*` is each one.
const OF_DOCUMENT: [&[&str]; 11] = [
    &["info"],
    &["servers", "*"],
    &["tags", "*"],
    &["externalDocs"],
    &["webhooks", "*"],
    &["components"],
    &["components", "securitySchemes", "*"],
    &["components", "parameters", "*"],
    &["components", "requestBodies", "*"],
    &["components", "responses", "*"],
    &["components", "headers", "*"],
];
/// The same from a Path Item on.
const OF_PATH_ITEM: [&[&str]; 3] = [&[], &["servers", "*"], &["parameters", "*"]];
/// The same from an operation on.
const OF_OPERATION: [&[&str]; 5] =
    [&["servers", "*"], &["parameters", "*"], &["requestBody"], &["responses"], &["responses", "*"]];

/// Says whether a document has no requirement in a wrong place, its paths not looked at.
pub fn check_document(node: Node<'_>, document: &Map<String, Value>) -> bool {
    check_members(node, document, true) & check_all(node, document, &OF_DOCUMENT)
}

/// Says whether an operation has no requirement but its own `security`.
pub fn check_operation(node: Node<'_>, operation: &Map<String, Value>) -> bool {
    check_members(node, operation, true) & check_all(node, operation, &OF_OPERATION)
}

/// Says whether a Path Item has no requirement, and no operation that is not read. `has_later` are the operations of
/// OpenAPI 3.2.
pub fn check_path_item(node: Node<'_>, item: &Map<String, Value>, has_later: bool) -> bool {
    let mut is_good = check_all(node, item, &OF_PATH_ITEM);
    for (key, value) in item {
        let is_method = METHODS.iter().any(|method| method.eq_ignore_ascii_case(key));
        let is_later = LATER.iter().any(|later| later.eq_ignore_ascii_case(key));
        let error = if is_later && !(has_later && LATER.contains(&key.as_str())) {
            "is of OpenAPI 3.2 and not read; say `openapi: 3.2.0`, or write a rule for it"
        } else if is_method && key.bytes().any(|b| b.is_ascii_uppercase()) {
            "is not read: write the method in lower case"
        } else if is_unknown_operation(key, value) {
            "is no method of a path item; OpenAPI 3.2 has `additionalOperations` for others"
        } else {
            continue;
        };
        is_good = refuse(node, key, error);
    }
    is_good
}

/// Whether a member of a Path Item looks like an operation, and OpenAPI has none of that name.
fn is_unknown_operation(key: &str, value: &Value) -> bool {
    let is_known = METHODS.contains(&key) || LATER.contains(&key) || key.starts_with("x-");
    !is_known && ["responses", "operationId"].iter().any(|member| value.get(member).is_some())
}

fn check_all(node: Node<'_>, members: &Map<String, Value>, places: &[&[&str]]) -> bool {
    // Each is read, so that every error is reported.
    places.iter().fold(true, |is_good, steps| is_good & check(node, members, steps))
}

/// Whether what these steps lead to has no requirement.
fn check(node: Node<'_>, members: &Map<String, Value>, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return check_members(node, members, false) };
    let mut is_good = true;
    for (key, value) in members {
        let is_meant = if *step == "*" { !key.starts_with("x-") } else { key == step };
        if !is_meant {
            continue;
        }
        let path = node.path.key(key);
        let node = Node { path: &path, ..node };
        match value {
            Value::Object(members) => is_good &= check(node, members, rest),
            // A list is one step, and its items another one.
            Value::Array(items) if rest == ["*"] => {
                for (index, item) in items.iter().enumerate() {
                    let path = node.path.index(index);
                    let Some(members) = item.as_object() else { continue };
                    is_good &= check_members(Node { path: &path, ..node }, members, false);
                }
            }
            // Of another type: it is not a requirement.
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    is_good
}

/// Whether `members` has no requirement, or none but `security` where that `is_read`.
#[inline(never)]
fn check_members(node: Node<'_>, members: &Map<String, Value>, is_read: bool) -> bool {
    const WORDS: [&str; 4] = ["security", "securities", "securityrequirement", "securityrequirements"];
    let mut is_good = true;
    for key in members.keys() {
        let mut plain = key.to_ascii_lowercase();
        plain.retain(|c| c != '_' && c != '-');
        if WORDS.contains(&plain.as_str()) && !(is_read && key == "security") {
            is_good = refuse(node, key, "is not read: `security` belongs to operations or to the document");
        }
    }
    is_good
}

/// Notes an error of this member.
#[inline(never)]
fn refuse(node: Node<'_>, key: &str, error: &str) -> bool {
    let path = node.path.key(key);
    Node { path: &path, ..node }.error::<()>(error).is_some()
}
