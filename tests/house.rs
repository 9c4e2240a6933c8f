//! The rules of the house that a test can see.

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
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all(dirs: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    dirs.iter().for_each(|dir| sources(&root.join(dir), &mut found));
    found
}

/// The core runs without a host: the host's functions exist in Wasm only, and a native test that
/// reached one would not link.
#[test]
fn the_host_s_functions_are_known_to_the_proxy_room_alone() {
    for path in all(&["src", "cli/src"]) {
        if path.components().any(|part| part.as_os_str() == "proxy") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let use_of_it = lines.find(|line| line.contains("proxy_wasm") || line.contains("extern \"C\""));
        assert_eq!(use_of_it, None, "{}", path.display());
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for path in all(&["src", "cli/src", "tests"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}
