//! What goes with the module: the bill of what it is made of, and the image it comes in.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lychgate_tests::envoy::root;
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

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new folder for what is unpacked.
fn unpacked() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lychgate-image-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_bill_of_materials_names_what_is_linked_in_and_nothing_else() {
    run("python3", &["scripts/sbom"]);
    let written = fs::read_to_string(root().join("dist/lychgate.cdx.json")).unwrap();
    let bom: Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!((text(&bom["bomFormat"]), text(&bom["specVersion"])), ("CycloneDX", "1.6"));

    let module = fs::read(root().join("dist/lychgate.wasm")).unwrap();
    assert_eq!(bom["metadata"]["component"]["hashes"][0]["content"], hex_sha256(&module).as_str());

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

/// The bytes of a blob, held against the digest and the size that it is described by.
fn blob(descriptor: &Value) -> Vec<u8> {
    let digest = text(&descriptor["digest"]).strip_prefix("sha256:").expect("SHA-256");
    let bytes = fs::read(root().join("dist/image/blobs/sha256").join(digest)).unwrap();
    assert_eq!(hex_sha256(&bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn json(descriptor: &Value) -> Value {
    serde_json::from_slice(&blob(descriptor)).expect("it is JSON")
}

#[test]
fn the_image_gives_back_the_module_in_both_layouts() {
    run("python3", &["scripts/image"]);
    let module = fs::read(root().join("dist/lychgate.wasm")).unwrap();
    let file = |name: &str| fs::read(root().join("dist/image").join(name)).unwrap();
    assert_eq!(file("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Value = serde_json::from_slice(&file("index.json")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let tagged = |tag: &str| {
        let manifests = index["manifests"].as_array().unwrap().iter();
        let found = manifests.filter(|one| one["annotations"]["org.opencontainers.image.ref.name"] == tag);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{tag}");
        assert_eq!(found[0]["mediaType"], "application/vnd.oci.image.manifest.v1+json");
        json(found[0])
    };

    let compat = tagged(version);
    assert_eq!(compat["annotations"]["module.wasm.image/variant"], "compat");
    assert_eq!(compat["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
    let layers = compat["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1, "FROM scratch");
    assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let folder = unpacked();
    let archive = folder.join("layer.tar");
    fs::write(folder.join("layer.tar.gz"), blob(&layers[0])).unwrap();
    run("gzip", &["-d", folder.join("layer.tar.gz").to_str().unwrap()]);
    let tar = fs::read(&archive).unwrap();
    let archive = archive.to_str().unwrap();
    assert_eq!(run("tar", &["tf", archive]), "plugin.wasm\n");
    run("tar", &["xf", archive, "-C", folder.to_str().unwrap()]);
    assert_eq!(fs::read(folder.join("plugin.wasm")).unwrap(), module);
    fs::remove_dir_all(&folder).unwrap();
    let config = json(&compat["config"]);
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([format!("sha256:{}", hex_sha256(&tar))]));

    let artifact = tagged(&format!("{version}-oci"));
    assert_eq!(artifact["config"]["mediaType"], "application/vnd.module.wasm.config.v1+json");
    let layers = artifact["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2, "as Istio wants it");
    assert_eq!(layers[0]["mediaType"], "application/vnd.module.wasm.content.layer.v1+wasm");
    assert_eq!(blob(&layers[0]), module);
    assert_eq!(layers[1], artifact["config"]);
    assert_eq!(json(&layers[1])["type"], "envoy_proxy");
}
