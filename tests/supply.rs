//! What the module is made of: the bill of materials says it, no more and no less.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets the unexpected stops at once"
)]

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::process::Command;

use lychgate_testkit::envoy::root;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[test]
fn the_bill_of_materials_names_what_is_linked_in_and_nothing_else() {
    run("python3", &["scripts/sbom"]);
    let written = fs::read_to_string(root().join("dist/lychgate.cdx.json")).unwrap();
    let bom: Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!((text(&bom["bomFormat"]), text(&bom["specVersion"])), ("CycloneDX", "1.6"));

    let module = fs::read(root().join("dist/lychgate.wasm")).unwrap();
    let sha256: String = Sha256::digest(module).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bom["metadata"]["component"]["hashes"][0]["content"], sha256.as_str());

    // Cargo's own word of it.
    let tree = run(
        env!("CARGO"),
        &[
            "tree",
            "--locked",
            "-p",
            "lychgate",
            "--target",
            "wasm32-wasip1",
            "--edges",
            "normal,no-proc-macro",
        ],
    );
    let name = |line: &str| {
        let mut words = line.trim_start_matches(['│', '├', '└', '─', ' ', '\u{a0}']).split(' ');
        Some(format!("{}@{}", words.next()?, words.next()?.trim_start_matches('v')))
    };
    let mut linked: BTreeSet<_> = tree.lines().filter_map(name).collect();
    assert!(linked.remove(&format!("lychgate@{}", env!("CARGO_PKG_VERSION"))));
    let components = bom["components"].as_array().unwrap();
    let mut listed = BTreeSet::new();
    for component in components {
        let key = format!("{}@{}", text(&component["name"]), text(&component["version"]));
        let is_crate = text(&component["purl"]) == format!("pkg:cargo/{key}");
        assert!(is_crate || key.starts_with("swagger-ui-dist@"), "{component}");
        assert!(listed.insert(key), "twice: {component}");
        assert!(component["licenses"].is_array(), "{component}");
        assert!(!is_crate || text(&component["hashes"][0]["content"]).len() == 64, "{component}");
    }
    let ours: Vec<_> = listed.difference(&linked).collect();
    assert!(matches!(ours[..], [ui] if ui.starts_with("swagger-ui-dist@")), "beyond cargo's: {ours:?}");
    assert_eq!(listed.len(), linked.len() + 1, "missing: {:?}", linked.difference(&listed));
    println!("bill of materials: {} components", listed.len());

    // Every edge leads somewhere, and everything is used by something.
    let references: HashSet<_> = components.iter().map(|component| text(&component["bom-ref"])).collect();
    let mut used = HashSet::new();
    for dependency in bom["dependencies"].as_array().unwrap() {
        used.extend(dependency["dependsOn"].as_array().unwrap().iter().map(text));
    }
    assert_eq!(used, references);
    assert!(!written.contains(root().canonicalize().unwrap().to_str().unwrap()), "it names the checkout");
}
