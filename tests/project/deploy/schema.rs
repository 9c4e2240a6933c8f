//! The part of OpenAPI's schemas that Kubernetes has in its resource definitions. What is in a schema
//! and is not known here is a fault too, so that nothing goes unchecked without a word.

use regex_lite::Regex;
use serde_json::{Map, Value};

/// What says nothing about a value, or is a rule in CEL, which only a cluster can judge.
const SILENT: [&str; 9] = [
    "default",
    "description",
    "format",
    "nullable",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Where `value` does not fit `schema`. A member that the schema does not know is a fault: Kubernetes
/// drops it, and its author would never see that.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => false,
    }
}

fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let rules = schema.as_object().unwrap_or_else(|| panic!("{at}: no schema: {schema}"));
    if value.is_null() && rules.get("nullable") == Some(&Value::Bool(true)) {
        return;
    }
    let none = Map::new();
    let members = value.as_object().unwrap_or(&none);
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = value.as_str().unwrap_or_default();
    for (rule, wanted) in rules {
        let number = || wanted.as_f64().unwrap_or_else(|| panic!("{at}: {rule} is no number"));
        let fits = match rule.as_str() {
            "type" => is_of_type(value, wanted),
            "enum" => wanted.as_array().is_some_and(|values| values.contains(value)),
            "pattern" => Regex::new(wanted.as_str().expect("a text")).expect("a pattern").is_match(text),
            "minLength" => text.chars().count() as f64 >= number(),
            "maxLength" => text.chars().count() as f64 <= number(),
            "minItems" => items.len() as f64 >= number(),
            "maxItems" => items.len() as f64 <= number(),
            "maxProperties" => members.len() as f64 <= number(),
            "minimum" => value.as_f64().is_none_or(|own| own >= number()),
            "maximum" => value.as_f64().is_none_or(|own| own <= number()),
            "required" => {
                let names = wanted.as_array().expect("names");
                names.iter().filter_map(Value::as_str).all(|name| members.contains_key(name))
            }
            "items" => {
                let each = items.iter().enumerate();
                each.for_each(|(index, item)| check(wanted, item, &format!("{at}[{index}]"), found));
                true
            }
            "additionalProperties" => {
                members.iter().for_each(|(name, own)| check(wanted, own, &format!("{at}.{name}"), found));
                true
            }
            "properties" => true,
            silent if SILENT.contains(&silent) => true,
            _ => false,
        };
        if !fits {
            found.push(format!("{at}: {value} does not fit {rule}: {wanted}"));
        }
    }
    let keeps_unknown = rules.contains_key("x-kubernetes-preserve-unknown-fields");
    let known = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for (name, own) in members {
        match known.get(name) {
            Some(schema) => check(schema, own, &format!("{at}.{name}"), found),
            None if keeps_unknown || rules.contains_key("additionalProperties") => {}
            None => found.push(format!("{at}.{name}: unknown")),
        }
    }
}
