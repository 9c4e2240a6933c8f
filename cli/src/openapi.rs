//! `lychgate openapi` and `lychgate import`: a document out of a configuration, and the beginning
//! of a configuration out of a document.

use std::process::ExitCode;

use clap::Args;
use lychgate::config::ConfigError;
use lychgate::openapi::export;
use lychgate::openapi::skeleton::{self, Skeleton};

use crate::config::Configuration;
use crate::{bundle, document};

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
    after_help = "Of an OpenAPI document what is left to write is how each scheme is verified: keys, users, API keys. What was read
by a guess is told on standard error: look at each line. Files that the document refers to are read too.

Of the configuration of another gateway each thing that cannot be carried over is named with its line, and refused; the exit
status is then 1. Several files are read together, such as policies and the Secrets that they name.

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
    let [file] = arguments.files.as_slice() else {
        return Err("an OpenAPI document is one file; what it refers to is read by itself".into());
    };
    let (node, value) = bundle::read(file)?;
    let public = arguments.unsecured == "public";
    let at = |error: &ConfigError| format!("{file}:{}: ", document::line_of(&node, &error.path));
    let Skeleton { sections, notes } = skeleton::skeleton(&value, public).map_err(|errors| {
        errors.iter().map(|error| format!("{}{error}", at(error))).collect::<Vec<_>>().join("\n")
    })?;
    for note in &notes {
        eprintln!("{}warning: {note}", at(note));
    }
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
