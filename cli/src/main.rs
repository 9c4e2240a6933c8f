//! `lychgate`: the command line for people. It uses the plugin's own core, so what it accepts the
//! plugin accepts.

mod bundle;
mod check;
mod compare;
mod config;
mod document;
mod explain;
mod find;
mod hash_key;
mod hash_password;
mod import;
mod keygen;
mod mint;
mod openapi;
mod schema;
mod strict;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

/// Checks Lychgate configurations, makes what goes into them, and tries them out.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  lychgate check envoy.yaml
  lychgate hash-password
  lychgate hash-key --generate
  lychgate keygen --alg ES256
  lychgate mint envoy.yaml --subject johndoe --scope items:read
  lychgate explain token_expired
  lychgate openapi envoy.yaml > openapi.json
  curl -s http://127.0.0.1:8000/openapi.json | lychgate import - > lychgate.yaml
  lychgate import envoy.yaml > envoy.new.yaml
  lychgate compare --before envoy.yaml --after envoy.new.yaml
  lychgate bundle openapi/index.yaml > openapi.json
  lychgate schema > lychgate.schema.json"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check every Lychgate configuration in files, as the plugin would
    ///
    /// A file is an envoy.yaml, an Istio WasmPlugin or EnvoyFilter, an EnvoyExtensionPolicy, or the bare
    /// configuration; YAML or JSON. Each fault is printed with its line, its JSON path and the remedy.
    /// `{env: NAME}` is looked up in the file's own `environment_variables` and in this process's
    /// environment.
    Check(check::Arguments),
    /// Print the hash of a password, for `users.*[].password`
    HashPassword(hash_password::Arguments),
    /// Print the SHA-256 of an API key, for `api_keys.*[].sha256`
    ///
    /// The key is read from standard input or made with --generate. It is never an argument: arguments are
    /// visible to all users of the machine.
    HashKey(hash_key::Arguments),
    /// Make a key to sign tokens with: a private key in a file, and the public key for `jwt.keys[]`
    ///
    /// Algorithms: HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES256K, EdDSA,
    /// ML-DSA-44, ML-DSA-65, ML-DSA-87. A private key is written as PEM (PKCS#8), one of ML-DSA as a JWK, a secret as
    /// Base64.
    Keygen(keygen::Arguments),
    /// Print what a reason of a refusal means, and what to do
    ///
    /// A reason is a word such as `token_expired`. It is in the response-code details of the access log
    /// (`lychgate_denied{token_expired}`), in the stats and in the log. Envoy's own response flags and details are
    /// explained as well.
    Explain(explain::Arguments),
    /// Print a test token, signed with a key of the configuration
    Mint(mint::Arguments),
    /// Print a configuration as an OpenAPI document
    Openapi(openapi::OpenApiArguments),
    /// Print a configuration for an OpenAPI document, or one that does what another gateway's does
    ///
    /// Read are OpenAPI documents; Envoy's filters jwt_authn, api_key_auth, basic_auth and rbac, in an envoy.yaml or alone;
    /// Istio's RequestAuthentication and AuthorizationPolicy; Envoy Gateway's SecurityPolicy. Of an envoy.yaml the whole file
    /// is printed with its filters replaced.
    Import(openapi::ImportArguments),
    /// Send the same requests to two policies, each in a real Envoy, and print what becomes of them
    ///
    /// For a migration: the one is what is in force, the other what `lychgate import` made of it.
    Compare(compare::Arguments),
    /// Print an OpenAPI document and the files that it refers to as one document
    Bundle(bundle::Arguments),
    /// Print the JSON Schema of the configuration
    Schema(schema::Arguments),
    /// Print completions for a shell
    #[command(after_help = "Examples:
  lychgate completions bash > /etc/bash_completion.d/lychgate
  source <(lychgate completions zsh)")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::HashPassword(arguments) => hash_password::run(&arguments),
        Command::HashKey(arguments) => hash_key::run(&arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Mint(arguments) => mint::run(&arguments),
        Command::Openapi(arguments) => openapi::openapi(&arguments),
        Command::Import(arguments) => openapi::import(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions { shell } => {
            let mut completions = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "lychgate", &mut completions);
            print!("{}", String::from_utf8_lossy(&completions));
            Ok(ExitCode::SUCCESS)
        }
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
    // A command may look at its input more than once.
    static INPUT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let text = match file {
        "-" => match INPUT.get() {
            Some(text) => Ok(text.clone()),
            None => std::io::read_to_string(std::io::stdin()).map(|text| INPUT.get_or_init(|| text).clone()),
        },
        _ => std::fs::read_to_string(file),
    };
    text.map_err(|error| format!("{file}: {error}"))
}
