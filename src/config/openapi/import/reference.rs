//! `$ref` within a document: to a path item, an operation, a security scheme or a parameter.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::config::error::Path;

/// Members of an object with `$ref` that may stand there and where it leads to, and differ.
const OF_NO_WEIGHT: [&str; 4] = ["summary", "description", "externalDocs", "tags"];

/// What `members` are where they have a `$ref`: those that it leads to, and those beside it. `each` gets the members
/// on the way with their pointer.
///
/// # Errors
/// Why it cannot be followed.
pub fn follow<'v>(
    document: &'v Value,
    members: &'v Map<String, Value>,
    mut each: impl FnMut(&str, &'v Map<String, Value>),
) -> Result<Cow<'v, Map<String, Value>>, String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut beside: Option<Map<String, Value>> = None;
    let mut current = members;
    while let Some(reference) = current.get("$ref") {
        let Some(reference) = reference.as_str() else { return Err("`$ref` is not a string".to_owned()) };
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(format!(
                "$ref {reference:?} cannot be followed: it is in another file; `lychgate bundle` makes one document of all"
            ));
        };
        if seen.contains(&reference) {
            return Err(format!("$ref {reference:?} cannot be followed: it leads back to itself"));
        }
        seen.push(reference);
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
        let Some(Value::Object(next)) = document.pointer(&pointer) else {
            return Err(format!("$ref {reference:?} cannot be followed: no object is there"));
        };
        if current.len() > 1 {
            add(beside.get_or_insert_default(), current)?;
        }
        each(&pointer, next);
        current = next;
    }
    let Some(mut beside) = beside else { return Ok(Cow::Borrowed(current)) };
    add(&mut beside, current)?;
    Ok(Cow::Owned(beside))
}

/// Adds members to those that stood before them.
fn add(own: &mut Map<String, Value>, further: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in further.iter().filter(|(key, _)| *key != "$ref") {
        match own.get(key) {
            None => drop(own.insert(key.clone(), value.clone())),
            Some(other) if other == value || OF_NO_WEIGHT.contains(&key.as_str()) => {}
            Some(_) => {
                return Err(format!(
                    "`{key}` is beside `$ref` and also where that leads to; write one of them"
                ));
            }
        }
    }
    Ok(())
}

/// The JSON path of what a pointer leads to, below `root`.
pub fn place(root: &Path<'_>, pointer: &str) -> String {
    let step = |text: &str| text.replace("~1", "/").replace("~0", "~");
    pointer
        .split('/')
        .skip(1)
        .fold(None, |place: Option<String>, text| {
            let text = step(text);
            Some(match &place {
                Some(place) => Path::Text(place).key(&text).to_string(),
                None => root.key(&text).to_string(),
            })
        })
        .unwrap_or_else(|| root.to_string())
}
