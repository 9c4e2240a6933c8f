//! `lychgate schema`: the JSON Schema of the configuration, for editors and for other programs.

mod files;
mod reference;

use std::process::ExitCode;

use clap::Args;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// Which schema.
#[derive(Args)]
#[command(after_help = "Examples:
  lychgate schema > lychgate.schema.json
  lychgate schema --files > envoy.schema.json   # beside it; and in envoy.yaml: # yaml-language-server: $schema=envoy.schema.json
  lychgate schema --markdown > reference.md")]
pub struct Arguments {
    /// The schema of files with a configuration somewhere in them: an envoy.yaml, an Istio WasmPlugin or
    /// EnvoyFilter, an EnvoyExtensionPolicy. It refers to `lychgate.schema.json` in the same directory, and leaves
    /// all other fields open
    #[arg(long)]
    files: bool,
    /// The same as a reference for people, in Markdown
    #[arg(long, conflicts_with = "files")]
    markdown: bool,
}

/// Prints the schema.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let schema = configuration();
    if arguments.markdown {
        print!("{}", reference::markdown(&schema)?);
        return Ok(ExitCode::SUCCESS);
    }
    let schema = if arguments.files { files::around(&schema) } else { schema };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// The JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1) of the configuration.
fn configuration() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(as_read));
    SchemaGenerator::new(settings).into_root_schema_for::<lychgate::config::Config>().to_value()
}

/// Takes out what the derive says of Rust, and is not so of a configuration: a key that may be left out is not
/// therefore `null`, and a number has bounds of its own, not those of a machine word.
fn as_read(schema: &mut Schema) {
    let is_null = |value: &Value| value == "null" || value.is_null();
    for list in ["type", "enum"] {
        let Some(Value::Array(values)) = schema.get_mut(list) else { continue };
        values.retain(|value| !is_null(value));
        if list == "type"
            && let [only] = values.as_slice()
        {
            let only = only.clone();
            schema.insert(list.to_owned(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.retain(|value| value.get("type").is_none_or(|name| !is_null(name)));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.ensure_object().entry(key).or_insert(value);
            }
        }
    }
    if schema.get("type").is_some_and(|name| name == "integer") {
        schema.remove("format");
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    first_paragraph(schema);
}

/// The first paragraph of a comment is for users, on one line here; what follows is for developers.
fn first_paragraph(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraph = text.split("\n\n").next().unwrap_or_default();
        *text = paragraph.split('\n').collect::<Vec<_>>().join(" ");
    }
}
