//! The README's demonstration, run as a new user would: its commands, its output, word for word.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets the unexpected stops at once"
)]

use std::fs;
use std::process::Command;

use lychgate_testkit::demonstration::Demonstration;
use lychgate_testkit::envoy::root;
use lychgate_testkit::issuer::Issuer;

/// A command and the output it promises.
struct Step {
    command: String,
    output: String,
}

/// The ```console blocks: `$ ` begins a command, `> ` continues it, the rest is output.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
                (Some(command), _, _) => {
                    steps.push(Step { command: command.to_owned(), output: String::new() });
                }
                (None, Some(more), Some(step)) => step.command += &format!("\n{more}"),
                (None, None, Some(step)) => step.output += &format!("{line}\n"),
                (None, _, None) => panic!("output before any command: {line}"),
            }
        }
    }
    steps
}

/// Runs every command of a document against a demonstration.
fn try_out(document: &str, demonstration: &Demonstration) {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let steps = steps(&text);
    let has_curl = steps.iter().any(|step| step.command.contains("curl"));
    assert!(has_curl, "no ```console block with curl in {document}");
    for Step { command, output } in &steps {
        let ran = Command::new("sh").arg("-c").arg(demonstration.moved(command)).output().unwrap();
        let seen = String::from_utf8_lossy(&ran.stdout).replace('\r', "");
        assert_eq!(seen.trim_end(), output.trim_end(), "{command}\n{}", String::from_utf8_lossy(&ran.stderr));
    }
    println!("{document}: {} commands tried", steps.len());
}

#[test]
fn the_demonstration_gives_what_the_readme_says() {
    try_out("README.md", &Demonstration::start());
}

#[test]
fn the_oidc_example_gives_what_its_readme_says() {
    let Some(issuer) = Issuer::start() else { return };
    let environment = [("GATE_SECRET", "gate secret & more")];
    let port = Some(issuer.addr().port());
    try_out("examples/oidc/README.md", &Demonstration::of("examples/oidc/envoy.yaml", &environment, port));
}
