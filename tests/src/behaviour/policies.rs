//! The policies that the rows are tried on, one Envoy listener each.

use crate::keys;
use serde_json::{Value, json};

/// The environment of the plugin.
pub const ENVIRONMENT: [(&str, &str); 2] =
    [("TEST_SECRET", keys::SECRET), ("TEST_PRIVATE_PEM", keys::P256.private_pem)];

pub fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hs256() -> Value {
    json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]})
}

/// `jwt` with the shared secret and these settings besides.
fn jwt(settings: Value) -> Value {
    let mut jwt = hs256();
    if let (Value::Object(jwt), Value::Object(settings)) = (&mut jwt, settings) {
        jwt.extend(settings);
    }
    jwt
}

pub(super) fn oauth2(settings: Value) -> Value {
    json!({"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {
        "items:read": "Read", "items:write": "Write", "admin": "All"}}}, "jwt": jwt(settings)})
}

fn bearer(settings: Value) -> Value {
    json!({"type": "http", "scheme": "bearer", "jwt": jwt(settings)})
}

fn key(location: &str, name: &str) -> Value {
    json!({"type": "apiKey", "in": location, "name": name, "api_keys": "partners"})
}

fn partners() -> Value {
    json!({"partners": [
        {"id": "mobile-app", "sha256": sha256("good-key"), "scopes": ["items:read", "items:write"]},
        {"id": "reader", "sha256": sha256("reader-key"), "scopes": ["items:read"], "not_after": "2999-01-01T00:00:00Z"},
        {"id": "late", "sha256": sha256("expired-key"), "not_after": "2020-01-01T00:00:00+01:00"},
        {"id": "off", "sha256": sha256("disabled-key"), "disabled": true},
        {"id": "odd", "sha256": sha256("key with/odd+signs")},
    ]})
}

/// One key of each algorithm, from every form that keys are written in.
fn every_key() -> Vec<Value> {
    vec![
        json!({"alg": "HS256", "secret": keys::SECRET}),
        json!({"alg": "HS384", "secret": {"env": "TEST_SECRET"}}),
        json!({"alg": "HS512", "secret": {"base64": crate::tokens::b64(keys::SECRET)}}),
        json!({"alg": "RS256", "pem": keys::RSA.public_pem}),
        json!({"alg": "RS384", "jwk": keys::RSA.jwk()}),
        json!({"alg": "RS512", "pem": keys::RSA.public_pem}),
        json!({"alg": "PS256", "pem": keys::RSA.public_pem}),
        json!({"alg": "PS384", "jwk": keys::RSA.jwk()}),
        json!({"alg": "PS512", "pem": keys::RSA.public_pem}),
        json!({"alg": "ES256", "pem": keys::P256.public_pem}),
        json!({"alg": "ES384", "jwk": keys::P384.jwk()}),
        json!({"alg": "ES512", "jwk": keys::P521.jwk()}),
        json!({"alg": "ES256K", "pem": keys::SECP256K1.public_pem}),
        json!({"alg": "EdDSA", "pem": keys::ED25519.public_pem}),
        json!({"alg": "ML-DSA-44", "jwk": keys::ml_dsa_public("44")}),
        json!({"alg": "ML-DSA-65", "jwk": keys::ml_dsa_public("65")}),
        json!({"alg": "ML-DSA-87", "jwk": keys::ml_dsa_public("87")}),
    ]
}

fn with_kid(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let read = json!([{"token": ["items:read"]}]);
    vec![
        (
            "algorithms",
            json!({
                "schemes": {"token": {"type": "oauth2", "flows": {}, "jwt": {"keys": every_key()}}},
                "security": read,
            }),
        ),
        (
            "key_set",
            json!({
                "schemes": {"token": {"type": "openIdConnect", "openIdConnectUrl": "https://idp.example/.well-known/openid-configuration",
                    "jwt": {"jwks": {"keys": [
                        with_kid(keys::P256.jwk(), "ec"),
                        with_kid(keys::RSA.jwk(), "rsa"),
                        with_kid(keys::ED25519.jwk(), "ed"),
                        {"kty": "RSA", "use": "enc", "kid": "enc", "n": "AA", "e": "AQAB"},
                        {"kty": "unheard-of"},
                    ]}}}},
                "security": [{"token": []}],
            }),
        ),
        (
            "claims",
            json!({
                "schemes": {"token": oauth2(json!({
                    "issuer": "https://idp.example", "audiences": ["api", "admin-api"],
                    "claims_to_headers": {"email": "X-Auth-Email", "n": "x-auth-n", "flag": "x-auth-flag", "groups": "x-auth-groups",
                        "address": "x-auth-address", "address.city": "x-auth-city", "https://example.com/tier": "x-auth-tier"},
                }))},
                "security": [{"token": []}],
            }),
        ),
        (
            "token",
            json!({"schemes": {"token": oauth2(json!({}))}, "security": read, "rules": [
                {"match": {"path": "/any"}, "security": [{"token": []}]},
                {"match": {"path": "/admin"}, "security": [{"token": ["admin"]}]},
                {"match": {"path": "/both"}, "security": [{"token": ["items:read", "items:write"]}]},
            ]}),
        ),
        (
            "sources",
            json!({
                "schemes": {
                    "token": bearer(json!({"from": [{"header": "Authorization"}, {"header": "X-Token", "prefix": "JWT "},
                        {"header": "X-Raw"}, {"query": "access_token"}, {"cookie": "session"}]})),
                    "kept": {"type": "http", "scheme": "Bearer", "jwt": hs256(), "forward": true},
                },
                "rules": [{"match": {"prefix": "/kept"}, "security": [{"kept": []}]}],
                "security": [{"token": []}],
            }),
        ),
        (
            "lenient",
            json!({
                "schemes": {"token": bearer(json!({"required_claims": [], "scope_claims": ["permissions"], "leeway_seconds": 0,
                    "algorithms": ["HS256"], "max_token_bytes": 400})),
                    "realm": {"type": "http", "scheme": "bearer", "jwt": hs256(), "realm": "my api", "missing_status": 401}},
                "rules": [{"match": {"path": "/scoped"}, "security": [{"token": ["go"]}]},
                    {"match": {"path": "/realm"}, "security": [{"realm": []}]}],
                "security": [{"token": []}],
            }),
        ),
        (
            "keys",
            json!({
                "schemes": {"header_key": key("header", "X-API-Key"), "query_key": key("query", "api_key"), "cookie_key": key("cookie", "api_key"),
                    "kept_header": {"type": "apiKey", "in": "header", "name": "X-Kept-Key", "api_keys": "partners", "forward": true},
                    "kept_query": {"type": "apiKey", "in": "query", "name": "kept", "api_keys": "partners", "forward": true}},
                "api_keys": partners(),
                "rules": [
                    {"match": {"path": "/header"}, "security": [{"header_key": []}]},
                    {"match": {"path": "/query"}, "security": [{"query_key": []}]},
                    {"match": {"path": "/cookie"}, "security": [{"cookie_key": []}]},
                    {"match": {"path": "/any"}, "security": [{"header_key": []}, {"query_key": []}, {"cookie_key": []}]},
                    {"match": {"path": "/write"}, "security": [{"header_key": ["items:write"]}]},
                    {"match": {"path": "/kept-header"}, "security": [{"kept_header": []}]},
                    {"match": {"path": "/kept-query"}, "security": [{"kept_query": []}]},
                    {"match": {"path": "/public"}, "security": []},
                ],
            }),
        ),
        (
            "requirements",
            json!({
                "schemes": {"oauth2": oauth2(json!({})), "bearer": bearer(json!({"from": [{"header": "X-Second"}]})),
                    "header_key": key("header", "X-API-Key"),
                    "strict_key": {"type": "apiKey", "in": "header", "name": "X-Strict", "api_keys": "partners", "missing_status": 401}},
                "api_keys": partners(),
                "rules": [
                    {"match": {"path": "/or"}, "security": [{"oauth2": ["items:read"]}, {"header_key": ["items:read"]}]},
                    {"match": {"path": "/or-reversed"}, "security": [{"header_key": ["items:write"]}, {"oauth2": ["items:write"]}]},
                    {"match": {"path": "/and"}, "security": [{"oauth2": ["items:read"], "header_key": ["items:write"]}]},
                    {"match": {"path": "/optional"}, "security": [{"oauth2": []}, {}]},
                    {"match": {"path": "/optional-first"}, "security": [{}, {"oauth2": []}]},
                    {"match": {"path": "/public"}, "security": []},
                    {"match": {"path": "/two-tokens"}, "security": [{"oauth2": []}, {"bearer": []}]},
                    {"match": {"path": "/strict"}, "security": [{"header_key": []}, {"strict_key": []}]},
                    {"match": {"path": "/key"}, "security": [{"header_key": []}]},
                    {"match": {"path": "/bearer"}, "security": [{"bearer": []}]},
                ],
            }),
        ),
        (
            "routing",
            json!({
                "schemes": {"token": oauth2(json!({}))},
                "rules": [
                    {"match": {"path": "/items/special"}, "security": []},
                    {"match": {"path": "/items/{id}", "methods": ["GET", "HEAD"]}, "security": []},
                    {"match": {"path": "/items/{id}/parts/{part}"}, "security": []},
                    {"match": {"path": "/read", "methods": ["GET"]}, "security": []},
                    {"match": {"path": "/split", "methods": ["GET"]}, "security": []},
                    {"match": {"path": "/split", "methods": ["HEAD"]}, "security": [{"token": []}]},
                    {"match": {"path": "/twins/{id}/{part}.{format}", "methods": ["GET"]}, "security": []},
                    {"match": {"path": "/twins/{twin}/{p}.{f}", "methods": ["HEAD"]}, "security": [{"token": []}]},
                    {"match": {"prefix": "/halves", "methods": ["GET"]}, "security": []},
                    {"match": {"prefix": "/halves/", "methods": ["HEAD"]}, "security": [{"token": []}]},
                    {"match": {"prefix": "/docs"}, "security": []},
                    {"match": {"prefix": "/static/"}, "security": []},
                    {"match": {"regex": "/v[0-9]+/open"}, "security": []},
                    {"match": {"regex": "/a|/b"}, "security": []},
                    {"match": {"path": "/hosted", "hosts": ["open.example.com", "*.wild.example.com", "rooted.example.com.", "[::1]"]}, "security": []},
                    {"match": {"path": "/reports/{year}-{month}.{format}"}, "security": []},
                    {"match": {"path": "/users/{id}:suspend"}, "security": []},
                    {"match": {"path": "/with space"}, "security": []},
                    {"match": {"path": "/first"}, "security": []},
                    {"match": {"path": "/first"}, "security": [{"token": []}]},
                    {"match": {"path": "/"}, "security": []},
                    {"match": {"prefix": "/secret"}, "security": [{"token": ["items:read"]}]},
                ],
            }),
        ),
        (
            "long paths",
            json!({"max_path_bytes": 8192, "rules": [{"match": {"prefix": "/docs"}, "security": []}]}),
        ),
        (
            "problem",
            json!({"schemes": {"token": oauth2(json!({}))}, "security": read, "errors": {"format": "problem"}}),
        ),
        (
            "text",
            json!({"schemes": {"token": oauth2(json!({}))}, "security": read, "errors": {"format": "text"},
            "cors_preflight": "check", "cache": {"entries": 0},
            "identity_headers": {"subject": "X-User", "scopes": "X-User-Scopes", "scheme": "X-User-Scheme"}}),
        ),
        (
            "dry",
            json!({"schemes": {"token": oauth2(json!({})), "key": key("query", "api_key")}, "api_keys": partners(),
            "rules": [{"match": {"path": "/key"}, "security": [{"key": []}]}, {"match": {"path": "/token"}, "security": read}],
            "mode": "dry_run"}),
        ),
    ]
}
