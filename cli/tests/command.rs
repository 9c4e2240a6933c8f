//! The command as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that meets the unexpected stops"
)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

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
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn envoy_yaml_is_checked_with_the_environment() {
    let secret = [("LYCHGATE_SECRET", "a demonstration secret of 32 bytes or more")];
    let good = lychgate(&["check", "envoy.yaml"], "", &secret);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let bad = lychgate(&["check", "envoy.yaml"], "", &[("LYCHGATE_SECRET", "short")]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        stdout(&bad).contains("schemes.oauth2.jwt.keys[0]: HS256 needs a secret of at least 32 bytes, got 5")
    );
}

#[test]
fn a_wasm_plugin_and_a_bare_configuration_are_checked() {
    for (text, code, says) in [
        (
            "kind: WasmPlugin\nspec: {pluginConfig: {mode: never}}",
            1,
            "spec.pluginConfig: mode: unknown value",
        ),
        ("{\"rules\": []}", 0, "no fault"),
        ("mode: enforce\nrule: []", 1, "rule: unknown key"),
        ("static_resources: {}", 2, ""),
        ("a: [", 2, ""),
    ] {
        let output = lychgate(&["check", "-"], text, &[]);
        assert_eq!(output.status.code(), Some(code), "{text}: {output:?}");
        assert!(stdout(&output).contains(says), "{text}: {output:?}");
    }
}

#[test]
fn a_key_is_hashed_from_standard_input() {
    let output = lychgate(&["hash-key"], "demo-key-please-change\n", &[]);
    let digest = stdout(&output);
    assert!(
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy.yaml"))
            .unwrap()
            .contains(digest.trim())
    );
    assert_eq!(lychgate(&["hash-key"], "", &[]).status.code(), Some(2));
}
