//! What the filter tells of its work: stats, filter state, dry runs; and that the documentation, Envoy's
//! configuration, the dashboard and the alerts speak of the same.

mod documents;
mod envoy;
mod host;
mod misleading;
mod prometheus;

use std::fs;

use lychgate_tests::envoy::root;
use lychgate_tests::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256, PASSWORD_HASH as HASH};
use serde_json::{Value, json};

/// A policy in which everything there is to count can happen.
fn policy() -> Value {
    json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}, "users": "staff", "users_scopes": "token",
                "issue": {}},
            "fetched": {"type": "http", "scheme": "bearer", "jwt": {
                "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "certificate": {"type": "mutualTLS", "allow": [{"sha256": KEY_SHA256, "id": "machine"}]},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH, "scopes": ["items:read"]}]},
        "api_keys": {"partners": [{"id": "mobile-app", "sha256": KEY_SHA256}]},
        "rules": [
            {"match": {"path": "/health"}, "security": [], "name": "health"},
            {"match": {"path": "/items/{id}", "methods": ["GET"]},
             "security": [{"oauth2": ["items:read"]}, {"key": []}]},
            {"match": {"path": "/fetched"}, "security": [{"fetched": []}]},
            {"match": {"path": "/basic"}, "security": [{"basic": []}]},
            {"match": {"path": "/certificate"}, "security": [{"certificate": []}]},
            {"match": {"path": "/new"}, "security": [{"oauth2": []}], "mode": "dry_run", "name": "new"},
        ],
        "filter_state": true,
        "errors": {"request_id": true},
        "identity_headers": {"dry_run": "x-auth-dry-run"},
        "openapi": {"serve": "/openapi.json"},
    })
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The name of a stat, and its labels with their values.
fn parts(stat: &str) -> (String, Vec<(String, String)>) {
    let mut parts: Vec<_> = stat.split(";.;").collect();
    let name = parts.pop().unwrap().to_owned();
    let label = |part: &&str| {
        let (key, value) = part.split_once("=.=").unwrap_or_else(|| panic!("{stat}"));
        (key.to_owned(), value.to_owned())
    };
    (name, parts.iter().map(label).collect())
}
