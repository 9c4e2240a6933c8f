//! What there is to fear of the native module alone: it is code in Envoy itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, binary, is_envoy, root};
use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;
use object::{Object as _, ObjectSymbol as _};
use serde_json::{Value, json};

const TYPES: &str = "type.googleapis.com/envoy.extensions";
const KEY: &str = "key-000000";
/// It has no calls for modules, no lists in metadata and no modules that are fetched.
const OLDEST: &str = "1.37";
const TRIGGER: &str = "x-lychgate-trap";

fn policy(scheme: &str) -> Value {
    json!({
        "schemes": {
            "token": {"type": "http", "scheme": "bearer", "jwt": {"keys": [
                {"alg": "HS256", "secret": lychgate_tests::keys::SECRET},
            ]}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "api_keys": {"partners": [{"id": "app", "sha256": lychgate_tests::behaviour::sha256(KEY)}]},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{scheme: []}],
    })
}

fn native(name: &str, policy: Value) -> Listener {
    Listener::new(name, policy).artefact(Artefact::Native)
}

/// The module with the trigger, in a directory of its own: it must never be taken for the one that is released.
fn module_with_trigger() -> std::path::PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", "lychgate-module", "--features", "trap-for-tests"])
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the module with the trigger does not build");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native-trap");
    fs::create_dir_all(&dir).unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    fs::copy(target.join("debug/liblychgate_module.so"), dir.join("liblychgate.so")).unwrap();
    dir
}

fn holds_trigger(module: &Path) -> bool {
    let bytes = fs::read(module).unwrap();
    bytes.windows(TRIGGER.len()).any(|window| window == TRIGGER.as_bytes())
}

/// Unwound into Envoy, a panic would end all of it.
#[test]
fn a_panic_ends_in_500_for_its_request_and_for_no_other() {
    let dir = module_with_trigger();
    assert!(holds_trigger(&dir.join("liblychgate.so")));
    assert!(!holds_trigger(&root().join("dist/liblychgate.so")), "dist/ holds a module for tests");
    let upstream = Upstream::start();
    let path = dir.to_string_lossy().into_owned();
    let options = Options {
        concurrency: 2,
        host_environment: vec![("ENVOY_DYNAMIC_MODULES_SEARCH_PATH".into(), path)],
        ..Options::default()
    };
    let envoy = Envoy::start(&[native("gate", policy("token"))], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let good = Token::reader().sign("HS256");
    for round in 0..50 {
        let trapped = envoy.send("gate", &Request::get("/public").header(TRIGGER, "now"));
        assert_eq!(trapped.status, 500, "round {round}: {trapped:?}");
        assert_eq!(trapped.json(), json!({"detail": "Internal Server Error"}));
        let body = Request::post("/").bearer(&good).header(TRIGGER, "now").body("text/plain", "a body");
        assert_eq!(envoy.send("gate", &body).status, 500, "round {round}, with a body");
        assert_eq!(envoy.send("gate", &Request::get("/").bearer(&good)).status, 200, "round {round}");
        assert_eq!(envoy.send("gate", &Request::get("/")).status, 403, "round {round}");
    }
    assert_eq!(upstream.hits(), 50, "what panicked went no further");
}

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
    if is_envoy(OLDEST) {
        println!("not for Envoy 1.37");
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
fn a_wrong_configuration_is_refused_at_the_start_and_by_xds_the_old_policy_serves_on() {
    let mut wrong = policy("token");
    wrong["securty"] = json!([]);
    let upstream = Upstream::start();
    let options = Options { concurrency: 2, ..Options::default() };
    let refused = Envoy::start(&[native("gate", wrong.clone())], upstream.addr(), &options);
    let log = refused.err().expect("Envoy does not start").log;
    assert!(log.contains("lychgate: configuration refused: securty"), "{log}");

    let envoy = Envoy::start_dynamic(&[native("gate", policy("token"))], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let good = Token::reader().sign("HS256");
    let by = |scheme: &str| match scheme {
        "token" => Request::get("/").bearer(&good),
        _ => Request::get("/").header("X-API-Key", KEY),
    };
    let holds = |scheme: &str| {
        let other = if scheme == "token" { "key" } else { "token" };
        envoy.send("gate", &by(scheme)).status == 200 && envoy.send("gate", &by(other)).status != 200
    };
    let arrives = |scheme: &str| {
        let start = Instant::now();
        while !holds(scheme) {
            assert!(start.elapsed() < Duration::from_secs(20), "{scheme} does not arrive: {}", envoy.log());
        }
    };
    arrives("token");
    let rejected = || envoy.stat("listener_manager.lds.update_rejected");
    for round in 0..30_u64 {
        envoy.replace(&[native("gate", wrong.clone())], &options);
        let start = Instant::now();
        while rejected() <= round {
            assert!(start.elapsed() < Duration::from_secs(20), "it is not looked at: {}", envoy.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        let scheme = if round % 2 == 0 { "token" } else { "key" };
        assert!(holds(scheme), "round {round}: the old policy serves on");
        let next = if scheme == "token" { "key" } else { "token" };
        envoy.replace(&[native("gate", policy(next))], &options);
        arrives(next);
    }
}

#[test]
fn what_is_to_be_fetched_is_refused_by_name_where_envoy_makes_no_calls_for_modules() {
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

/// What one of these Envoys does not have keeps the module from being loaded there: what not all have is to be
/// looked for at run time. `LYCHGATE_ENVOYS` names further binaries, with colons between.
#[test]
fn the_module_needs_no_function_that_an_envoy_does_not_have() {
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
    let further = std::env::var("LYCHGATE_ENVOYS").unwrap_or_default();
    let further = further.split(':').filter(|path| !path.is_empty()).map(Into::into);
    for envoy in std::iter::once(binary().to_owned()).chain(further) {
        let bytes = fs::read(&envoy).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let has: std::collections::BTreeSet<_> =
            file.dynamic_symbols().filter(|s| !s.is_undefined()).map(|s| name(&s)).collect();
        let missing: Vec<_> = needed.iter().filter(|name| !has.contains(*name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", envoy.display());
    }
}

/// A filter behind the gate decides by who the gate says it is, as behind Envoy's own `jwt_authn`.
#[test]
fn filters_behind_it_know_who_a_request_comes_from() {
    if is_envoy(OLDEST) {
        println!("not for Envoy 1.37");
        return;
    }
    let upstream = Upstream::start();
    let rbac = json!({
        "name": "rbac",
        "typed_config": {
            "@type": format!("{TYPES}.filters.http.rbac.v3.RBAC"),
            "rules": {"action": "ALLOW", "policies": {"readers": {
                "permissions": [{"any": true}],
                "principals": [{"and_ids": {"ids": [
                    {"sourced_metadata": {"metadata_matcher": {"filter": "lychgate", "path": [{"key": "scopes"}],
                        "value": {"list_match": {"one_of": {"string_match": {"exact": "items:read"}}}}}}},
                    {"sourced_metadata": {"metadata_matcher": {"filter": "lychgate", "path": [{"key": "subject"}],
                        "value": {"string_match": {"exact": "alice"}}}}},
                ]}}],
            }}},
        },
    });
    let mut listener = native("gate", policy("token"));
    listener.behind = vec![rbac];
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let send = |token: Token| envoy.send("gate", &Request::get("/").bearer(token.sign("HS256"))).status;
    assert_eq!(send(Token::reader().claim("sub", "alice")), 200);
    assert_eq!(send(Token::reader().claim("sub", "bob")), 403);
    assert_eq!(send(Token::new().claim("sub", "alice")), 403, "no scope");
    assert_eq!(envoy.send("gate", &Request::get("/public")).status, 403, "no identity");
}

#[test]
fn a_route_can_have_a_policy_of_its_own() {
    let upstream = Upstream::start();
    let own = json!({
        "@type": format!("{TYPES}.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute"),
        "dynamic_module_config": {"name": "lychgate", "do_not_close": true},
        "per_route_config_name": "partners",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": policy("key")},
    });
    let routes = json!([
        {"match": {"prefix": "/partners/"}, "route": {"cluster": "upstream"},
            "typed_per_filter_config": {"lychgate": own}},
        {"match": {"prefix": ""}, "route": {"cluster": "upstream"}},
    ]);
    let manager =
        json!({"route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}});
    let listener = native("gate", policy("token")).manager(manager);
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let token = Token::reader().sign("HS256");
    for (path, by_token, by_key) in [("/", 200, 403), ("/partners/x", 403, 200)] {
        assert_eq!(envoy.send("gate", &Request::get(path).bearer(&token)).status, by_token, "{path}");
        let key = Request::get(path).header("X-API-Key", KEY);
        assert_eq!(envoy.send("gate", &key).status, by_key, "{path}");
    }
    let denied = [("rule", "default"), ("scheme", "none"), ("decision", "denied")];
    let name = Artefact::Native.stat("lychgate_requests_total", &denied);
    assert!(
        envoy.stat(&name) >= 2,
        "both are counted under the filter's stats: {}",
        envoy.ask_admin("/stats").text()
    );
}
