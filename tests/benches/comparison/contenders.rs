//! The contenders: one Envoy, one listener for each of them. Behind it is an upstream, as behind any
//! gateway, or nothing but Envoy's own answer, so that what differs is the filter alone.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lychgate_tests::keys;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The algorithms that are measured.
pub const ALGORITHMS: [&str; 5] = ["HS256", "RS256", "ES256", "EdDSA", "PS256"];
const TYPES: &str = "type.googleapis.com/envoy.extensions";

/// Which of the two artefacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// `dist/liblychgate.so`.
    Native,
    /// `dist/lychgate.wasm`.
    Wasm,
}

impl Artefact {
    /// Both, in the order of the table.
    pub const BOTH: [Self; 2] = [Self::Native, Self::Wasm];

    /// The name of its listener for a policy.
    pub fn listener(self, policy: &str) -> String {
        match self {
            Self::Native => format!("native {policy}"),
            Self::Wasm => format!("wasm {policy}"),
        }
    }
}

/// Where the contenders find what they need.
pub struct Place<'a> {
    /// The module.
    pub module: &'a Path,
    /// A module that does nothing.
    pub empty: &'a Path,
    /// The service of `ext_authz`.
    pub authz: SocketAddr,
    /// API keys of the listener with many of them.
    pub many_keys: &'a [String],
    /// argon2id of `secret` as a PHC string.
    pub password_hash: &'a str,
    /// What is behind the filters; `None`: Envoy answers itself.
    pub upstream: Option<SocketAddr>,
}

/// The bootstrap of an Envoy that is the upstream: it answers everything itself.
pub fn upstream() -> Value {
    json!({
        "admin": {"address": address(([127, 0, 0, 1], 0).into())},
        "static_resources": {"listeners": [listener("upstream", vec![], None)]},
    })
}

/// API key number `number`.
pub fn api_key(number: usize) -> String {
    format!("key-{number:06}-f3a9c1d27be84055")
}

/// Envoy's bootstrap with every contender as a listener.
pub fn bootstrap(place: &Place<'_>) -> Value {
    let listener = |name: &str, filters| listener(name, filters, place.upstream);
    let mut listeners = vec![
        listener("none", vec![]),
        listener("empty", vec![wasm("empty", place.empty, None)]),
        listener("ext_authz", vec![ext_authz()]),
        listener("api_key_auth", vec![api_key_auth()]),
        listener("basic_auth", vec![basic_auth()]),
        listener("jwt_authn+rbac", vec![jwt_authn("RS256", true, true), rbac()]),
    ];
    for alg in ALGORITHMS {
        listeners.push(listener(&format!("jwt_authn {alg}"), vec![jwt_authn(alg, false, false)]));
        listeners.push(listener(&format!("jwt_authn cached {alg}"), vec![jwt_authn(alg, true, false)]));
    }
    let ours =
        ALGORITHMS.iter().map(|alg| ((*alg).to_owned(), token_policy(alg, json!([{"token": []}])))).chain([
            ("scope".to_owned(), token_policy("RS256", json!([{"token": ["items:read"]}]))),
            ("10 keys".to_owned(), key_policy((0..10).map(api_key))),
            ("100000 keys".to_owned(), key_policy(place.many_keys.iter().cloned())),
            ("basic".to_owned(), basic_policy(place.password_hash)),
            ("1 rule".to_owned(), rules_policy(1)),
            ("1000 rules".to_owned(), rules_policy(1000)),
        ]);
    for (name, policy) in ours {
        for artefact in Artefact::BOTH {
            let name = artefact.listener(&name);
            let filter = match artefact {
                Artefact::Wasm => wasm(&name, place.module, Some(&policy)),
                Artefact::Native => native(&policy),
            };
            listeners.push(listener(&name, vec![filter]));
        }
    }
    json!({
        "admin": {"address": address(([127, 0, 0, 1], 0).into())},
        "static_resources": {
            "listeners": listeners,
            "clusters": [cluster("authz", place.authz), cluster("upstream", place.upstream.unwrap_or(place.authz))],
        },
    })
}

fn cluster(name: &str, addr: SocketAddr) -> Value {
    json!({
        "name": name, "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(addr)}}]}]},
    })
}

fn address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

fn listener(name: &str, mut filters: Vec<Value>, upstream: Option<SocketAddr>) -> Value {
    filters.push(filter("router", "router.v3.Router", json!({})));
    let mut route = json!({"match": {"prefix": "/"}});
    match upstream {
        Some(_) => route["route"] = json!({"cluster": "upstream"}),
        None => route["direct_response"] = json!({"status": 200, "body": {"inline_string": "ok"}}),
    }
    let manager = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [route],
        }]},
        "http_filters": filters,
    });
    json!({
        "name": name,
        "address": address(([127, 0, 0, 1], 0).into()),
        "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
    })
}

fn filter(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("{TYPES}.filters.http.{kind}").into();
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

/// The plugin as users load it.
pub fn wasm(name: &str, module: &Path, policy: Option<&Value>) -> Value {
    let mut config = json!({
        "name": name,
        "failure_policy": "FAIL_RELOAD",
        "allow_on_headers_stop_iteration": true,
        "vm_config": {
            "vm_id": name, "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module}},
        },
    });
    if let Some(policy) = policy {
        config["configuration"] = text(policy);
    }
    filter("wasm", "wasm.v3.Wasm", json!({"config": config}))
}

/// The native module as users load it. Envoy looks for it where `ENVOY_DYNAMIC_MODULES_SEARCH_PATH` says.
fn native(policy: &Value) -> Value {
    filter(
        "dynamic_modules",
        "dynamic_modules.v3.DynamicModuleFilter",
        json!({"dynamic_module_config": {"name": "lychgate", "do_not_close": true}, "filter_name": "lychgate",
               "filter_config": text(policy)}),
    )
}

/// As text: a hundred thousand keys as a Struct take Envoy itself very long to read.
fn text(policy: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": policy.to_string()})
}

fn jwk(alg: &str) -> Value {
    let mut jwk = match alg {
        "HS256" => json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(keys::SECRET)}),
        "ES256" => keys::P256.jwk(),
        "EdDSA" => keys::ED25519.jwk(),
        _ => keys::RSA.jwk(),
    };
    jwk["alg"] = alg.into();
    jwk
}

fn jwt_authn(alg: &str, cached: bool, identity: bool) -> Value {
    let jwks = json!({"keys": [jwk(alg)]}).to_string();
    let mut provider = json!({"local_jwks": {"inline_string": jwks}});
    if cached {
        // As many as Lychgate remembers by default; Envoy's own default is a hundred.
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 4096});
    }
    if identity {
        provider["payload_in_metadata"] = "payload".into();
        provider["claim_to_headers"] = json!([
            {"header_name": "x-auth-subject", "claim_name": "sub"},
            {"header_name": "x-auth-scopes", "claim_name": "scope"},
        ]);
    }
    filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        json!({"providers": {"p": provider},
               "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]}),
    )
}

fn rbac() -> Value {
    let scope = json!({"filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "payload"}, {"key": "scope"}],
        "value": {"string_match": {"contains": "items:read"}}});
    filter(
        "rbac",
        "rbac.v3.RBAC",
        json!({"rules": {"action": "ALLOW", "policies": {"scope": {
            "permissions": [{"any": true}], "principals": [{"metadata": scope}]}}}}),
    )
}

fn api_key_auth() -> Value {
    let credentials: Vec<_> =
        (0..10).map(|number| json!({"key": api_key(number), "client": format!("client-{number}")})).collect();
    filter(
        "api_key_auth",
        "api_key_auth.v3.ApiKeyAuth",
        json!({"credentials": credentials, "key_sources": [{"header": "X-API-Key"}],
               // What Lychgate does too: the upstream gets the identity, and not the key.
               "forwarding": {"header": "x-auth-subject", "hide_credentials": true}}),
    )
}

fn basic_auth() -> Value {
    // The only form that it takes, `{SHA}`, as htpasswd -s writes it: SHA-1 of `secret`.
    let users = format!("johndoe:{{SHA}}{}", STANDARD.encode(SHA1_OF_SECRET));
    filter(
        "basic_auth",
        "basic_auth.v3.BasicAuth",
        json!({"users": {"inline_string": users}, "forward_username_header": "x-auth-subject"}),
    )
}

const SHA1_OF_SECRET: [u8; 20] = [
    0xe5, 0xe9, 0xfa, 0x1b, 0xa3, 0x1e, 0xcd, 0x1a, 0xe8, 0x4f, 0x75, 0xca, 0xaa, 0x47, 0x4f, 0x3a, 0x66,
    0x3f, 0x05, 0xf4,
];

fn ext_authz() -> Value {
    filter(
        "ext_authz",
        "ext_authz.v3.ExtAuthz",
        json!({"http_service": {"server_uri": {"uri": "http://authz", "cluster": "authz", "timeout": "5s"}}}),
    )
}

fn token_scheme(alg: &str) -> Value {
    json!({"type": "http", "scheme": "bearer", "jwt": {"jwks": {"keys": [jwk(alg)]}, "algorithms": [alg]}})
}

fn token_policy(alg: &str, security: Value) -> Value {
    json!({"schemes": {"token": token_scheme(alg)}, "security": security})
}

/// The policy with these API keys, each with an owner of its own.
pub fn key_policy(all: impl Iterator<Item = String>) -> Value {
    let hex = |key: &str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys: Vec<_> = all
        .enumerate()
        .map(|(number, key)| json!({"id": format!("client-{number}"), "sha256": hex(&key)}))
        .collect();
    json!({
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
        "api_keys": {"partners": keys}, "security": [{"key": []}],
    })
}

/// The policy with one user, whose password is `secret`.
pub fn basic_policy(password_hash: &str) -> Value {
    json!({
        "schemes": {"login": {"type": "http", "scheme": "basic", "users": "staff"}},
        "users": {"staff": [{"username": "johndoe", "password": password_hash}]},
        "security": [{"login": []}],
    })
}

/// The policy with so many rules; the last one is for `/last/{id}`.
fn rules_policy(count: usize) -> Value {
    let rule = |number: usize| {
        let path = match number % 4 {
            0 => format!("/service{number}/items/{{id}}"),
            1 => format!("/service{number}/items"),
            2 => format!("/service{number}/{{a}}/parts/{{b}}"),
            _ => format!("/{{tenant}}/service{number}"),
        };
        json!({"match": {"path": path, "methods": ["GET"]}, "security": [{"token": []}]})
    };
    let mut rules: Vec<_> = (1..count).map(rule).collect();
    rules.push(json!({"match": {"path": "/last/{id}"}, "security": [{"token": []}]}));
    json!({"schemes": {"token": token_scheme("RS256")}, "rules": rules})
}
