//! The listeners: one policy with every kind of route, in Envoys set up in several ways, and one with
//! keys of every kind.

use lychgate_tests::envoy::Listener;
use lychgate_tests::keys;
use serde_json::{Value, json};

use super::behaviour;

/// `secret`, as cheaply as bcrypt goes.
const PASSWORD: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// The API key of the policies here.
pub const API_KEY: &str = "good-key";

fn shared_secret() -> Value {
    json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "claims_to_headers": {"email": "x-auth-email"}})
}

/// Routes of every kind.
fn routes() -> Value {
    let admin = json!([{"oauth2": ["admin"]}]);
    let read = json!([{"oauth2": ["items:read"]}]);
    json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token",
                "scopes": {"items:read": "Read", "admin": "All"}}},
                "jwt": shared_secret(), "users": "staff", "issue": {}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "query_key": {"type": "apiKey", "in": "query", "name": "api_key", "api_keys": "partners"},
            "cookie_key": {"type": "apiKey", "in": "cookie", "name": "session", "api_keys": "partners"},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD, "scopes": ["items:read"]}]},
        "api_keys": {"partners": [{"id": "app", "sha256": behaviour::sha256(API_KEY), "scopes": ["items:read"]}]},
        "passwords": {"worker_share_percent": 100, "max_failures": 100_000},
        "openapi": {"serve": "/openapi.json", "docs": "/docs", "title": "The filter's document"},
        "rules": [
            {"match": {"prefix": "/public"}, "security": []},
            {"match": {"path": "/anonymous"}, "security": [{"oauth2": []}, {}]},
            {"match": {"path": "/me"}, "security": read},
            {"match": {"path": "/key"}, "security": [{"key": []}]},
            {"match": {"path": "/query-key"}, "security": [{"query_key": []}]},
            {"match": {"path": "/cookie-key"}, "security": [{"cookie_key": []}]},
            {"match": {"path": "/basic"}, "security": [{"basic": []}]},
            {"match": {"path": "/items/{id}", "methods": ["GET"]}, "security": []},
            {"match": {"prefix": "/admin"}, "security": admin},
            // One method of many that asks for more.
            {"match": {"path": "/reports/{id}", "methods": ["GET"]}, "security": admin},
            {"match": {"prefix": "/reports"}, "security": []},
            // The same beside a trial of the rule for all others.
            {"match": {"path": "/trials/{id}", "methods": ["GET"]}, "security": admin},
            {"match": {"prefix": "/trials"}, "security": admin, "mode": "dry_run"},
            // One host of many that asks for more.
            {"match": {"prefix": "/tenant", "hosts": ["vault.example.com", "*.vault.example.com"]}, "security": admin},
            {"match": {"prefix": "/tenant"}, "security": []},
            // One value of a header that is denied.
            {"match": {"prefix": "/stage", "headers": {"x-stage": "closed"}}, "security": "denied"},
            {"match": {"prefix": "/stage"}, "security": []},
            // One host of many that is public.
            {"match": {"prefix": "/status", "hosts": ["open.example.com", "*.open.example.com"]}, "security": []},
        ],
        "security": read,
    })
}

fn with(mut policy: Value, key: &str, value: impl Into<Value>) -> Value {
    policy[key] = value.into();
    policy
}

fn with_kid(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

/// Schemes with keys of every kind, each at a path of its own.
fn signed() -> Value {
    let scheme = |jwt: Value| json!({"type": "oauth2", "flows": {}, "jwt": jwt});
    let one = |alg: &str, member: &str, key: Value| scheme(json!({"keys": [{"alg": alg, member: key}]}));
    let schemes = json!({
        "hs": one("HS256", "secret", keys::SECRET.into()),
        "rs": one("RS256", "pem", keys::RSA.public_pem.into()),
        "ps": one("PS256", "jwk", keys::RSA.jwk()),
        "es": one("ES256", "jwk", keys::P256.jwk()),
        "es384": one("ES384", "pem", keys::P384.public_pem.into()),
        "es256k": one("ES256K", "pem", keys::SECP256K1.public_pem.into()),
        "ed": one("EdDSA", "pem", keys::ED25519.public_pem.into()),
        "set": scheme(json!({"jwks": {"keys": [with_kid(keys::RSA.jwk(), "rsa"), with_kid(keys::P256.jwk(), "ec")]}})),
        "large": scheme(json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "max_token_bytes": 1_048_576})),
        "bare": scheme(json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "required_claims": [], "leeway_seconds": 0})),
    });
    let names = schemes.as_object().unwrap().keys();
    let rules: Vec<_> = names
        .map(|name| json!({"match": {"path": format!("/{name}")}, "security": [{name.as_str(): []}]}))
        .collect();
    json!({"schemes": schemes, "rules": rules})
}

/// A policy whose keys are not served.
/// Lets the heads of requests for tokens go, as hosts need it that cannot hold them back.
fn releasing_heads(mut policy: Value) -> Value {
    for scheme in policy["schemes"].as_object_mut().unwrap().values_mut() {
        if let Some(issue) = scheme.get_mut("issue") {
            issue["release_head"] = true.into();
        }
    }
    policy
}

fn without_keys() -> Value {
    let remote =
        json!({"uri": "http://unserved.example/jwks.json", "cluster": "unserved", "timeout_seconds": 1});
    json!({
        "schemes": {"remote": {"type": "oauth2", "flows": {}, "jwt": {"remote_jwks": remote}}},
        "security": [{"remote": []}],
    })
}

/// A document like Twilio's, and regular expressions, all public: what no rule is for is refused.
fn templates() -> Value {
    let paths = (0..150).map(|number| {
        (format!("/2010/Accounts/{{a}}/R{number}/{{s}}.json"), json!({"get": {"security": []}}))
    });
    let rules = (0..20).map(
        |number| json!({"match": {"regex": format!("/expressions/[0-9]+/[a-z]+/x{number}")}, "security": []}),
    );
    json!({
        "openapi": {"document": {"openapi": "3.1.0", "info": {"title": "t", "version": "1"},
            "paths": paths.collect::<serde_json::Map<_, _>>()}},
        "rules": rules.collect::<Vec<_>>(),
    })
}

/// Envoy's own normalisation, as far as it goes.
fn normalising(escaped_slashes: &str) -> Value {
    json!({"normalize_path": true, "merge_slashes": true, "path_with_escaped_slashes_action": escaped_slashes})
}

/// Every listener, among them those of the table of behaviours that its attacks are tried on.
pub fn listeners() -> Vec<Listener> {
    let upgrades = |kinds: &[&str]| -> Value {
        kinds.iter().map(|kind| json!({"upgrade_type": kind})).collect::<Vec<_>>().into()
    };
    let tunnel = json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"connect_matcher": {}}, "route": {"cluster": "upstream",
            "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}},
        {"match": {"prefix": ""}, "route": {"cluster": "upstream"}},
    ]}]});
    let mut listeners = vec![
        // Tokens of 100 KiB shall reach the filter here.
        Listener::new("raw", routes()).manager(json!({
            "max_request_headers_kb": 1024,
            "common_http_protocol_options": {"headers_with_underscores_action": "ALLOW"},
        })),
        Listener::new("normalised", routes()).manager(normalising("UNESCAPE_AND_FORWARD")),
        Listener::new("rejecting", routes()).manager(normalising("REJECT_REQUEST")),
        Listener::new("old", releasing_heads(routes())).without_holding_heads().manager(json!({
            "http_protocol_options": {"accept_http_10": true, "default_host_for_http_10": "localhost"},
        })),
        Listener::new("upgrading", routes()).manager(json!({
            "upgrade_configs": upgrades(&["websocket", "h2c"]),
            "http2_protocol_options": {"allow_connect": true},
        })),
        Listener::new("tunnelling", routes()).manager(json!({
            "upgrade_configs": upgrades(&["CONNECT", "websocket"]),
            "http2_protocol_options": {"allow_connect": true},
            "route_config": tunnel,
        })),
        Listener::new("dropping", routes()).manager(json!({
            "common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"},
        })),
        Listener::new("checked", with(routes(), "cors_preflight", "check")),
        Listener::new("dry", with(with(routes(), "mode", "dry_run"), "optional", "refuse_invalid")),
        Listener::new("signed", signed()).manager(json!({"max_request_headers_kb": 1024})),
        Listener::new("keyless", without_keys()),
        Listener::new("templates", templates()),
    ];
    let tried: Vec<_> = behaviour::bad_tokens().iter().map(|row| row.policy).collect();
    let known = behaviour::policies().into_iter().filter(|(name, _)| tried.contains(name));
    listeners.extend(known.map(|(name, policy)| Listener::new(name, policy)));
    listeners
}
