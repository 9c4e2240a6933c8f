//! The interactive documentation in a real Chromium, before the repository's own envoy.yaml.

use std::path::PathBuf;
use std::process::Command;

use lychgate_tests::demonstration::Demonstration;
use lychgate_tests::envoy::root;
use lychgate_tests::programs::find_or_install;
use lychgate_tests::python::python;

#[test]
fn a_person_logs_in_tries_an_operation_and_logs_out() {
    let Some(chromium) = find_or_install("chromium", "chromium") else { return };
    let Some(python) = python("tests/browser/requirements.txt") else { return };
    let demonstration = Demonstration::start();
    let screenshot: PathBuf = root().join("target/docs-browser.png");
    let output = Command::new(python)
        .arg(root().join("tests/browser/docs.py"))
        .arg(format!("http://{}", demonstration.gate()))
        .arg(chromium)
        .arg(&screenshot)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}the screenshot is target/docs-browser.png");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(screenshot.exists());
}
