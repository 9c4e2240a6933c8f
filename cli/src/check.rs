//! `lychgate check`: finds the configurations in files and judges each as the plugin would.

use std::process::ExitCode;

use anstream::println;
use anstyle::{AnsiColor, Style};
use clap::Args;
use lychgate::config::ConfigError;
use lychgate::policy::{Policy, SchemeKind};
use serde_json::Value;

use crate::document::{self, Node, Tree, line_of};
use crate::find::{Found, configurations};

const FAULT: Style = AnsiColor::Red.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// What is checked, and how.
#[derive(Args)]
#[command(after_help = "Examples:
  lychgate check envoy.yaml
  lychgate check --assume-env deploy/*.yaml
  kubectl get wasmplugin gate -o yaml | lychgate check -

Exit status: 0 no fault, 1 faults, 2 a file cannot be read or holds no configuration.")]
pub struct Arguments {
    /// The files; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Take every environment variable for set, with 64 bytes of nothing in it
    ///
    /// For checking without secrets. A variable that holds a PEM cannot be made up: such a key is
    /// still reported.
    #[arg(long)]
    assume_env: bool,
}

/// Checks every configuration in every file.
///
/// # Errors
/// If a file cannot be read, or holds no configuration.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut good = true;
    for file in &arguments.files {
        good &= check_file(file, arguments.assume_env)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn check_file(file: &str, assume_env: bool) -> Result<bool, String> {
    let text = crate::read_text(file)?;
    let documents = document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
    let found: Vec<Found<'_>> = documents.iter().flat_map(configurations).collect();
    if found.is_empty() {
        return Err(format!("{file}: no Lychgate configuration in it"));
    }
    let mut faults = 0_usize;
    for found in &found {
        let environment = |name: &str| {
            let given = found.environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            given.or_else(|| std::env::var(name).ok()).or_else(|| assume_env.then(|| "x".repeat(64)))
        };
        match Policy::compile(found.text.as_bytes(), &environment) {
            Ok(compiled) => {
                for warning in &compiled.warnings {
                    print(file, found, warning, WARNING, "warning: ");
                }
                if let Some(manager) = found.manager.filter(|manager| {
                    counts_addresses(&compiled.policy) && lets_clients_name_their_address(&manager.value)
                }) {
                    let error = ConfigError { path: "use_remote_address".into(), message: ADDRESSES.into() };
                    print_at(file, manager.referenced.line(), found, &error, WARNING, "warning: ");
                }
            }
            Err(errors) => {
                faults = faults.saturating_add(errors.len());
                for error in &errors {
                    print(file, found, error, FAULT, "");
                }
            }
        }
    }
    if faults == 0 {
        println!("{file}: {} configuration(s), no fault", found.len());
    }
    Ok(faults == 0)
}

const ADDRESSES: &str = "not true, so the client's address is taken from X-Forwarded-For, which clients \
    can write themselves, and failed logins are counted by it; set it, with xff_num_trusted_hops behind other \
    proxies, unless nobody but a proxy that adds to the header can connect here";

/// Whether it matters to the policy where a request comes from.
fn counts_addresses(policy: &Policy) -> bool {
    let is_basic = |kind: &SchemeKind| match kind {
        SchemeKind::Basic(_) => true,
        SchemeKind::Token { .. } | SchemeKind::ApiKey(_) => false,
    };
    policy.token_endpoint(0).is_some() || policy.schemes().iter().any(|scheme| is_basic(&scheme.kind))
}

/// Whether a connection manager takes the address of a client that connects to it from a header.
fn lets_clients_name_their_address(manager: &Tree) -> bool {
    let either =
        |snake, camel| manager.get(snake).or_else(|| manager.get(camel)).map(|node: &Node| &node.value);
    let is_on = either("use_remote_address", "useRemoteAddress")
        .is_some_and(|value| matches!(value, Tree::Scalar(Value::Bool(true))));
    // An extension that finds the address excludes the setting.
    let extensions = either("original_ip_detection_extensions", "originalIpDetectionExtensions");
    !is_on && extensions.is_none_or(|extensions| extensions.items().is_empty())
}

fn print(file: &str, found: &Found<'_>, error: &ConfigError, style: Style, kind: &str) {
    print_at(file, line_of(found.node, &error.path), found, error, style, kind);
}

fn print_at(file: &str, line: u64, found: &Found<'_>, error: &ConfigError, style: Style, kind: &str) {
    let owner = found.owner.as_ref().map(|owner| format!("{owner}: ")).unwrap_or_default();
    let ConfigError { path, message } = error;
    println!("{file}:{line}: {owner}{kind}{path}: {style}{message}{style:#}");
}
