//! What the native module alone has, and what there is to fear of it alone: it is code in Envoy itself.

mod faults;
mod load;
mod reload;

use lychgate_tests::book::try_out_all;
use lychgate_tests::demonstration::{Demonstration, secret};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, is_before, route_name};
use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

const TYPES: &str = "type.googleapis.com/envoy.extensions";
const KEY: &str = "key-000000";
/// It has no calls for modules, no lists in metadata and no modules that are fetched.
const OLDEST: &str = "1.37";

/// Whether the Envoy of the suite is too old to load a native module.
fn is_unknown() -> bool {
    is_before(37, "it loads no native modules")
}

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

/// `make run-native`, and the README's lines.
#[test]
fn its_demonstration_gives_what_the_readme_says() {
    if is_unknown() {
        return;
    }
    let demonstration = Demonstration::of("envoy.native.yaml", &[("LYCHGATE_SECRET", &secret())], None);
    try_out_all("README.md", &demonstration);
}

/// A filter behind the gate decides by who the gate says it is, as behind Envoy's own `jwt_authn`.
#[test]
fn filters_behind_it_know_who_a_request_comes_from() {
    if is_before(38, "1.37 has no calls and no metadata lists for native modules") {
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
                    {"sourced_metadata": {"metadata_matcher": {"filter": "lychgate", "path": [{"key": "tenant.name"}],
                        "value": {"string_match": {"exact": "acme"}}}}},
                ]}}],
            }}},
        },
    });
    let mut policy = policy("token");
    policy["schemes"]["token"]["jwt"]["claims_to_metadata"] = json!(["tenant.name"]);
    let mut listener = native("gate", policy);
    listener.behind = vec![rbac];
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let send = |token: Token| {
        let token = token.claim("tenant", json!({"name": "acme"}));
        envoy.send("gate", &Request::get("/").bearer(token.sign("HS256"))).status
    };
    let other = Token::reader().claim("sub", "alice").claim("tenant", json!({"name": "other"}));
    assert_eq!(envoy.send("gate", &Request::get("/").bearer(other.sign("HS256"))).status, 403);
    assert_eq!(send(Token::reader().claim("sub", "alice")), 200);
    assert_eq!(send(Token::reader().claim("sub", "bob")), 403);
    assert_eq!(send(Token::new().claim("sub", "alice")), 403, "no scope");
    assert_eq!(envoy.send("gate", &Request::get("/public")).status, 403, "no identity");
}

/// The documents named a field that Envoy 1.38 and later warn of, a line for each such route at each reload.
#[test]
fn a_route_can_have_a_policy_of_its_own() {
    if is_unknown() {
        return;
    }
    let upstream = Upstream::start();
    let own = json!({
        "@type": format!("{TYPES}.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute"),
        "dynamic_module_config": {"name": "lychgate", "do_not_close": true},
        route_name(): "partners",
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
    assert!(!envoy.log().contains("deprecated"), "{}", envoy.log());
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
