//! `lychgate openapi` and `lychgate import`: a document out of a configuration, and the beginning
//! of a configuration out of a document.

use std::process::ExitCode;

use clap::Args;
use lychgate::openapi::{export, skeleton};

use crate::config::Configuration;
use crate::document;

/// Which configuration.
#[derive(Args)]
#[command(after_help = "Examples:\n  lychgate openapi envoy.yaml > openapi.json")]
pub struct OpenApiArguments {
    /// The file with the configuration; `-` for standard input
    file: String,
}

/// Prints the document that `openapi.serve` would answer.
///
/// # Errors
/// If the configuration has faults.
pub fn openapi(arguments: &OpenApiArguments) -> Result<ExitCode, String> {
    let document = Configuration::read(&arguments.file)?.compile(export::describe)?;
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// Which document.
#[derive(Args)]
#[command(
    after_help = "Of an OpenAPI document what is left to write is how each scheme is verified: keys, users, API keys.

Of the configuration of another gateway each thing that cannot be carried over is named with its line, and refused. Several
files are read together, such as policies and the Secrets that they name. The exit status is then 1.

Examples:
  curl -s http://127.0.0.1:8000/openapi.json | lychgate import - > lychgate.yaml
  lychgate import --unsecured public openapi.yaml
  lychgate import envoy.yaml > envoy.new.yaml
  lychgate import request-authentication.yaml authorization-policies.yaml > wasm-plugin.yaml
  lychgate import security-policy.yaml secrets.yaml > extension-policy.yaml"
)]
pub struct ImportArguments {
    /// The OpenAPI document, or the configurations to carry over, JSON or YAML; `-` for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// What becomes of operations that the document does not secure
    #[arg(long, value_parser = ["default", "public"], default_value = "default")]
    unsecured: String,
}

/// Prints a configuration with a rule for each operation of the document.
///
/// # Errors
/// If the document has faults.
pub fn import(arguments: &ImportArguments) -> Result<ExitCode, String> {
    let mut read = crate::import::Read { files: Vec::new() };
    for file in &arguments.files {
        let text = crate::read_text(file)?;
        let documents =
            document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
        read.files.push((file.clone(), documents));
    }
    if read.files.iter().any(|(_, documents)| crate::import::is_for(documents)) {
        return crate::import::run(&read);
    }
    let [(file, documents)] = read.files.as_slice() else {
        return Err("an OpenAPI document is one file".into());
    };
    let [node] = documents.as_slice() else {
        return Err(format!("{file}: one document is needed, there are {}", documents.len()));
    };
    let public = arguments.unsecured == "public";
    let sections = skeleton::skeleton(&node.value.to_value(), public).map_err(|errors| {
        let line = |error: &lychgate::config::ConfigError| {
            format!("{file}:{}: {error}", document::line_of(node, &error.path))
        };
        errors.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    println!(
        "# Made by `lychgate import` from {file}. What is left to write is how each scheme is verified:"
    );
    println!("# the keys of tokens, the users, the API keys. Then: lychgate check");
    for (name, section) in sections {
        let section = serde_json::json!({name: section});
        let yaml = serde_saphyr::to_string(&section).map_err(|error| error.to_string())?;
        println!("{}", yaml.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
