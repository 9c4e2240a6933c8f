//! The command as a user runs it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that meets the unexpected stops"
)]

mod check;
mod documents;
mod explain;
mod keygen;
mod migration;
mod schema;
mod secrets;
mod strict;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs the command with this input and environment, in the root of the repository.
fn lychgate(arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lychgate"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const SECRET: (&str, &str) = ("LYCHGATE_SECRET", "a demonstration secret of 32 bytes or more");

#[test]
fn every_command_explains_itself_with_examples() {
    let help = stdout(&lychgate(&["--help"], "", &[]));
    for command in [
        "check",
        "hash-password",
        "hash-key",
        "keygen",
        "explain",
        "mint",
        "openapi",
        "import",
        "schema",
        "completions",
    ] {
        assert!(help.contains(command), "{help}");
        let own = stdout(&lychgate(&[command, "--help"], "", &[]));
        assert!(own.contains("Examples:") && own.contains(&format!("lychgate {command}")), "{own}");
        assert!(!own.contains('\u{1b}'), "no colour without a terminal");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = stdout(&lychgate(&["completions", shell], "", &[]));
        assert!(completions.contains("hash-password"), "{shell}");
    }
    assert_eq!(lychgate(&["nonsense"], "", &[]).status.code(), Some(2));
}
