//! How much of an answer Envoy keeps before Lychgate sees it, in what is shipped.

use std::fs;
use std::path::{Path, PathBuf};

use lychgate::host::MAX_BODY_BYTES;
use lychgate_tests::envoy::root;

const NAME: &str = "http.async_response_buffer_limit: ";

/// What fetches something, as a policy has it.
const FETCHES: [&str; 4] = ["openIdConnectUrl:", "introspection:", "remote_jwks:", "revocation:"];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "md") {
            found.push(path);
        }
    }
}

/// The bootstraps in a file: the file itself, or its blocks of YAML.
fn bootstraps(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let blocks: Vec<String> = if path.extension().is_some_and(|extension| extension == "md") {
        let blocks = text.split("```yaml\n").skip(1).filter_map(|block| block.split_once("```"));
        blocks.map(|(block, _)| block.to_owned()).collect()
    } else {
        vec![text]
    };
    let is_bootstrap = |block: &String| block.lines().any(|line| line == "static_resources:");
    blocks.into_iter().filter(is_bootstrap).collect()
}

/// Envoy kept 32 MiB of each answer of a broken introspection server, of 256 at once.
#[test]
fn what_is_shipped_bounds_what_envoy_keeps_of_an_answer() {
    let root = root();
    let mut found = vec![root.join("envoy.yaml"), root.join("envoy.native.yaml"), root.join("README.md")];
    ["docs", "examples", "deploy"].iter().for_each(|dir| files(&root.join(dir), &mut found));
    let mut counted = 0;
    for path in found {
        // The policy of a recipe is in another block than its clusters.
        let is_recipe = path.ends_with("docs/recipes/keycloak.md");
        let is_first = path.parent() == Some(root.as_path());
        for bootstrap in bootstraps(&path) {
            let fetches = FETCHES.iter().any(|key| bootstrap.contains(key)) || is_recipe;
            let has_lychgate = bootstrap.contains("lychgate") || is_recipe;
            if !(fetches && has_lychgate || is_first) {
                continue;
            }
            counted += 1;
            let value = bootstrap.split_once(NAME).and_then(|(_, behind)| {
                let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
                digits.parse::<usize>().ok()
            });
            assert_eq!(value, Some(MAX_BODY_BYTES + 65_536), "{}", path.display());
        }
    }
    assert!(counted >= 5, "{counted} bootstraps");
}
