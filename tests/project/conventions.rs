//! The conventions of this repository that a test can check.

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

pub fn all(dirs: &[&str]) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    dirs.iter().for_each(|dir| sources(&root.join(dir), &mut found));
    found
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for path in all(&["src", "cli/src", "cli/tests", "module/src", "fuzz", "tests"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

/// What is between backticks, or between quotation marks.
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

/// Every file of the repository below `dir`, without what is built, fetched or locked by a tool.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 8] =
        [".git", ".tools", "Cargo.lock", "corpus", "dist", "mutants.out", "node_modules", "target"];
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A tool knows its registry. A host in a file would be one more thing to change behind a mirror.
#[test]
fn no_file_names_the_host_of_a_package_registry() {
    // In parts, so that this file names none either.
    let hosts = [
        ("crates", "io"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "com"),
        ("npmjs", "org"),
        ("proxy.golang", "org"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("docker", "io"),
    ]
    .map(|(name, domain)| format!("{name}.{domain}"));
    let mut found = Vec::new();
    files(&root(), &mut found);
    assert!(found.len() > 300, "the repository is read: {} files", found.len());
    for path in found {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let named: Vec<_> = hosts.iter().filter(|host| text.contains(host.as_str())).collect();
        assert!(named.is_empty(), "{} names {named:?}", path.display());
    }
}

/// Words of a private language, and what to write in their place. Code in backticks is not looked at.
const RIDDLES: [(&str, &str); 9] = [
    ("anybody", "the client, the user, the component"),
    ("everybody", "all clients, all users"),
    ("nobody", "no client, no user; `None` for a value"),
    ("somebody", "a client, a user"),
    ("whoever", "the client that, the component that"),
    ("the gate", "Lychgate, the filter"),
    ("; nothing", "a sentence of its own; `None` for a value"),
    ("stands in", "is in"),
    ("dear", "expensive"),
];

/// Whether these words are in a text, and not as parts of longer ones.
fn has_words(text: &str, words: &str) -> bool {
    let is_free = |end: Option<char>, beyond: Option<char>| {
        !(end.is_some_and(char::is_alphanumeric) && beyond.is_some_and(char::is_alphanumeric))
    };
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        is_free(words.chars().next(), before.chars().last())
            && is_free(words.chars().last(), after.chars().next())
    })
}

/// A document is read by people who have not met the authors: the subject is the component or the client.
#[test]
fn the_documents_are_in_plain_words() {
    let root = root();
    let mut pages = Vec::new();
    for folder in ["docs", "examples", "deploy", "scripts", ".github"] {
        files(&root.join(folder), &mut pages);
    }
    let single = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "RATIONALE.md"];
    pages.extend(single.map(|name| root.join(name)));
    pages.extend(["Makefile", "Dockerfile", "envoy.yaml", "deny.toml"].map(|name| root.join(name)));
    // The descriptions in them are in reference.md too.
    let is_schema = |name: &str| name.ends_with(".schema.json");
    let mut riddles = Vec::new();
    for path in pages {
        let name = path.file_name().unwrap().to_string_lossy();
        if is_schema(&name) || name.ends_with(".png") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            // What is outside of backticks, in lower case.
            let words: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
            for (word, instead) in RIDDLES {
                if has_words(&words, word) {
                    let place = path.strip_prefix(&root).unwrap().display().to_string();
                    riddles.push(format!("{place}:{}: {word:?}; write: {instead}", number + 1));
                }
            }
        }
    }
    assert!(riddles.is_empty(), "{riddles:#?}");
}

/// A newcomer opens the files that a guide names.
#[test]
fn the_files_that_the_guides_name_are_there() {
    let root = root();
    let folders =
        ["src/", "cli/", "tests/", "fuzz/", "docs/", "scripts/", "deploy/", "examples/", ".github/"];
    let is_path = |name: &str| {
        // A name in capitals is the reader's own.
        let is_pattern = name.contains([' ', '*', '{']) || name.contains("NAME");
        folders.iter().any(|folder| name.starts_with(folder)) && !is_pattern
    };
    let (mut missing, mut found) = (Vec::new(), 0);
    for guide in ["CONTRIBUTING.md", "RATIONALE.md", "docs/developing.md", "docs/troubleshooting.md"] {
        let page = fs::read_to_string(root.join(guide)).unwrap();
        for name in page.lines().flat_map(|line| between(line, '`')).filter(|name| is_path(name)) {
            found += 1;
            if !root.join(name).exists() {
                missing.push(format!("{guide}: {name}"));
            }
        }
    }
    assert!(found > 50, "the guides are read: {found}");
    assert!(missing.is_empty(), "named, and not there: {missing:#?}");
}
