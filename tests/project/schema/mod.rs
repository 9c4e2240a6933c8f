//! The schema of the configuration, docs/lychgate.schema.json, held to the plugin that reads it: what the
//! one takes the other takes, and each knows the keys of the other. That the file is what
//! `lychgate schema` prints is a test of the command.

mod editor;
mod keys;
mod values;

use std::fs;

use jsonschema::Validator;
use lychgate_tests::envoy::root;
use lychgate_tests::{behaviour, book, config_faults};
use serde_json::{Value, json};

pub fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

pub fn schema(file: &str) -> Value {
    serde_json::from_str(&text(file)).expect("JSON")
}

pub const CONFIGURATION: &str = "docs/lychgate.schema.json";
pub const FILES: &str = "docs/envoy.schema.json";

/// The published schemas, which refer to one another by name, as files in one directory do.
struct Published;

impl jsonschema::Retrieve for Published {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.path().as_str().trim_start_matches('/');
        Ok(serde_json::from_str(&fs::read_to_string(root().join("docs").join(name))?)?)
    }
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.with_retriever(Published).build(schema).expect("a schema")
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Files that people start from.
const EXAMPLES: [&str; 10] = [
    "envoy.yaml",
    "envoy.native.yaml",
    "examples/mcp/envoy.yaml",
    "examples/oidc/envoy.yaml",
    "deploy/istio/gateway.yaml",
    "deploy/istio/workload.yaml",
    "deploy/istio/envoyfilter.yaml",
    "deploy/istio/native.yaml",
    "deploy/envoy-gateway/extension-policy.yaml",
    "deploy/envoy-gateway/native.yaml",
];

/// One description of each key: what is said of the configuration is in its own schema alone.
#[test]
fn the_schema_of_files_refers_to_that_of_the_configuration() {
    let files = schema(FILES);
    let definitions: Vec<_> = files["$defs"].as_object().expect("definitions").keys().collect();
    assert_eq!(definitions, ["Part"]);
    let name = CONFIGURATION.strip_prefix("docs/").expect("in docs");
    assert_eq!(files.to_string().matches(&format!("{{\"$ref\":{name:?}}}")).count(), 5);
}

#[test]
fn both_are_schemas() {
    for file in [CONFIGURATION, FILES] {
        let schema = schema(file);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{file}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

#[test]
fn every_configuration_of_the_behaviour_table_fits() {
    let validator = validator(&schema(CONFIGURATION));
    let policies = behaviour::policies();
    for (name, policy) in &policies {
        assert_eq!(faults(&validator, policy), [""; 0], "{name}");
    }
    println!("{} configurations fit the schema", policies.len());
}

#[test]
fn every_file_that_people_start_from_fits_and_none_with_a_mistake_in_it() {
    let validator = validator(&schema(FILES));
    for file in EXAMPLES {
        let good = text(file);
        let found = |text: &str| {
            let parts: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
            parts.iter().flat_map(|part| faults(&validator, part)).collect::<Vec<_>>()
        };
        assert_eq!(found(&good), [""; 0], "{file}");
        // `security` and `users` are in each configuration and nowhere else, `type` in each scheme.
        for (right, wrong) in [
            ("security:", "securty:"),
            ("type: openIdConnect", "type: openid"),
            ("api_keys: partners", "api_keys: 7"),
        ] {
            if good.contains(right) {
                assert_ne!(found(&good.replace(right, wrong)), [""; 0], "{file}: {wrong}");
            }
        }
        assert!(good.contains("security:"), "{file}");
    }
    // Another plugin is not checked, and text is JSON that a schema does not look into.
    let plugin = |name: &str, value: Value| {
        json!({"static_resources": {"listeners": [{"config": {
        "name": name, "vm_config": {"vm_id": name}, "configuration": {"value": value}}}]}})
    };
    assert!(validator.is_valid(&plugin("coraza", json!({"directives": 1}))));
    assert!(!validator.is_valid(&plugin("lychgate", json!({"directives": 1}))));
    assert!(!validator.is_valid(&plugin("other", json!({"rules": 1}))));
    assert!(validator.is_valid(&plugin("lychgate", json!("{\"rules\": []}"))));
    // Another module under our `vm_id` is another module.
    let mut other = plugin("lychgate", json!({"directives": 1}));
    let config = "/static_resources/listeners/0/config";
    *other.pointer_mut(&format!("{config}/name")).expect("it is there") = json!("coraza");
    assert!(!validator.is_valid(&other), "by its `vm_id`, where nothing else says what it is");
    *other.pointer_mut(&format!("{config}/vm_config")).expect("it is there") =
        json!({"vm_id": "lychgate", "code": {"local": {"filename": "coraza.wasm"}}});
    assert!(validator.is_valid(&other));
}

/// The blocks of docs/ that hold a configuration; what else there is, tests/docs knows.
#[test]
fn what_the_documents_show_fits() {
    let (bare, files) = (validator(&schema(CONFIGURATION)), validator(&schema(FILES)));
    let mut fitted = 0;
    for folder in ["docs", "docs/recipes", "docs/migration"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let document = format!("{folder}/{}", entry.expect("readable").file_name().to_string_lossy());
            // The reference is made from the schema itself.
            if !document.ends_with(".md") || document == "docs/reference.md" {
                continue;
            }
            for block in book::blocks(&document).iter().filter(|block| block.language == "yaml") {
                for part in serde_saphyr::from_multiple::<Value>(&block.text).expect("YAML") {
                    let validator = if part["schemes"].is_object() { &bare } else { &files };
                    assert_eq!(faults(validator, &part), [""; 0], "{document}:{}", block.line);
                    fitted += 1;
                }
            }
        }
    }
    assert!(fitted > 15, "{fitted}");
}

/// What a schema can see: an unknown key, one that is missing, one too many, a wrong type or word.
const OF_SHAPE: [&str; 6] =
    ["unknown key", ": expected ", "missing key", ": unknown value", "only one of", "is needed"];

#[test]
fn every_fault_of_shape_is_refused() {
    let validator = validator(&schema(CONFIGURATION));
    let (mut refused, mut others, mut wrong) = (0, 0, Vec::new());
    for fault in config_faults::faults() {
        let Ok(value) = serde_json::from_str::<Value>(&fault.text) else { continue };
        let Err(errors) = lychgate::policy::Policy::compile(fault.text.as_bytes(), &|_| None) else {
            panic!("{}: accepted", fault.name)
        };
        let says: Vec<_> = errors.iter().map(ToString::to_string).collect();
        // What is in a document or in a key of another project is not described.
        let described = |text: &&String| !text.starts_with("openapi.document.") && !text.contains("jwk");
        let of_shape =
            says.iter().filter(described).any(|text| OF_SHAPE.iter().any(|mark| text.contains(mark)));
        match (of_shape, validator.is_valid(&value)) {
            (_, false) if of_shape => refused += 1,
            (true, true) => wrong.push(format!("{}: {says:?}", fault.name)),
            _ => others += 1,
        }
    }
    println!("{refused} faults of shape refused by the schema, {others} of other kinds");
    assert!(wrong.is_empty(), "the schema takes: {wrong:#?}");
    assert!(refused > 60, "{refused}");
}

/// Every object of the schema with examples, and its examples.
fn examples(schema: &Value) -> Vec<(Value, Value)> {
    let defs = schema["$defs"].as_object().expect("definitions");
    let all = defs.iter().map(|(name, own)| (json!({"$ref": format!("#/$defs/{name}"), "$defs": defs}), own));
    let all = all.chain([(schema.clone(), schema)]);
    all.flat_map(|(schema, own)| {
        let list = own["examples"].as_array().cloned().unwrap_or_default();
        list.into_iter().map(move |example| (schema.clone(), example))
    })
    .collect()
}

#[test]
fn every_example_in_it_fits() {
    let examples = examples(&schema(CONFIGURATION));
    for (schema, example) in &examples {
        assert_eq!(faults(&validator(schema), example), [""; 0], "{example}");
    }
    assert!(examples.len() > 25, "{}", examples.len());
}

/// Every key is explained, and every definition.
#[test]
fn everything_in_it_is_described() {
    let schema = schema(CONFIGURATION);
    let defs = schema["$defs"].as_object().expect("definitions");
    for (name, own) in defs.iter().map(|(name, own)| (name.as_str(), own)).chain([("(root)", &schema)]) {
        assert!(own["description"].as_str().is_some_and(|text| text.len() > 5), "{name} has no description");
        for (key, property) in own["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{key} has no description");
        }
    }
}
