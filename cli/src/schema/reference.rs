//! The schema as a reference for people: a chapter of the book, `docs/reference.md`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const HEAD: &str = "# Configuration reference

<!-- Made by `lychgate schema --markdown`; a test holds it to that. Change the comments in src/config/ and make it anew. -->

Every key, made from [the JSON Schema](lychgate.schema.json) that editors use. An unknown key, a wrong type, a name that
refers to something that is missing, a key too weak for its algorithm: the plugin refuses to start, and the log says where and what to do.
Keys in **bold** must be there. The examples are parts of a configuration; whole ones are in [Recipes](recipes.md).

";

/// The reference in Markdown.
///
/// # Errors
/// If an example cannot be written as YAML.
pub fn markdown(schema: &Value) -> Result<String, String> {
    let empty = Map::new();
    let defs = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let mut text = HEAD.to_owned();
    // In the order in which one meets them, beginning at the root.
    let mut names: Vec<String> = Vec::new();
    let mut rest = vec![String::new()];
    while let Some(name) = rest.pop() {
        if names.contains(&name) {
            continue;
        }
        let own = if name.is_empty() { schema } else { defs.get(&name).unwrap_or(&Value::Null) };
        let mut further = Vec::new();
        for key in keys(own) {
            references(
                own.get("properties").and_then(|all| all.get(key)).unwrap_or(&Value::Null),
                &mut further,
            );
        }
        if own.get("properties").is_none() {
            references(own, &mut further);
        }
        rest.extend(further.into_iter().rev());
        names.push(name);
    }
    for name in &names {
        let own = if name.is_empty() { schema } else { defs.get(name).unwrap_or(&Value::Null) };
        section(if name.is_empty() { "The configuration" } else { name }, own, &mut text)?;
    }
    Ok(format!("{}\n", text.trim_end()))
}

/// What one begins with; everything else is in alphabetical order.
const FIRST: [&str; 5] = ["schemes", "users", "api_keys", "rules", "security"];

/// The keys of an object: those that must be there first.
fn keys(own: &Value) -> Vec<&String> {
    let mut keys: Vec<_> =
        own.get("properties").and_then(Value::as_object).map(|all| all.keys().collect()).unwrap_or_default();
    let place = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    keys.sort_by_key(|key| (!is_required(own, key), place(key)));
    keys
}

fn is_required(own: &Value, key: &str) -> bool {
    own.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|name| name == key))
}

/// The definitions that a schema refers to.
fn references(own: &Value, found: &mut Vec<String>) {
    match own {
        Value::Object(members) => {
            if let Some(name) = reference(own) {
                found.push(name.to_owned());
            }
            // Not `$defs`, which only the root has, and no examples, which refer to missing parts.
            for key in ["items", "additionalProperties", "anyOf"] {
                members.get(key).into_iter().for_each(|inner| references(inner, found));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn reference(own: &Value) -> Option<&str> {
    own.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn text_of<'a>(own: &'a Value, key: &str) -> &'a str {
    own.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn section(name: &str, own: &Value, text: &mut String) -> Result<(), String> {
    let describe = text_of(own, "description");
    let _ = write!(text, "## {name}\n\n{describe}\n\n");
    if own.get("properties").is_some() {
        text.push_str("| key | what | form | default |\n|---|---|---|---|\n");
        for key in keys(own) {
            let property = own.get("properties").and_then(|all| all.get(key)).unwrap_or(&Value::Null);
            let written = if is_required(own, key) { format!("**`{key}`**") } else { format!("`{key}`") };
            let what = text_of(property, "description").replace('|', "\\|");
            let default = property.get("default").map(|value| format!("`{value}`")).unwrap_or_default();
            let _ = writeln!(text, "| {written} | {what} | {} | {default} |", form(property));
        }
        text.push('\n');
    } else {
        let _ = write!(text, "Form: {}.\n\n", form(own));
        words(own, text);
    }
    if let Some(names) = own.get("oneOf").and_then(Value::as_array) {
        let names: Vec<_> = names
            .iter()
            .filter_map(|one| one.get("required")?.as_array()?.first()?.as_str())
            .map(|name| format!("`{name}`"))
            .collect();
        if !names.is_empty() {
            let _ = write!(text, "Exactly one of {}.\n\n", names.join(", "));
        }
    }
    for example in own.get("examples").and_then(Value::as_array).into_iter().flatten() {
        let yaml = serde_saphyr::to_string(example).map_err(|error| error.to_string())?;
        let _ = write!(text, "```yaml\n{}\n```\n\n", yaml.trim_end());
    }
    Ok(())
}

/// What each word of a fixed set means, where it is said.
fn words(own: &Value, text: &mut String) {
    let Some(alternatives) = own.get("oneOf").and_then(Value::as_array) else { return };
    for one in alternatives {
        if let Some(word) = one.get("const").and_then(Value::as_str) {
            let _ = writeln!(text, "- `{word}`: {}", text_of(one, "description"));
        }
    }
    text.push('\n');
}

/// What a value looks like, in a few words.
fn form(own: &Value) -> String {
    if let Some(name) = reference(own) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(alternatives) = own.get("anyOf").and_then(Value::as_array) {
        return alternatives.iter().map(form).collect::<Vec<_>>().join(" or ");
    }
    let constants = own
        .get("oneOf")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(|one| one.get("const")).collect::<Vec<_>>());
    let listed = own.get("enum").and_then(Value::as_array).map(|all| all.iter().collect::<Vec<_>>());
    let constant = own.get("const").map(|value| vec![value]);
    if let Some(values) = constants.filter(|all| !all.is_empty()).or(listed).or(constant) {
        let values: Vec<_> = values
            .into_iter()
            .map(|value| value.as_str().map_or_else(|| format!("`{value}`"), |word| format!("`{word}`")))
            .collect();
        return values.join(", ");
    }
    match text_of(own, "type") {
        "array" => format!("list of {}", own.get("items").map(form).unwrap_or_default()),
        "object" => match own.get("additionalProperties") {
            Some(inner @ Value::Object(_)) => format!("name to {}", form(inner)),
            _ => "object".into(),
        },
        "integer" => {
            let bound = |key| own.get(key).map(ToString::to_string);
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                _ => "whole number".into(),
            }
        }
        "boolean" => "`true`, `false`".into(),
        "string" if text_of(own, "format") == "date-time" => "time (RFC 3339)".into(),
        "string" => "text".into(),
        other => other.to_owned(),
    }
}
