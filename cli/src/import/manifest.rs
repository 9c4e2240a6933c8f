//! What a configuration is loaded by: a filter of Envoy's, a WasmPlugin of Istio's, an EnvoyExtensionPolicy of Envoy Gateway's.

use serde_json::{Value, json};

use super::yaml::Part;
use crate::document::Node;

/// A JSON value as a part of a file.
pub(super) fn value(value: Value) -> Part {
    match value {
        Value::Object(members) => {
            Part::Object(members.into_iter().map(|(key, own)| (key, self::value(own))).collect())
        }
        Value::Array(items) => Part::Array(items.into_iter().map(self::value).collect()),
        other => Part::Value(other),
    }
}

fn object(members: Vec<(&str, Part)>) -> Part {
    Part::Object(members.into_iter().map(|(key, part)| (key.to_owned(), part)).collect())
}

/// The HTTP filter.
pub(super) fn wasm_filter(sections: Vec<(String, Part)>) -> Part {
    let mut configuration =
        vec![("@type".to_owned(), Part::Value("type.googleapis.com/google.protobuf.Struct".into()))];
    configuration.push(("value".to_owned(), Part::Object(sections)));
    let config = object(vec![
        ("name", Part::Value("lychgate".into())),
        ("failure_policy", Part::Value("FAIL_RELOAD".into())),
        ("allow_on_headers_stop_iteration", Part::Value(true.into())),
        (
            "vm_config",
            value(json!({
                "vm_id": "lychgate", "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": "dist/lychgate.wasm"}},
            })),
        ),
        ("configuration", Part::Object(configuration)),
    ]);
    let typed = object(vec![
        ("@type", Part::Value("type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm".into())),
        ("config", config),
    ]);
    object(vec![("name", Part::Value("lychgate".into())), ("typed_config", typed)])
}

/// A WasmPlugin for the same proxies.
pub(super) fn wasm_plugin(
    name: &str,
    (namespace, target): &(String, Value),
    sections: Vec<(String, Part)>,
) -> Part {
    let mut metadata = json!({"name": name});
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.as_str().into();
    }
    let mut spec: Vec<(String, Part)> = Vec::new();
    spec.extend(target.as_object().into_iter().flatten().map(|(key, own)| (key.clone(), value(own.clone()))));
    for (key, own) in [
        ("type", "HTTP"),
        ("phase", "AUTHN"),
        ("url", "oci://registry.example/lychgate:0.1.0"),
        ("failStrategy", "FAIL_RELOAD"),
    ] {
        spec.push((key.to_owned(), Part::Value(own.into())));
    }
    spec.push(("pluginConfig".to_owned(), Part::Object(sections)));
    object(vec![
        ("apiVersion", Part::Value("extensions.istio.io/v1alpha1".into())),
        ("kind", Part::Value("WasmPlugin".into())),
        ("metadata", value(metadata)),
        ("spec", Part::Object(spec)),
    ])
}

/// An EnvoyExtensionPolicy for the same routes.
pub(super) fn extension_policy(policy: &Node, sections: Vec<(String, Part)>) -> Part {
    let metadata = policy
        .value
        .get("metadata")
        .map_or_else(|| value(json!({"name": "lychgate"})), |node| Part::of(&node.value));
    let mut spec: Vec<(String, Part)> = Vec::new();
    for key in ["targetRef", "targetRefs", "targetSelectors"] {
        spec.extend(policy.value.at(&["spec", key]).map(|own| (key.to_owned(), Part::of(&own.value))));
    }
    let wasm = object(vec![
        ("name", Part::Value("lychgate".into())),
        ("failOpen", Part::Value(false.into())),
        ("code", value(json!({"type": "Image", "image": {"url": "registry.example/lychgate:0.1.0"}}))),
        ("config", Part::Object(sections)),
    ]);
    spec.push(("wasm".to_owned(), Part::Array(vec![wasm])));
    object(vec![
        ("apiVersion", Part::Value("gateway.envoyproxy.io/v1alpha1".into())),
        ("kind", Part::Value("EnvoyExtensionPolicy".into())),
        ("metadata", metadata),
        ("spec", Part::Object(spec)),
    ])
}
