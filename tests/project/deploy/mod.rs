//! What people copy into their cluster: deploy/. Each resource fits its schema, each configuration in it
//! is a policy, and what Envoy would get of it, Envoy takes.

use std::fs;
use std::path::PathBuf;

use lychgate::policy::Policy;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, root};
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

mod schema;

use schema::faults;

fn yaml(file: &str) -> Value {
    let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Istio's schema of a WasmPlugin's `spec`; it is not ours to copy.
fn istio_schema() -> Option<Value> {
    let folder = std::env::var_os("LYCHGATE_VECTORS");
    let folder = folder.map_or_else(|| root().join("../shared/vectors"), PathBuf::from);
    let file = folder.join("istio/wasmplugin-crd.yaml");
    let Ok(text) = fs::read_to_string(&file) else {
        println!(
            "SKIPPED: Istio's WasmPlugin schema is missing; put istio/wasmplugin-crd.yaml into a folder and name \
             it by LYCHGATE_VECTORS"
        );
        return None;
    };
    let crd: Value = serde_saphyr::from_str(&text).unwrap();
    Some(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone())
}

const PLUGINS: [&str; 2] = ["deploy/istio/gateway.yaml", "deploy/istio/workload.yaml"];

#[test]
fn every_wasm_plugin_fits_istios_schema() {
    let Some(schema) = istio_schema() else { return };
    for file in PLUGINS {
        let plugin = yaml(file);
        assert_eq!(
            (&plugin["apiVersion"], &plugin["kind"]),
            (&json!("extensions.istio.io/v1alpha1"), &json!("WasmPlugin"))
        );
        assert_eq!(faults(&schema, &plugin["spec"]), [""; 0], "{file}");
    }
    // That the schema says no where it should.
    for (pointer, bad) in [
        ("/phase", json!("AUTHENTICATION")),
        ("/failStrategy", json!("FAIL_RETRY")),
        ("/sha256", json!("sha256:00")),
        ("/vmConfig/env/0/valueFrom", json!("SECRET")),
        ("/pluginConfig", json!("text")),
        ("/url", json!("")),
    ] {
        let mut spec = yaml(PLUGINS[0])["spec"].clone();
        *spec.pointer_mut(pointer).expect("it is there") = bad;
        assert_eq!(faults(&schema, &spec).len(), 1, "{pointer}");
    }
    let mut spec = yaml(PLUGINS[0])["spec"].clone();
    spec["vmConfig"]["environment"] = json!([]);
    assert_eq!(faults(&schema, &spec).len(), 1, "an unknown member");
}

#[test]
fn every_resource_fails_closed_and_before_authorisation() {
    for file in PLUGINS {
        let spec = &yaml(file)["spec"];
        assert_eq!(spec["phase"], "AUTHN", "{file}");
        assert_eq!(spec["failStrategy"], "FAIL_RELOAD", "{file}");
        assert_eq!(spec["sha256"].as_str().map(str::len), Some(64), "{file}");
        // One or the other says what it applies to; Istio takes no more.
        assert_ne!(spec["selector"].is_object(), spec["targetRefs"].is_array(), "{file}");
        for variable in spec["vmConfig"]["env"].as_array().into_iter().flatten() {
            assert_eq!(variable["valueFrom"], "HOST", "{file}");
            assert!(variable.get("value").is_none(), "{file}: a secret is in it");
        }
    }
    let wasm = &yaml("deploy/envoy-gateway/extension-policy.yaml")["spec"]["wasm"][0];
    assert_eq!(wasm["failOpen"], false);
    assert_eq!(wasm["code"]["type"], "Image");
    assert_eq!(wasm["code"]["image"]["sha256"].as_str().map(str::len), Some(64));
}

/// A remote module that cannot be fetched lets requests through.
#[test]
fn every_native_module_is_a_local_file() {
    let [proxy, policy] = gateway_native();
    let module = &proxy["spec"]["dynamicModules"][0];
    assert_eq!(module["source"]["type"], "Local");
    assert_eq!(
        (&module["doNotClose"], &module["source"]["local"]["libraryName"]),
        (&json!(true), &json!("lychgate"))
    );
    assert_eq!(policy["spec"]["dynamicModules"][0]["name"], module["name"]);
    let deployment = &proxy["spec"]["provider"]["kubernetes"]["envoyDeployment"];
    let container = &deployment["container"];
    assert_eq!(container["env"][0]["name"], "ENVOY_DYNAMIC_MODULES_SEARCH_PATH");
    assert_eq!(container["env"][0]["value"], container["volumeMounts"][0]["mountPath"]);
    assert_eq!(container["volumeMounts"][0]["readOnly"], true);
    let image = deployment["initContainers"][0]["image"].as_str().unwrap();
    assert!(image.contains("@sha256:"), "{image}");
    let filter = filter("deploy/istio/native.yaml");
    let module = &filter["typed_config"]["dynamic_module_config"];
    assert_eq!(*module, json!({"name": "lychgate", "do_not_close": true}));
    for file in ["deploy/istio/native.yaml", "deploy/envoy-gateway/native.yaml", "envoy.native.yaml"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(!text.contains("remote:"), "{file}");
    }
}

/// The resources of the operator and of the policy.
fn gateway_native() -> [Value; 2] {
    let text = fs::read_to_string(root().join("deploy/envoy-gateway/native.yaml")).unwrap();
    let documents: Vec<&str> = text.split("\n---\n").collect();
    let [proxy, policy] = documents.as_slice() else { panic!("two resources") };
    let resources = [*proxy, *policy].map(|text| serde_saphyr::from_str::<Value>(text).unwrap());
    assert_eq!(resources.each_ref().map(|own| &own["kind"]), ["EnvoyProxy", "EnvoyExtensionPolicy"]);
    resources
}

/// Two demonstrations, and one policy: what the README shows of the one holds for the other.
#[test]
fn both_demonstrations_have_one_policy() {
    let filter = |file: &str| {
        let pointer = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config";
        yaml(file).pointer(pointer).expect("a filter").clone()
    };
    let wasm = &filter("envoy.yaml")["config"]["configuration"]["value"];
    assert_eq!(filter("envoy.native.yaml")["filter_config"]["value"], *wasm);
}

fn filter(file: &str) -> Value {
    let patch = &yaml(file)["spec"]["configPatches"][0];
    assert_eq!(
        (&patch["applyTo"], &patch["patch"]["operation"]),
        (&json!("HTTP_FILTER"), &json!("INSERT_FIRST"))
    );
    patch["patch"]["value"].clone()
}

#[test]
fn every_configuration_in_it_is_a_policy() {
    let config = &filter("deploy/istio/envoyfilter.yaml")["typed_config"]["config"];
    let mut configurations = vec![("envoyfilter", config["configuration"]["value"].clone())];
    configurations.extend(PLUGINS.map(|file| (file, yaml(file)["spec"]["pluginConfig"].clone())));
    let policy = yaml("deploy/envoy-gateway/extension-policy.yaml");
    configurations.push(("extension-policy", policy["spec"]["wasm"][0]["config"].clone()));
    let native = &filter("deploy/istio/native.yaml")["typed_config"]["filter_config"]["value"];
    configurations.push(("native at Istio", native.clone()));
    let [_, policy] = gateway_native();
    configurations.push(("native at Envoy Gateway", policy["spec"]["dynamicModules"][0]["config"].clone()));
    for (name, configuration) in configurations {
        let environment = |name: &str| (name == "LYCHGATE_SECRET").then(|| keys::SECRET.to_owned());
        let compiled = Policy::compile(configuration.to_string().as_bytes(), &environment);
        let faults = compiled.err().unwrap_or_default();
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, [""; 0], "{name}");
        assert!(configuration["schemes"].is_object(), "{name}");
    }
}

#[test]
fn what_the_envoyfilter_puts_in_works_in_a_real_envoy() {
    let mut filter = filter("deploy/istio/envoyfilter.yaml");
    let vm = &mut filter["typed_config"]["config"]["vm_config"];
    vm["code"]["local"]["filename"] = "dist/lychgate.wasm".into();
    works_in_a_real_envoy(&filter);
    works_in_a_real_envoy(&self::filter("deploy/istio/native.yaml"));
}

fn works_in_a_real_envoy(filter: &Value) {
    let upstream = Upstream::start();
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let types = "type.googleapis.com/envoy.extensions.filters";
    let manager = json!({
        "@type": format!("{types}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "gateway",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
        "http_filters": [filter, {"name": "router", "typed_config": {"@type": format!("{types}.http.router.v3.Router")}}],
    });
    let bootstrap = json!({
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": [{"name": "gateway", "address": address(0), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [{"name": "upstream", "type": "STATIC", "load_assignment": {"cluster_name": "upstream",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(upstream.addr().port())}}]}]}}],
        },
    });
    let secret = [("LYCHGATE_SECRET", keys::SECRET)];
    let envoy = Envoy::start_with(1, &bootstrap.to_string(), "json", &secret);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let status = |request: Request| envoy.send("gateway", &request).status;
    assert_eq!(status(Request::get("/items/7")), 401);
    let token = || Token::reader().claim("aud", "items");
    assert_eq!(status(Request::get("/items/7").bearer(token().sign("HS256"))), 200);
    assert_eq!(status(Request::get("/items/7").bearer(token().sign_by_stranger("HS256"))), 401);
    assert_eq!(
        status(Request::get("/items/7").bearer(Token::reader().sign("HS256"))),
        401,
        "for another service"
    );
    assert_eq!(status(Request::get("/items/7").header("X-API-Key", "demo-key-please-change")), 200);
    assert_eq!(status(Request::get("/items/7").header("X-API-Key", "wrong")), 403);
    assert_eq!(status(Request::get("/health")), 200);
}
