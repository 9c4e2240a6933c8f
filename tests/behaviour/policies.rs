//! The configurations that the rows speak of.

use lychgate_testkit::keys;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Every algorithm of the contract.
pub const ALGORITHMS: [&str; 17] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// The named configurations.
pub fn policies() -> Vec<(&'static str, Value)> {
    vec![
        ("api", api()),
        ("algorithms", algorithms()),
        ("keys", key_sets()),
        ("claims", claims()),
        ("matching", super::matching::policy()),
        ("problem", problem()),
        ("text", text()),
        ("dry_run", dry_run()),
        ("closed", json!({"mode": "enforce"})),
    ]
}

/// The digest of an API key, as configured.
pub fn sha256(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key that must be percent-encoded in a query.
pub const ODD_KEY: &str = "odd key+/&=%é";

/// `api_keys`.
fn api_keys() -> Value {
    json!({"partners": [
        {"id": "mobile-app", "sha256": sha256("mobile-app-key"), "scopes": ["items:read"]},
        {"id": "admin-tool", "sha256": sha256("admin-tool-key").to_uppercase(),
         "scopes": ["items:read", "items:write", "admin"]},
        {"id": "plain", "sha256": sha256("plain-key")},
        {"id": "expired", "sha256": sha256("expired-key"), "not_after": "2020-01-01T00:00:00Z"},
        {"id": "lasting", "sha256": sha256("lasting-key"), "not_after": "2999-01-01T00:00:00+02:00"},
        {"id": "disabled", "sha256": sha256("disabled-key"), "disabled": true},
        {"id": "odd", "sha256": sha256(ODD_KEY)},
    ]})
}

fn secret_from_environment() -> Value {
    json!({"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]})
}

fn with(mut jwt: Value, members: Value) -> Value {
    if let (Value::Object(jwt), Value::Object(members)) = (&mut jwt, members) {
        jwt.extend(members);
    }
    jwt
}

fn oauth2(jwt: Value) -> Value {
    json!({
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/token", "scopes": {
            "items:read": "Read items", "items:write": "Create and update items", "admin": "Everything",
        }}},
        "jwt": jwt,
    })
}

fn bearer(jwt: Value) -> Value {
    json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "jwt": jwt})
}

fn api_key(place: &str, name: &str) -> Value {
    json!({"type": "apiKey", "in": place, "name": name, "api_keys": "partners"})
}

fn api() -> Value {
    json!({
        "schemes": {
            "oauth2": oauth2(secret_from_environment()),
            "bearer": bearer(secret_from_environment()),
            "oidc": {
                "type": "openIdConnect",
                "openIdConnectUrl": "https://idp.example/.well-known/openid-configuration",
                "jwt": secret_from_environment(),
            },
            "header_key": api_key("header", "X-API-Key"),
            "query_key": api_key("query", "api_key"),
            "cookie_key": api_key("cookie", "api_key"),
            "kept_token": with(bearer(secret_from_environment()), json!({"forward": true, "realm": "kept"})),
            "kept_key": with(api_key("header", "X-Kept-Key"), json!({"forward": true})),
            "kept_query": with(api_key("query", "kept"), json!({"forward": true})),
            "kept_cookie": with(api_key("cookie", "kept"), json!({"forward": true})),
            "strict_key": with(
                api_key("header", "X-Strict-Key"),
                json!({"missing_status": 401, "realm": "Partners, and others"}),
            ),
            "lenient": with(oauth2(secret_from_environment()), json!({"missing_status": 403})),
        },
        "api_keys": api_keys(),
        "rules": [
            {"match": {"path": "/health"}, "security": []},
            {"match": {"path": "/items/{id}", "methods": ["GET"]},
             "security": [{"oauth2": ["items:read"]}, {"header_key": ["items:read"]}]},
            {"match": {"path": "/items/{id}"}, "security": [{"oauth2": ["items:read", "items:write"]}]},
            {"match": {"prefix": "/admin/"}, "security": [{"oauth2": ["admin"], "header_key": []}]},
            {"match": {"path": "/superuser"}, "security": [{"oauth2": ["admin"]}]},
            {"match": {"path": "/me"}, "security": [{"oauth2": []}]},
            {"match": {"path": "/bearer"}, "security": [{"bearer": []}]},
            {"match": {"path": "/oidc"}, "security": [{"oidc": []}]},
            {"match": {"path": "/lenient"}, "security": [{"lenient": []}]},
            {"match": {"path": "/key/header"}, "security": [{"header_key": []}]},
            {"match": {"path": "/key/query"}, "security": [{"query_key": []}]},
            {"match": {"path": "/key/cookie"}, "security": [{"cookie_key": []}]},
            {"match": {"path": "/key/scoped"}, "security": [{"header_key": ["items:read", "admin"]}]},
            {"match": {"path": "/key/any"},
             "security": [{"header_key": []}, {"query_key": []}, {"cookie_key": []}]},
            {"match": {"path": "/key/strict"}, "security": [{"strict_key": []}]},
            {"match": {"path": "/key/mixed"}, "security": [{"header_key": []}, {"strict_key": []}]},
            {"match": {"path": "/kept/token"}, "security": [{"kept_token": []}]},
            {"match": {"path": "/kept/key"}, "security": [{"kept_key": []}]},
            {"match": {"path": "/kept/query"}, "security": [{"kept_query": []}]},
            {"match": {"path": "/kept/cookie"}, "security": [{"kept_cookie": []}]},
            {"match": {"path": "/optional"}, "security": [{"oauth2": ["items:read"]}, {}]},
            {"match": {"path": "/optional/first"}, "security": [{}, {"oauth2": []}]},
            {"match": {"path": "/anyone"}, "security": [{}]},
            {"match": {"path": "/write"}, "security": [{"header_key": ["items:write"]}, {"oauth2": ["items:write"]}]},
            {"match": {"path": "/same"}, "security": [{"bearer": ["items:read"]}, {"oauth2": ["admin"]}]},
            {"match": {"path": "/realms"}, "security": [{"kept_token": []}, {"oauth2": []}]},
            {"match": {"path": "/twice"}, "security": [{"header_key": [], "query_key": []}, {"oauth2": []}]},
        ],
        "security": [{"oauth2": []}],
    })
}

/// A key of `jwt.keys` for an algorithm, each way of writing one in its turn.
fn key_for(alg: &str) -> Value {
    match alg {
        "HS256" => json!({"alg": alg, "secret": keys::SECRET}),
        "HS384" => {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(keys::SECRET);
            json!({"alg": alg, "secret": {"base64": text}})
        }
        "HS512" => json!({"alg": alg, "secret": {"env": "LYCHGATE_SECRET"}}),
        "RS256" | "RS512" | "PS384" => json!({"alg": alg, "pem": keys::RSA.public_pem}),
        "RS384" | "PS256" | "PS512" => json!({"alg": alg, "jwk": keys::RSA.jwk()}),
        "ES256" => json!({"alg": alg, "pem": keys::P256.public_pem}),
        "ES384" => json!({"alg": alg, "jwk": keys::P384.jwk()}),
        "ES512" => json!({"alg": alg, "jwk": keys::P521.jwk()}),
        "ES256K" => json!({"alg": alg, "pem": keys::SECP256K1.public_pem}),
        "EdDSA" => json!({"alg": alg, "jwk": keys::ED25519.jwk()}),
        "ML-DSA-44" => json!({"alg": alg, "jwk": keys::MLDSA44.jwk()}),
        "ML-DSA-65" => json!({"alg": alg, "jwk": keys::MLDSA65.jwk()}),
        _ => json!({"alg": alg, "jwk": keys::MLDSA87.jwk()}),
    }
}

/// A scheme for each algorithm, and `/<algorithm>` which needs it.
fn algorithms() -> Value {
    let schemes: Map<_, _> =
        ALGORITHMS.iter().map(|&alg| (alg.to_owned(), oauth2(json!({"keys": [key_for(alg)]})))).collect();
    let rules: Vec<_> = ALGORITHMS
        .iter()
        .map(|&alg| json!({"match": {"path": format!("/{alg}")}, "security": [{alg: ["items:read"]}]}))
        .collect();
    json!({"schemes": schemes, "rules": rules})
}

fn key_sets() -> Value {
    let oct =
        json!({"kty": "oct", "kid": "hs", "alg": "HS256", "k": lychgate_testkit::tokens::b64(keys::SECRET)});
    let set = json!({"jwks": {"keys": [
        with(keys::RSA.jwk(), json!({"kid": "rsa-1", "alg": "RS256", "use": "sig"})),
        with(keys::RSA_STRANGER.jwk(), json!({"kid": "for-encryption", "use": "enc"})),
        with(keys::P256.jwk(), json!({"kid": "ec-1", "key_ops": ["verify"]})),
        with(keys::P384.jwk(), json!({"kid": "ec-2"})),
        with(keys::P384_STRANGER.jwk(), json!({"kid": "ec-3"})),
        keys::ED25519.jwk(),
        {"kty": "future", "kid": "unknown-type"},
        oct,
    ]}});
    let pair = json!({"keys": [
        {"alg": "ES256", "pem": keys::P256_STRANGER.public_pem},
        {"alg": "ES256", "jwk": keys::P256.jwk()},
    ]});
    let listed = json!({"algorithms": ["RS256"], "keys": [
        {"alg": "RS256", "pem": keys::RSA.public_pem},
        {"alg": "HS256", "secret": keys::SECRET},
    ]});
    let named = json!({"keys": [{"alg": "HS256", "kid": "one", "secret": keys::SECRET}]});
    scheme_for_each([("set", set), ("pair", pair), ("listed", listed), ("named", named)])
}

/// An `http` bearer scheme for each of these, and `/<name>` which needs it.
fn scheme_for_each<const N: usize>(schemes: [(&str, Value); N]) -> Value {
    let rules: Vec<_> = schemes
        .iter()
        .map(|(name, _)| json!({"match": {"path": format!("/{name}")}, "security": [{*name: []}]}))
        .collect();
    let schemes: Map<_, _> = schemes.into_iter().map(|(name, jwt)| (name.to_owned(), bearer(jwt))).collect();
    json!({"schemes": schemes, "rules": rules})
}

fn claims() -> Value {
    let jwt = |members| with(secret_from_environment(), members);
    let policy = scheme_for_each([
        (
            "strict",
            jwt(json!({
                "issuer": "https://idp.example/", "audiences": ["api", "admin-api"],
                "required_claims": ["exp", "sub", "jti"],
            })),
        ),
        ("exact", jwt(json!({"leeway_seconds": 0}))),
        ("lax", jwt(json!({"required_claims": []}))),
        ("short", jwt(json!({"max_token_bytes": 256}))),
        ("permissions", jwt(json!({"scope_claims": ["permissions"]}))),
        (
            "sourced",
            jwt(json!({"from": [
                {"header": "Authorization", "prefix": "Bearer "}, {"header": "X-Token"},
                {"header": "X-Prefixed", "prefix": "Token "}, {"query": "access_token"}, {"cookie": "session"},
            ]})),
        ),
        (
            "mapped",
            jwt(json!({"claims_to_headers": {
                "email": "X-User-Email", "age": "x-user-age", "verified": "x-user-verified",
                "groups": "x-user-groups", "address": "x-user-address", "profile.nick.short": "x-user-nick",
                "https://example.com/tenant": "x-tenant",
            }})),
        ),
    ]);
    let Value::Object(mut policy) = policy else { return policy };
    if let Some(Value::Array(rules)) = policy.get_mut("rules") {
        rules.push(json!({"match": {"path": "/public"}, "security": []}));
        rules.push(json!({"match": {"path": "/scoped"}, "security": [{"permissions": ["admin"]}]}));
    }
    Value::Object(policy)
}

fn problem() -> Value {
    json!({
        "schemes": {"oauth2": oauth2(secret_from_environment())},
        "rules": [
            {"match": {"path": "/me"}, "security": [{"oauth2": []}]},
            {"match": {"path": "/items"}, "security": [{"oauth2": ["items:read"]}]},
            {"match": {"path": "/health"}, "security": []},
        ],
        "identity_headers": {"subject": "X-User", "scopes": "x-user-scopes", "scheme": "x-user-scheme"},
        "errors": {"format": "problem"},
        "cors_preflight": "check",
        "cache": {"entries": 0},
    })
}

fn text() -> Value {
    json!({
        "schemes": {
            "oauth2": with(oauth2(secret_from_environment()), json!({"realm": "the gate"})),
            "header_key": api_key("header", "X-API-Key"),
        },
        "api_keys": api_keys(),
        "rules": [{"match": {"path": "/key"}, "security": [{"header_key": []}]}],
        "security": [{"oauth2": ["items:read"]}],
        "errors": {"format": "text"},
    })
}

fn dry_run() -> Value {
    let mut policy = text();
    policy["mode"] = "dry_run".into();
    policy["rules"] = json!([
        {"match": {"path": "/key"}, "security": [{"header_key": []}]},
        {"match": {"path": "/me"}, "security": [{"oauth2": []}]},
        {"match": {"path": "/items"}, "security": [{"oauth2": ["items:read"]}]},
    ]);
    if let Value::Object(policy) = &mut policy {
        policy.remove("security");
    }
    policy
}
