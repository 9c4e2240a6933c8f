//! The pictures: they are drawn, they are well-formed, and what the terminal shows is what happens.

use std::process::Command;

use lychgate_tests::book::read;
use lychgate_tests::demonstration::Demonstration;
use lychgate_tests::envoy::root;

#[test]
fn the_terminal_shows_what_the_filter_says() {
    let demonstration = Demonstration::start();
    let drawn = Command::new(root().join("scripts/demonstration")).arg(demonstration.gate()).output();
    let drawn = drawn.expect("python3 runs");
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let drawn = String::from_utf8_lossy(&drawn.stdout).into_owned();
    assert!(
        drawn == read("docs/demonstration.svg"),
        "docs/demonstration.svg is out of date: make run, and scripts/demonstration > docs/demonstration.svg\n{drawn}"
    );
    assert!(drawn.contains("insufficient_scope") && drawn.contains("Not authenticated"));
}

/// What is said in a picture is text for readers who cannot see it, and readable on any page: it brings its own
/// background along.
#[test]
fn every_drawing_has_a_label_and_a_background() {
    for file in ["docs/architecture.svg", "docs/request.svg", "docs/demonstration.svg"] {
        let svg = read(file);
        assert!(svg.contains("aria-label=") && svg.contains("<rect width="), "{file}");
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count(), "{file}");
        if file != "docs/demonstration.svg" {
            assert!(svg.contains("prefers-color-scheme: dark"), "{file}");
        }
    }
}
