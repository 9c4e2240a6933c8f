//! `lychgate check`: finds the configurations in a file and judges each as the plugin would.

use std::process::ExitCode;

use lychgate::policy::Policy;
use serde_json::Value;

/// A configuration and where it stands in the file.
struct Found {
    place: String,
    text: String,
}

/// Checks every configuration in `file`: status 0 if all are good, 1 if one is not.
///
/// # Errors
/// If the file cannot be read, or holds no configuration.
pub fn run(file: &str) -> Result<ExitCode, String> {
    let text = crate::read_text(file)?;
    let document: Value =
        serde_saphyr::from_str(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
    let found = configurations(&document);
    if found.is_empty() {
        return Err(format!("{file}: no Lychgate configuration in it"));
    }
    let mut good = true;
    for Found { place, text } in &found {
        match Policy::compile(text.as_bytes(), &|name| std::env::var(name).ok()) {
            Ok(compiled) => {
                for warning in &compiled.warnings {
                    println!("{file}: {place}warning: {warning}");
                }
            }
            Err(errors) => {
                good = false;
                for error in &errors {
                    println!("{file}: {place}{error}");
                }
            }
        }
    }
    if good {
        println!("{file}: {} configuration(s), no fault", found.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(1))
}

/// What a document holds: Wasm filters of an Envoy, the `pluginConfig` of a WasmPlugin, or else
/// the document itself.
fn configurations(document: &Value) -> Vec<Found> {
    if let Some(config) = document.pointer("/spec/pluginConfig") {
        return vec![Found { place: "spec.pluginConfig: ".into(), text: config.to_string() }];
    }
    let is_envoy = ["static_resources", "resources", "@type"].iter().any(|&key| document.get(key).is_some());
    if !is_envoy {
        return vec![Found { place: String::new(), text: document.to_string() }];
    }
    let mut found = Vec::new();
    search(document, &mut found);
    found
}

/// Finds Envoy's `PluginConfig` messages: an object with `vm_config` and `configuration`.
fn search(value: &Value, found: &mut Vec<Found>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| search(item, found)),
        Value::Object(members) => {
            if members.contains_key("vm_config")
                && let Some(config) = members.get("configuration").and_then(|any| any.get("value"))
            {
                let name = members.get("name").and_then(Value::as_str).unwrap_or("plugin");
                let text = match config {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                found.push(Found { place: format!("{name}: "), text });
            }
            members.values().for_each(|member| search(member, found));
        }
        _ => {}
    }
}
