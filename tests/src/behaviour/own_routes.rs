//! The filter's own routes below rules: what a rule speaks of is not public.

use crate::http::Request;
use serde_json::{Value, json};

use super::people::{patient, staff};
use super::{API_KEY, Row, allowed, answered, refused, sha256};

/// A policy whose document, page and token endpoint are at and below `/internal`.
fn policy(rules: &Value) -> Value {
    json!({
        "openapi": {"serve": "/internal/openapi.json", "docs": "/internal/docs"},
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/internal/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": crate::keys::SECRET}]}, "users": "staff", "issue": {}},
        },
        "users": {"staff": staff()},
        "api_keys": {"partners": [{"id": "app", "sha256": sha256("good-key")}]},
        "passwords": patient(),
        "rules": rules,
        "security": [{"key": []}],
    })
}

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let key = json!([{"key": []}]);
    let of = |path: &str, condition: &str, values: Value| json!({"match": {"path": path, condition: values}, "security": key});
    let everywhere = |condition: Value, security: &Value| json!([{"match": condition, "security": security}]);
    vec![
        ("own routes, by default", policy(&json!([]))),
        (
            "own routes, by method",
            policy(&json!([
                of("/internal/openapi.json", "methods", json!(["GET"])),
                of("/internal/docs", "methods", json!(["GET"])),
                of("/internal/token", "methods", json!(["POST"])),
                {"match": {"prefix": "/"}, "security": []},
            ])),
        ),
        (
            "own routes, by host",
            policy(&json!([
                of("/internal/openapi.json", "hosts", json!(["internal.example"])),
                of("/internal/docs", "hosts", json!(["internal.example"])),
                of("/internal/token", "hosts", json!(["internal.example"])),
            ])),
        ),
        ("own routes, by prefix", policy(&everywhere(json!({"prefix": "/internal"}), &key))),
        ("own routes, by regex", policy(&everywhere(json!({"regex": "/internal/.*"}), &key))),
        ("own routes, by template", policy(&everywhere(json!({"path": "/internal/{page}"}), &key))),
        ("own routes, public by prefix", policy(&everywhere(json!({"prefix": "/internal"}), &json!([])))),
        // A host that neither is for falls under the one that asks for something.
        (
            "own routes, one host public",
            policy(&json!([
                {"match": {"prefix": "/internal", "hosts": ["health.local"]}, "security": []},
                {"match": {"prefix": "/internal", "hosts": ["internal.example"]}, "security": key},
            ])),
        ),
        // A dry run is no way around the one that is enforced.
        (
            "own routes, one host dry",
            policy(&json!([
                {"match": {"prefix": "/internal", "hosts": ["new.local"]}, "security": key, "mode": "dry_run"},
                {"match": {"prefix": "/internal", "hosts": ["internal.example"]}, "security": key},
            ])),
        ),
        ("own routes, dry", {
            let mut dry = policy(&everywhere(json!({"prefix": "/internal"}), &key));
            dry["mode"] = "dry_run".into();
            dry
        }),
        ("own routes, below everything", policy(&everywhere(json!({"prefix": "/"}), &key))),
        (
            "own routes, a token needed",
            policy(&everywhere(json!({"prefix": "/internal"}), &json!([{"token": []}]))),
        ),
    ]
}

const DOCUMENT: &str = "/internal/openapi.json";

fn login() -> Request {
    Request::post("/internal/token")
        .body("application/x-www-form-urlencoded", "username=alice&password=secret")
}

fn key(request: Request) -> Request {
    request.header("X-API-Key", "good-key")
}

fn missing(name: String, policy: &'static str, request: Request) -> Row {
    let mut row = refused(name, policy, request, 403, "Not authenticated", &[API_KEY]);
    // An answer to HEAD has no body in Envoy.
    if row.request.method == "HEAD" {
        row.expect.body = None;
    }
    row
}

pub fn rows() -> Vec<Row> {
    let get = Request::get;
    let head = |path: &str| Request::new("HEAD", path);
    let mut rows = Vec::new();
    for policy in ["own routes, by default", "own routes, below everything", "own routes, dry"] {
        rows.extend([
            answered(
                format!("{policy}: the document is public"),
                policy,
                get(DOCUMENT),
                200,
                &["\"openapi\""],
            ),
            answered(
                format!("{policy}: the page is public"),
                policy,
                get("/internal/docs"),
                200,
                &["swagger-ui"],
            ),
            answered(format!("{policy}: a login is public"), policy, login(), 200, &["access_token"]),
        ]);
    }
    for (policy, host) in
        [("own routes, one host public", "health.local"), ("own routes, one host dry", "new.local")]
    {
        let named = get(DOCUMENT).header("Host", host);
        rows.push(answered(format!("{policy}: the document there"), policy, named, 200, &["\"openapi\""]));
    }
    for policy in [
        "own routes, by method",
        "own routes, by host",
        "own routes, by prefix",
        "own routes, by regex",
        "own routes, one host public",
        "own routes, one host dry",
    ] {
        for (what, request) in [
            ("the document", get(DOCUMENT)),
            ("the document's head", head(DOCUMENT)),
            ("the document at another host", get(DOCUMENT).header("Host", "other.example")),
            ("the document at the host", get(DOCUMENT).header("Host", "internal.example")),
            ("the page", get("/internal/docs")),
            ("what the page loads", get("/internal/docs/initializer.js")),
            (
                "what the page loads, from another host",
                get("/internal/docs/swagger-ui.css").header("Host", "other.example"),
            ),
            ("a login", login()),
            ("a login at another host", login().header("Host", "other.example")),
        ] {
            rows.push(missing(format!("{policy}: {what} needs the key"), policy, request));
        }
        rows.extend([
            answered(
                format!("{policy}: the document with the key"),
                policy,
                key(get(DOCUMENT)),
                200,
                &["\"openapi\""],
            ),
            answered(format!("{policy}: its head with the key"), policy, key(head(DOCUMENT)), 200, &[]),
            answered(
                format!("{policy}: the page with the key"),
                policy,
                key(get("/internal/docs")),
                200,
                &["swagger-ui"],
            ),
            answered(format!("{policy}: a login with the key"), policy, key(login()), 200, &["access_token"]),
            refused(
                format!("{policy}: a wrong key at login"),
                policy,
                login().header("X-API-Key", "x"),
                403,
                "Invalid API key",
                &[],
            ),
        ]);
    }
    let template = "own routes, by template";
    rows.extend([
        missing(format!("{template}: the document needs the key"), template, get(DOCUMENT)),
        missing(
            format!("{template}: what the page loads needs it too"),
            template,
            get("/internal/docs/initializer.js"),
        ),
        answered(
            "own routes, public by prefix: said so",
            "own routes, public by prefix",
            get(DOCUMENT),
            200,
            &["\"openapi\""],
        ),
        refused(
            "own routes, a token needed: the document needs it",
            "own routes, a token needed",
            get(DOCUMENT),
            401,
            "Not authenticated",
            &[super::BEARER],
        ),
        answered(
            "own routes, a token needed: a login cannot be asked for what it asks for",
            "own routes, a token needed",
            login(),
            200,
            &["access_token"],
        ),
        allowed(
            "own routes, by method: the rest is as the rules say",
            "own routes, by method",
            get("/internal/other"),
        )
        .anonymous(),
    ]);
    rows
}
