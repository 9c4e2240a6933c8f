//! docs/: what people copy out of it works, and what it shows is what they will see.

mod around;
mod beside;
mod links;
mod pictures;

use std::fs;

use lychgate::policy::Policy;
use lychgate_tests::book::{Block, blocks, read, run, steps, try_out, try_out_all};
use lychgate_tests::demonstration::{Change, Demonstration, changed, secret};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, root};
use lychgate_tests::http::Request;
use lychgate_tests::issuer::Issuer;
use serde_json::Value;

/// Every document in docs/, as a path in the repository.
pub fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder") {
            let entry = entry.expect("readable");
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(name);
            } else if name.ends_with(".md") {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// What a block of YAML is to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A plugin configuration.
    Configuration,
    /// A whole Envoy, or clusters for one.
    Envoy,
    /// An HTTP filter of Envoy's own.
    Filter,
    /// Kubernetes resources.
    Resources,
    /// `capability_restriction_config`, which tests/module/interface.rs holds to the module.
    Capabilities,
    /// Members of a connection manager, as they are in `envoy.yaml`.
    Manager,
    /// How stats are tagged and scraped, which tests/envoy/observability tries with a real Prometheus.
    Observation,
}

fn kind(document: &str, block: &Block) -> Kind {
    let has = |key: &str| block.text.lines().any(|line| line.starts_with(key));
    match () {
        () if has("kind: ") => Kind::Resources,
        () if has("static_resources:") || has("layered_runtime:") => Kind::Envoy,
        () if has("early_header_mutation_extensions:") => Kind::Manager,
        () if has("typed_config:") => Kind::Filter,
        () if has("capability_restriction_config:") => Kind::Capabilities,
        () if has("schemes:") => Kind::Configuration,
        () if ["stats_config:", "proxy.istio.io/config:", "scrape_configs:"].iter().any(|key| has(key)) => {
            Kind::Observation
        }
        () => panic!("{document}:{}: YAML without a use", block.line),
    }
}

/// Every block of YAML, the README's too. The reference is made from the schema, whose examples are tested
/// there.
fn yaml_blocks() -> Vec<(String, Block, Kind)> {
    let documents = documents().into_iter().filter(|document| document != "docs/reference.md");
    let all = documents.chain(["README.md".to_owned()]).flat_map(|document| {
        let blocks = blocks(&document).into_iter().filter(|block| block.language == "yaml");
        blocks
            .map(move |block| (document.clone(), block.clone(), kind(&document, &block)))
            .collect::<Vec<_>>()
    });
    all.collect()
}

fn is_a_policy(place: &str, configuration: &Value) {
    let environment = |_: &str| Some(secret());
    if let Err(errors) = Policy::compile(configuration.to_string().as_bytes(), &environment) {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{place}: {errors:#?}");
    }
}

/// The members of the connection manager of `envoy.yaml` that `part` has.
fn shipped_manager(part: &Value) -> Value {
    let shipped = std::fs::read_to_string(root().join("envoy.yaml")).expect("it is there");
    let shipped: Value = serde_saphyr::from_str(&shipped).expect("YAML");
    let manager =
        &shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let names = part.as_object().expect("an object").keys();
    names.map(|name| (name.clone(), manager[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn every_configuration_is_one_that_the_plugin_takes() {
    let mut judged = 0;
    for (document, block, kind) in yaml_blocks() {
        let place = format!("{document}:{}", block.line);
        let parts: Vec<Value> =
            serde_saphyr::from_multiple(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
        for part in &parts {
            match (kind, part["kind"].as_str()) {
                (Kind::Configuration, _) => is_a_policy(&place, part),
                (Kind::Resources, Some("WasmPlugin")) => is_a_policy(&place, &part["spec"]["pluginConfig"]),
                // Istio's own; there is no Istio here to ask.
                (
                    Kind::Resources,
                    Some(
                        "ServiceEntry" | "DestinationRule" | "RequestAuthentication" | "AuthorizationPolicy",
                    ),
                ) => assert!(part["spec"].is_object() && part["metadata"]["name"].is_string(), "{place}"),
                (Kind::Resources, other) => panic!("{place}: {other:?}"),
                (Kind::Manager, _) => assert_eq!(*part, shipped_manager(part), "{place}: as in envoy.yaml"),
                (Kind::Envoy | Kind::Filter | Kind::Capabilities | Kind::Observation, _) => continue,
            }
            judged += 1;
        }
    }
    println!("docs: {judged} configurations and resources judged");
    assert!(judged > 12, "{judged}");
}

#[test]
fn every_envoy_configuration_is_one_that_envoy_takes() {
    let environment = [("LYCHGATE_SECRET", &*secret())];
    let mut validated = 0;
    for (document, block, kind) in yaml_blocks() {
        let text = match kind {
            Kind::Envoy => block.text.clone(),
            Kind::Filter => changed(&Change::Filter(&block.text)),
            Kind::Configuration => changed(&Change::Configuration(&block.text)),
            Kind::Resources | Kind::Manager | Kind::Capabilities | Kind::Observation => continue,
        };
        let taken = Envoy::validate(&text, &environment);
        assert!(taken.is_ok(), "{document}:{}: {}", block.line, taken.unwrap_err().log);
        validated += 1;
    }
    println!("docs: {validated} Envoy configurations validated");
    assert!(validated > 12, "{validated}");
    // That Envoy says no where it should.
    let bad =
        changed(&Change::Filter("name: x\ntyped_config: {\"@type\": type.googleapis.com/unheard.of}\n"));
    assert!(Envoy::validate(&bad, &environment).is_err());
}

/// The documents whose commands are for a demonstration of their own.
fn has_its_own_test(document: &str) -> bool {
    matches!(document, "docs/start.md" | "docs/recipes/oidc.md" | "docs/beside.md")
}

#[test]
fn a_new_user_sees_what_the_start_shows() {
    try_out_all("docs/start.md", &Demonstration::start());
}

#[test]
fn the_openid_provider_is_at_work_as_shown() {
    let Some(issuer) = Issuer::start() else { return };
    let environment = [("GATE_SECRET", "gate secret & more")];
    let port = Some(issuer.addr().port());
    let demonstration = Demonstration::of("examples/oidc/envoy.yaml", &environment, port);
    try_out_all("docs/recipes/oidc.md", &demonstration);
}

#[test]
fn every_recipe_gives_what_it_says_with_its_configuration_in_envoy_yaml() {
    let mut tried = 0;
    for document in documents().into_iter().filter(|document| !has_its_own_test(document)) {
        let mut demonstration = None;
        for block in blocks(&document) {
            match block.language.as_str() {
                "yaml" if kind_or_none(&document, &block) == Some(Kind::Configuration) => {
                    demonstration = Some(block);
                }
                "console" => {
                    let place = format!("{document}:{}", block.line);
                    let configuration =
                        demonstration.as_ref().unwrap_or_else(|| panic!("{place}: with what?"));
                    let demonstration = Demonstration::with(&Change::Configuration(&configuration.text));
                    tried += try_out(&document, &block, &demonstration);
                }
                _ => {}
            }
        }
    }
    println!("docs: {tried} commands of recipes tried");
    assert!(tried > 15, "{tried}");
}

fn kind_or_none(document: &str, block: &Block) -> Option<Kind> {
    (document != "docs/reference.md").then(|| kind(document, block))
}

/// The pages from Envoy's own filters: Lychgate allows exactly what the filter allows.
#[test]
fn each_migration_allows_what_the_filter_before_it_allowed() {
    for document in
        ["jwt_authn", "api_key_auth", "basic_auth"].map(|name| format!("docs/migration/{name}.md"))
    {
        let blocks = blocks(&document);
        let of = |wanted: Kind| {
            let found =
                blocks.iter().find(|block| block.language == "yaml" && kind(&document, block) == wanted);
            found.unwrap_or_else(|| panic!("{document} has no {wanted:?}"))
        };
        let before = Demonstration::with(&Change::Filter(&of(Kind::Filter).text));
        let (mut let_in, mut refused) = (0, 0);
        for step in blocks.iter().filter(|block| block.language == "console").flat_map(steps) {
            // The demonstration's upstream answers with the path.
            let passes = |seen: &str| seen.contains("\"path\":");
            let seen = run(&step.command, &before);
            assert_eq!(passes(&seen), passes(&step.output), "{document}: {}\nbefore: {seen}", step.command);
            if passes(&seen) { let_in += 1 } else { refused += 1 }
        }
        println!("{document}: {let_in} allowed and {refused} refused by both");
        assert!(let_in > 0 && refused > 1, "{document}");
    }
}

/// What is not run is marked as such: a command whose output is not shown is in a `sh` block, and calls no
/// gate.
#[test]
fn every_curl_is_run() {
    for document in documents() {
        for block in blocks(&document) {
            let is_run = block.language == "console";
            assert!(
                is_run || !block.text.contains("curl "),
                "{document}:{}: a curl that no test runs",
                block.line
            );
            let known = ["console", "yaml", "sh", "text", "python", "json", "dockerfile"];
            assert!(
                known.contains(&block.language.as_str()),
                "{document}:{}: {:?}",
                block.line,
                block.language
            );
        }
        assert!(!read(&document).contains("TODO"), "{document}");
    }
}

/// The least Envoy that the start shows, before a service on the port that it names.
#[test]
fn the_least_envoy_of_the_start_protects_a_service() {
    let service = Upstream::start();
    let start = blocks("docs/start.md");
    let least = start.iter().find(|block| block.text.contains("static_resources:")).expect("it is there");
    let port = |own: &str| format!("port_value: {own}");
    let text = least.text.replace(&port("10000"), &port("0")).replace(&port("9901"), &port("0"));
    let text = text.replace(&port("8000"), &port(&service.addr().port().to_string()));
    let envoy = Envoy::start_with(1, &text, "yaml", &[]).unwrap_or_else(|failure| panic!("{}", failure.log));
    let status = |request: Request| envoy.send("gate", &request).status;
    assert_eq!(status(Request::get("/anything")), 403);
    assert_eq!(status(Request::get("/anything").header("X-API-Key", "demo-key-please-change")), 200);
    assert_eq!(status(Request::get("/health")), 200);
}
