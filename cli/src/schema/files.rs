//! The schema of files that a configuration is somewhere in: it describes that, and leaves everything
//! else open. It finds configurations where `lychgate check` does.

use serde_json::{Map, Value, json};

/// What makes a Wasm plugin ours: one of these names says so, or what it is configured with.
const NAMES: [&[&str]; 4] = [&["name"], &["root_id"], FILE, URI];
const FILE: &[&str] = &["vm_config", "code", "local", "filename"];
const URI: &[&str] = &["vm_config", "code", "remote", "http_uri", "uri"];

/// The schema of the configuration, in the same directory.
const CONFIGURATION: &str = "lychgate.schema.json";

/// The schema of a file, in the dialect of that of the configuration.
pub fn around(configuration: &Value) -> Value {
    let ours = json!({"$ref": CONFIGURATION});
    json!({
        "$schema": configuration.get("$schema"),
        "title": "A file with Lychgate in it",
        "description": "An envoy.yaml, an Istio WasmPlugin or EnvoyFilter, an EnvoyExtensionPolicy. The \
            configuration of Lychgate in it is described, everything else is left open.",
        "if": {"properties": {"kind": {"const": "WasmPlugin"}}, "required": ["kind"]},
        "then": {"properties": {"spec": {"properties": {"pluginConfig": ours}}}},
        "else": {
            "if": {"properties": {"kind": {"const": "EnvoyExtensionPolicy"}}, "required": ["kind"]},
            "then": {"properties": {"spec": {"properties": {
                "wasm": {"items": {"properties": {"config": ours}}},
                "dynamicModules": {"items": {"properties": {"config": ours}}},
            }}}},
            "else": {"$ref": "#/$defs/Part"},
        },
        "$defs": {"Part": part()},
    })
}

/// Any part of a file: a Wasm plugin that is ours, or something with parts of its own.
fn part() -> Value {
    let named = |way| within(way, json!({"type": "string", "pattern": "[Ll][Yy][Cc][Hh][Gg][Aa][Tt][Ee]"}));
    let mut names: Vec<Value> = NAMES.into_iter().map(named).collect();
    // Another module may have been given our `vm_id`.
    let has_no = |way| json!({"not": within(way, json!(true))});
    names.push(json!({"allOf": [named(&["vm_config", "vm_id"]), has_no(FILE), has_no(URI)]}));
    for key in ["schemes", "rules", "security"] {
        names.push(within(&["configuration", "value"], json!({"type": "object", "required": [key]})));
    }
    let mut native_names = vec![named(&["dynamic_module_config", "name"]), named(&["filter_name"])];
    for key in ["schemes", "rules", "security"] {
        native_names.push(within(&["filter_config", "value"], json!({"type": "object", "required": [key]})));
    }
    // A StringValue holds JSON text, which is beyond a schema.
    let value = json!({"if": {"type": "string"}, "then": true, "else": {"$ref": CONFIGURATION}});
    json!({
        "if": {
            "type": "object",
            "required": ["vm_config", "configuration"],
            "anyOf": names,
        },
        "then": {"properties": {"configuration": {"properties": {"value": value}}}},
        "else": {
            "if": {
                "type": "object",
                "required": ["dynamic_module_config", "filter_config"],
                "anyOf": native_names,
            },
            "then": {"properties": {"filter_config": {"properties": {"value": value}}}},
            "else": {"additionalProperties": {"$ref": "#/$defs/Part"}, "items": {"$ref": "#/$defs/Part"}},
        },
    })
}

/// A schema for what is at the end of a path of names.
fn within(way: &[&str], schema: Value) -> Value {
    way.iter().rev().fold(schema, |inner, name| {
        let mut properties = Map::new();
        properties.insert((*name).to_owned(), inner);
        json!({"properties": properties, "required": [name]})
    })
}
