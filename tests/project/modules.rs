//! The modules of `src/`: none needs one that needs it, and one of them knows a host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lychgate_tests::envoy::root;

use super::conventions::all;

/// What a file says to the compiler: its comments taken out.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> =
        text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect();
    lines.join("\n")
}

/// The core runs without a host: the host's functions exist in Wasm only, and a native test that
/// reached one would not link.
#[test]
fn the_host_s_functions_are_named_in_src_proxy_alone() {
    let shell = root().join("src/proxy");
    for path in all(&["src", "cli/src"]).into_iter().filter(|path| !path.starts_with(&shell)) {
        for name in ["proxy_wasm", "extern \"C\""] {
            assert!(!code(&path).contains(name), "{} names {name}", path.display());
        }
    }
}

/// The first names of the paths that follow `crate::`, also of those in braces.
fn named(after: &str) -> Vec<&str> {
    let name = |text: &'_ str| text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    let Some(group) = after.strip_prefix('{') else { return vec![&after[..name(after)]] };
    let (mut depth, mut names, mut is_first) = (0, Vec::new(), true);
    for (at, sign) in group.char_indices() {
        match sign {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            _ if is_first && !sign.is_whitespace() => {
                is_first = false;
                names.push(&group[at..at + name(&group[at..])]);
            }
            _ => {}
        }
    }
    names
}

/// What each module of `src/` needs of the others, as its code says it, and in which file it does. Tests may need
/// anything.
fn modules() -> BTreeMap<String, BTreeMap<String, String>> {
    let src = root().join("src");
    let mut modules = BTreeMap::<String, BTreeMap<String, String>>::new();
    for path in all(&["src"]) {
        let file = path.strip_prefix(&src).unwrap().with_extension("");
        let is_test = file.to_str().unwrap().ends_with("tests");
        let module = file.iter().next().unwrap().to_str().unwrap();
        if is_test || module == "lib" {
            continue;
        }
        let needs = modules.entry(module.to_owned()).or_default();
        for after in code(&path).split("crate::").skip(1) {
            for other in named(after).into_iter().filter(|other| *other != module) {
                needs.entry(other.to_owned()).or_insert_with(|| path.display().to_string());
            }
        }
    }
    modules
}

/// A module that needs another can be read, tested and changed after it: so there is an order in which all of
/// `src/` can be read.
#[test]
fn no_module_needs_one_that_needs_it() {
    let mut left = modules();
    let all: BTreeSet<_> = left.keys().cloned().collect();
    assert!(all.contains("engine") && left["engine"].contains_key("policy"), "the code is read: {left:?}");
    for (module, needs) in &left {
        let unknown: Vec<_> = needs.keys().filter(|other| !all.contains(*other)).collect();
        assert!(unknown.is_empty(), "{module} needs what is no module: {unknown:?}");
    }
    let mut order = Vec::new();
    while let Some(next) = left
        .iter()
        .find(|(_, needs)| needs.keys().all(|other| order.contains(other)))
        .map(|(next, _)| next.clone())
    {
        left.remove(&next);
        order.push(next);
    }
    println!("{}", order.join(", "));
    // Of the rest, only those are of interest that need one another, and not those that need these.
    left.values_mut().for_each(|needs| needs.retain(|other, _| !order.contains(other)));
    while let Some(last) =
        left.keys().find(|module| !left.values().any(|needs| needs.contains_key(*module))).cloned()
    {
        left.remove(&last);
    }
    assert!(left.is_empty(), "in order: {}; these need one another: {left:#?}", order.join(", "));
}
