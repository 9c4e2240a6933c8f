//! `lychgate`: the command line for people. It uses the plugin's own core, so what it accepts the
//! plugin accepts.

mod check;
mod hash_key;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks Lychgate configurations and makes API keys.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  lychgate check envoy.yaml\n  printf %s my-key | lychgate hash-key"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check every Lychgate configuration in a file, as the plugin would
    ///
    /// The file is an envoy.yaml, an Istio WasmPlugin, or the bare configuration; YAML or JSON.
    /// `{env: NAME}` is looked up in this process's environment.
    Check {
        /// The file; `-` for standard input
        file: String,
    },
    /// Print the SHA-256 of an API key read from standard input, for `api_keys.*[].sha256`
    ///
    /// The key is never an argument: arguments are seen by everybody on the machine.
    HashKey,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check { file } => check::run(&file),
        Command::HashKey => hash_key::run(),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("lychgate: {message}");
            ExitCode::from(2)
        }
    }
}

/// The text of a file, or of standard input for `-`.
fn read_text(file: &str) -> Result<String, String> {
    let text = match file {
        "-" => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    text.map_err(|error| format!("{file}: {error}"))
}
