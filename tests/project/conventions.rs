//! The rules of the house that a test can see.

use std::fs;
use std::path::{Path, PathBuf};

use lychgate_tests::envoy::root;

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
    let root = root();
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
    for path in all(&["src", "cli/src", "cli/tests", "tests"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

/// What stands between backticks, or between quotation marks.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// SECURITY.md names for each threat the file that stops it and the test that shows it. What it names
/// must be there: a file by its path, a test by its function, a row of a table by (part of) its name.
#[test]
fn what_the_security_page_names_is_there() {
    let root = root();
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let tests: Vec<_> =
        all(&["src", "cli", "tests"]).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let anywhere = |text: &str| tests.iter().any(|file| file.contains(text));
    let is_path = |name: &str| {
        let ending = [".rs", ".md", ".yaml", ".toml", ".lock"].iter().any(|ending| name.ends_with(ending));
        let folder = ["src/", "tests/", "scripts/", "docs/"].iter().any(|folder| name.starts_with(folder));
        ending || folder || name == "fuzz"
    };
    let is_test = |name: &str| {
        name.matches('_').count() >= 3
            && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let (mut missing, mut found) = (Vec::new(), 0);
    for line in page.lines() {
        for name in between(line, '`') {
            let there = match name {
                path if is_path(path) => root.join(path).exists(),
                test if is_test(test) => anywhere(&format!("fn {test}(")),
                _ => continue,
            };
            found += 1;
            if !there {
                missing.push(name);
            }
        }
        for row in between(line, '"') {
            found += 1;
            if !anywhere(row) {
                missing.push(row);
            }
        }
    }
    println!("SECURITY.md names {found} files and tests");
    assert!(found > 150, "the page is read: {found}");
    assert!(missing.is_empty(), "named in SECURITY.md, and not there: {missing:#?}");
}
