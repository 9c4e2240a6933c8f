//! Members by which a document means to require something, in a place where OpenAPI does not read them.
//!
//! A member that is not known is left alone, for it is somebody else's document. These are not: an operation
//! whose requirement is left out may be public.

use serde_json::{Map, Value};

use super::METHODS;
use crate::config::node::Node;

/// The methods that may also be written in OpenAPI 3.2.
const LATER: [&str; 2] = ["query", "additionalOperations"];

/// Where requirements are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this object, under `security`.
    Here,
    /// Not in this object.
    Elsewhere,
}

/// Says whether `members` has no requirement but one that is read.
pub fn check(node: Node<'_>, members: &Map<String, Value>, place: Place) -> bool {
    let mut is_good = true;
    for key in members.keys().filter(|key| is_requirement(key)) {
        if place == Place::Here && key == "security" {
            continue;
        }
        is_good = false;
        let path = node.path.key(key);
        let at = Node { path: &path, ..node };
        let _: Option<()> = at.error("is not read: `security` belongs to operations or to the document");
    }
    is_good
}

/// Whether a member is meant to require something.
fn is_requirement(key: &str) -> bool {
    const WORDS: [&str; 4] = ["security", "securities", "securityrequirement", "securityrequirements"];
    let plain: String = key.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word))
}

/// The same for what is in `value`: an object, or each object of an array.
fn check_objects(node: Node<'_>, key: &str, value: Option<&Value>) -> bool {
    let path = node.path.key(key);
    let node = Node { path: &path, ..node };
    match value {
        Some(Value::Object(members)) => check(node, members, Place::Elsewhere),
        Some(Value::Array(items)) => check_all(items.iter().enumerate().map(|(index, item)| {
            let path = node.path.index(index);
            let node = Node { path: &path, ..node };
            item.as_object().is_none_or(|members| check(node, members, Place::Elsewhere))
        })),
        // Of another type: read by others, or by none.
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => true,
    }
}

/// The same for each object of a map whose keys are names.
fn check_map(node: Node<'_>, key: &str, value: Option<&Value>) -> bool {
    let path = node.path.key(key);
    let node = Node { path: &path, ..node };
    let named = value.and_then(Value::as_object).into_iter().flatten();
    check_all(named.filter(|(name, _)| !name.starts_with("x-")).map(|(name, value)| {
        let path = node.path.key(name);
        let node = Node { path: &path, ..node };
        value.as_object().is_none_or(|members| check(node, members, Place::Elsewhere))
    }))
}

/// Whether all are good; every one of them is looked at, so that every error is told.
fn check_all(checks: impl Iterator<Item = bool>) -> bool {
    checks.fold(true, |is_good, own| is_good && own)
}

/// Says whether a document has no requirement in a wrong place, its paths not looked at.
pub fn check_document(node: Node<'_>, document: &Map<String, Value>) -> bool {
    let objects = ["info", "servers", "tags", "components", "externalDocs"];
    let mut is_good = check(node, document, Place::Here);
    is_good &= check_all(objects.into_iter().map(|key| check_objects(node, key, document.get(key))));
    is_good &= check_map(node, "webhooks", document.get("webhooks"));
    let path = node.path.key("components");
    let components = document.get("components");
    let maps = ["securitySchemes", "parameters", "requestBodies", "responses", "headers"];
    let node = Node { path: &path, ..node };
    let of_map = |key: &str| check_map(node, key, components.and_then(|components| components.get(key)));
    is_good & check_all(maps.into_iter().map(of_map))
}

/// Says whether a Path Item has no requirement, and no operation that is not read.
pub fn check_path_item(node: Node<'_>, item: &Map<String, Value>) -> bool {
    let mut is_good = check(node, item, Place::Elsewhere);
    for key in ["servers", "parameters"] {
        is_good &= check_objects(node, key, item.get(key));
    }
    let has_reference = item.contains_key("$ref");
    for key in item.keys() {
        let path = node.path.key(key);
        let node = Node { path: &path, ..node };
        let lower = key.to_ascii_lowercase();
        let is_method = METHODS.contains(&lower.as_str());
        let error: Option<()> = if LATER.iter().any(|later| later.eq_ignore_ascii_case(key)) {
            node.error("is of OpenAPI 3.2 and not read; write a rule for it")
        } else if is_method && *key != lower {
            node.error(format_args!("is not read: write the method in lower case, `{lower}`"))
        } else if has_reference && (is_method || key == "servers") {
            node.error("is not read beside `$ref`; write it there, or the path item out")
        } else {
            continue;
        };
        is_good &= error.is_some();
    }
    is_good
}

/// Says whether an operation has no requirement but its own `security`.
pub fn check_operation(node: Node<'_>, operation: &Map<String, Value>) -> bool {
    let mut is_good = check(node, operation, Place::Here);
    for key in ["servers", "parameters", "requestBody", "responses"] {
        is_good &= check_objects(node, key, operation.get(key));
    }
    is_good & check_map(node, "responses", operation.get("responses"))
}
