//! Whether each Envoy loads the file, what it has that the file needs, and what happens if there is no file.

use std::fs;
use std::path::{Path, PathBuf};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Options, binary, is_before, is_envoy, root};
use lychgate_tests::http::Request;
use object::{Object as _, ObjectSymbol as _};
use serde_json::json;

use super::{OLDEST, TYPES, is_unknown, native, policy};

/// An Envoy whose filter is to be fetched from a cluster where nothing listens.
fn fetched(nack: bool, upstream: &Upstream) -> String {
    let endpoint = |port: u16| {
        json!([{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": "127.0.0.1", "port_value": port}}}}]}])
    };
    let cluster = |name: &str, port: u16| {
        json!({"name": name, "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": endpoint(port)}})
    };
    let module = json!({
        "module": {"remote": {
            "http_uri": {"uri": "http://127.0.0.1/liblychgate.so", "cluster": "nowhere", "timeout": "0.2s"},
            "sha256": "0".repeat(64),
            "retry_policy": {"num_retries": 0},
        }},
        "nack_on_cache_miss": nack,
    });
    json!({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {
            "clusters": [cluster("upstream", upstream.addr().port()), cluster("nowhere", 1)],
            "listeners": [{
                "name": "gate",
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
                        "stat_prefix": "gate",
                        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"],
                            "routes": [{"match": {"prefix": ""}, "route": {"cluster": "upstream"}}]}]},
                        "http_filters": [
                            {"name": "lychgate", "typed_config": {
                                "@type": format!("{TYPES}.filters.http.dynamic_modules.v3.DynamicModuleFilter"),
                                "dynamic_module_config": module,
                                "filter_name": "lychgate",
                                "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct",
                                    "value": policy("token")},
                            }},
                            {"name": "envoy.filters.http.router", "typed_config": {
                                "@type": format!("{TYPES}.filters.http.router.v3.Router")}},
                        ],
                    },
                }]}],
            }],
        },
    })
    .to_string()
}

/// Why the documents say: take a local file. Should this fail because the first Envoy refuses, they can say less.
#[test]
fn a_module_that_cannot_be_fetched_lets_requests_through_unless_envoy_is_told_to_refuse() {
    if is_before(38, "1.37 has no calls and no metadata lists for native modules") {
        return;
    }
    let page = fs::read_to_string(root().join("docs/native.md")).unwrap();
    assert!(page.contains("every request reaches the upstream"), "the page warns of it");
    assert!(page.contains("nack_on_cache_miss: true"), "and says what to do");
    let manifest = fs::read_to_string(root().join("envoy.native.yaml")).unwrap();
    assert!(!manifest.contains("remote:"), "what is shipped takes a local file");
    let upstream = Upstream::start();
    let open = Envoy::start_with(1, &fetched(false, &upstream), "json", &[]);
    let open = open.unwrap_or_else(|failure| panic!("{}", failure.log));
    assert_eq!(open.send("gate", &Request::get("/")).status, 200, "Envoy skips a filter that it has not");
    let refused = Envoy::start_with(1, &fetched(true, &upstream), "json", &[]);
    assert!(refused.is_err(), "told to, it refuses the configuration");
}

#[test]
fn what_is_to_be_fetched_is_refused_by_name_where_envoy_makes_no_calls_for_modules() {
    if is_unknown() {
        return;
    }
    let upstream = Upstream::start();
    let mut fetching = policy("token");
    fetching["schemes"]["token"]["jwt"] =
        json!({"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}});
    let options = Options { clusters: vec![("idp".into(), upstream.addr())], ..Options::default() };
    match Envoy::start(&[native("gate", fetching)], upstream.addr(), &options) {
        Ok(_) => assert!(!is_envoy(OLDEST), "it would wait for keys for ever"),
        Err(failure) => {
            assert!(is_envoy(OLDEST), "{}", failure.log);
            assert!(
                failure.log.contains("schemes.token.jwt.remote_jwks: what is fetched"),
                "{}",
                failure.log
            );
        }
    }
}

/// The Envoys of versions with this ABI below `.tools/`.
fn installed() -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_served = |path: &PathBuf| {
        let minor =
            path.file_name().and_then(|name| name.to_str()?.strip_prefix("envoy-1.")?.split('.').next());
        minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 37)
    };
    let libraries =
        entries(&root().join(".tools")).filter(is_served).flat_map(|path| entries(&path.join("lib")));
    libraries.map(|path| path.join("site-packages/envoy/_bin/envoy")).filter(|path| path.exists()).collect()
}

/// What one of these Envoys does not have keeps the module from being loaded there: what not all have is to be
/// looked for at run time. The Envoys are the one that the suite runs with, and those that `scripts/envoy` has installed:
/// `make e2e-native-matrix` installs one of each version.
#[test]
fn the_module_needs_no_function_that_an_envoy_does_not_have() {
    if is_unknown() {
        return;
    }
    let module =
        fs::read(root().join("dist/liblychgate.so")).expect("dist/liblychgate.so: run `make module` first");
    let module = object::File::parse(&*module).unwrap();
    let name = |symbol: &object::Symbol<'_, '_>| symbol.name().unwrap_or_default().to_owned();
    let is_envoy_s = |name: &String| name.starts_with("envoy_dynamic_module_");
    let needed: Vec<_> =
        module.dynamic_symbols().filter(|s| s.is_undefined()).map(|s| name(&s)).filter(is_envoy_s).collect();
    assert!(needed.len() > 20, "{needed:?}");
    let exported: Vec<_> = module.dynamic_symbols().filter(|s| !s.is_undefined()).map(|s| name(&s)).collect();
    let foreign: Vec<_> = exported.iter().filter(|name| !is_envoy_s(name)).collect();
    assert!(foreign.is_empty(), "what could meet Envoy's own: {foreign:?}");
    for envoy in std::iter::once(binary().to_owned()).chain(installed()) {
        let bytes = fs::read(&envoy).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let has: std::collections::BTreeSet<_> =
            file.dynamic_symbols().filter(|s| !s.is_undefined()).map(|s| name(&s)).collect();
        let missing: Vec<_> = needed.iter().filter(|name| !has.contains(*name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", envoy.display());
        println!("{} has all {} functions", envoy.display(), needed.len());
    }
}
