//! `lychgate check`: finds the configurations in files and judges each as the plugin would.

use std::process::ExitCode;

use anstream::println;
use anstyle::{AnsiColor, Style};
use clap::Args;
use lychgate::config::ConfigError;
use lychgate::policy::{Policy, SchemeKind};

use crate::document::{self, Tree, line_of};
use crate::find::{Found, configurations};
use crate::strict::{self, Finding, Weight};

const FAULT: Style = AnsiColor::Red.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// What is checked, and how.
#[derive(Args)]
#[command(after_help = "Examples:
  lychgate check envoy.yaml
  lychgate check --assume-env deploy/*.yaml
  lychgate check --strict envoy.yaml
  kubectl get wasmplugin gate -o yaml | lychgate check -

Exit status: 0 no fault, 1 faults, 2 a file cannot be read or holds no configuration. With --strict a warning
counts as a fault does; a note never counts.")]
pub struct Arguments {
    /// The files; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Assume that every environment variable is set, to a 64-byte placeholder
    ///
    /// For checking without secrets. A variable that holds a PEM cannot be made up: such a key is
    /// still reported.
    #[arg(long)]
    assume_env: bool,
    /// Warn of settings that open a way for an attacker too; a warning then ends in exit status 1
    ///
    /// Among them: `audiences` not set, FAIL_OPEN, a shared key, a secret in the file, `mode: dry_run`, and, as far
    /// as the file shows them, Envoy's own settings around the plugin.
    #[arg(long)]
    strict: bool,
}

/// Checks every configuration in every file.
///
/// # Errors
/// If a file cannot be read, or holds no configuration.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut good = true;
    for file in &arguments.files {
        let Told { faults, warnings } = check_file(file, arguments)?;
        good &= faults == 0 && (warnings == 0 || !arguments.strict);
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What was printed for a file.
#[derive(Default)]
struct Told {
    faults: usize,
    warnings: usize,
}

fn check_file(file: &str, arguments: &Arguments) -> Result<Told, String> {
    let text = crate::read_text(file)?;
    let documents = document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
    let found: Vec<_> = documents.iter().map(|document| (document, configurations(document))).collect();
    let count = found.iter().map(|(_, found)| found.len()).sum::<usize>();
    if count == 0 {
        return Err(format!("{file}: no Lychgate configuration in it"));
    }
    let mut told = Told::default();
    for found in found.iter().flat_map(|(_, found)| found) {
        check_one(file, found, arguments.assume_env, &mut told);
    }
    if told.faults > 0 && document::is_helm_template(&text) {
        println!(
            "{file}: some of it are actions of a Helm template; check what it becomes: helm template . | lychgate check -"
        );
    }
    if arguments.strict && told.faults == 0 {
        for Finding { owner, line, path, message, weight } in strict::findings(&found, &value_of) {
            let kind = match weight {
                Weight::Note => "note: ",
                Weight::Warning => {
                    told.warnings = told.warnings.saturating_add(1);
                    "warning: "
                }
            };
            print_at(file, line, owner.as_deref(), &ConfigError { path, message }, WARNING, kind);
        }
    }
    match told {
        Told { faults: 1.., .. } => {}
        Told { warnings: 1.., .. } if arguments.strict => {
            println!("{file}: {count} configuration(s), no fault, {} warning(s)", told.warnings);
        }
        Told { .. } => println!("{file}: {count} configuration(s), no fault"),
    }
    Ok(told)
}

/// The value of a variable, in the file or in this process's environment.
fn value_of(found: &Found<'_>, name: &str) -> Option<String> {
    let given = found.environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    given.or_else(|| std::env::var(name).ok())
}

fn check_one(file: &str, found: &Found<'_>, assume_env: bool, told: &mut Told) {
    let environment = |name: &str| value_of(found, name).or_else(|| assume_env.then(|| "x".repeat(64)));
    match Policy::compile(found.text.as_bytes(), &environment) {
        Ok(compiled) => {
            told.warnings = told.warnings.saturating_add(compiled.warnings.len());
            for warning in &compiled.warnings {
                print(file, found, warning, WARNING, "warning: ");
            }
            if let Some(manager) = found.manager.filter(|manager| {
                counts_addresses(&compiled.policy) && lets_clients_name_their_address(&manager.value)
            }) {
                told.warnings = told.warnings.saturating_add(1);
                let error = ConfigError { path: "use_remote_address".into(), message: ADDRESSES.into() };
                let line = line_of(manager, "use_remote_address");
                print_at(file, line, found.owner.as_deref(), &error, WARNING, "warning: ");
            }
        }
        Err(errors) => {
            told.faults = told.faults.saturating_add(errors.len());
            for error in &errors {
                print(file, found, error, FAULT, "");
            }
        }
    }
}

const ADDRESSES: &str = "not true, so the client's address is taken from X-Forwarded-For, which clients \
    can write themselves, and failed logins are counted by it; set it, with xff_num_trusted_hops behind other \
    proxies, unless only a proxy that adds to the header can connect here";

/// Whether it matters to the policy where a request comes from.
fn counts_addresses(policy: &Policy) -> bool {
    let is_basic = |kind: &SchemeKind| match kind {
        SchemeKind::Basic(_) => true,
        SchemeKind::Token { .. } | SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => false,
    };
    policy.token_endpoint(0).is_some() || policy.schemes().iter().any(|scheme| is_basic(&scheme.kind))
}

/// Whether a connection manager takes the address of a client that connects to it from a header.
fn lets_clients_name_their_address(manager: &Tree) -> bool {
    let is_on = manager.field("use_remote_address").is_some_and(|node| node.value.is_true());
    // An extension that finds the address excludes the setting.
    let extensions = manager.field("original_ip_detection_extensions");
    !is_on && extensions.is_none_or(|extensions| extensions.value.items().is_empty())
}

fn print(file: &str, found: &Found<'_>, error: &ConfigError, style: Style, kind: &str) {
    print_at(file, line_of(found.node, &error.path), found.owner.as_deref(), error, style, kind);
}

fn print_at(file: &str, line: u64, owner: Option<&str>, error: &ConfigError, style: Style, kind: &str) {
    let owner = owner.map(|owner| format!("{owner}: ")).unwrap_or_default();
    let ConfigError { path, message } = error;
    println!("{file}:{line}: {owner}{kind}{path}: {style}{message}{style:#}");
}
