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
use std::net::TcpListener;
use std::process::Command;

use lychgate_testkit::envoy::{Envoy, root};

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

/// Ports that nobody uses, all different because all are held before any is let go.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn the_demonstration_gives_what_the_readme_says() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let steps = steps(&readme);
    assert!(
        steps.iter().any(|step| step.command.starts_with("curl")),
        "no ```console block with curl in README.md"
    );
    // Others may be using the ports that the demonstration names.
    let [gate, upstream, admin] = free_ports();
    // By way of a mark, because a free port may itself read 49901.
    let ports = [("10000", "@gate@", gate), ("10001", "@upstream@", upstream), ("9901", "@admin@", admin)];
    let moved = |text: &str| {
        let marked = ports.iter().fold(text.to_owned(), |text, (port, mark, _)| text.replace(port, mark));
        ports.iter().fold(marked, |text, (_, mark, free)| text.replace(mark, &free.to_string()))
    };
    let config = moved(&fs::read_to_string(root().join("envoy.yaml")).unwrap());
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let secret = makefile.split("LYCHGATE_SECRET:-").nth(1).and_then(|rest| rest.split('}').next());
    let environment = [("LYCHGATE_SECRET", secret.expect("make run has a demonstration secret"))];
    let _envoy = Envoy::start_with(1, &config, "yaml", &environment)
        .unwrap_or_else(|failure| panic!("{}", failure.log));
    for Step { command, output } in &steps {
        let ran = Command::new("sh").arg("-c").arg(moved(command)).output().unwrap();
        let seen = String::from_utf8_lossy(&ran.stdout).replace('\r', "");
        assert_eq!(seen.trim_end(), output.trim_end(), "{command}\n{}", String::from_utf8_lossy(&ran.stderr));
    }
    println!("README: {} commands tried", steps.len());
}
