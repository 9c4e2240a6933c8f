//! Dry runs of the whole policy and of one rule, and refusals that name their request.

use crate::http::Request;
use crate::keys;
use crate::tokens::Token;
use serde_json::{Value, json};

use super::{API_KEY, BEARER_READ, Expect, INVALID_TOKEN, Row, allowed, answered, refused, sha256};

fn schemes() -> Value {
    json!({
        "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners",
            "missing_status": 401},
    })
}

fn partners() -> Value {
    json!({"partners": [{"id": "mobile-app", "sha256": sha256("good-key")}]})
}

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let token = json!([{"token": ["items:read"]}]);
    let named = |format: &str| json!({"schemes": schemes(), "api_keys": partners(), "rules": [{"match": {"path": "/"}, "security": token}], "errors": {"format": format, "request_id": true}, "openapi": {"serve": "/openapi.json"}});
    vec![
        (
            "one rule dry",
            json!({
                "schemes": schemes(), "api_keys": partners(),
                "rules": [
                    {"match": {"path": "/new"}, "security": token, "mode": "dry_run", "name": "new"},
                    {"match": {"path": "/old"}, "security": token, "mode": "enforce"},
                    {"match": {"path": "/key"}, "security": [{"key": []}]},
                    {"match": {"path": "/public"}, "security": []},
                ],
                "security": token,
                "identity_headers": {"dry_run": "X-Auth-Dry-Run"},
            }),
        ),
        (
            "one rule enforced",
            json!({
                "schemes": schemes(), "api_keys": partners(),
                "rules": [
                    {"match": {"path": "/old", "hosts": ["api.example"]}, "security": token, "mode": "enforce"},
                    {"match": {"path": "/key"}, "security": [{"key": []}]},
                ],
                "mode": "dry_run",
                "identity_headers": {"dry_run": "x-auth-dry-run"},
            }),
        ),
        ("request id", named("fastapi")),
        ("request id, problem", named("problem")),
        ("request id, text", named("text")),
    ]
}

const TOLD: &str = "x-auth-dry-run";

fn one_rule() -> Vec<Row> {
    let get = Request::get;
    let stranger = Token::reader().sign_by_stranger("HS256");
    let scopeless = Token::new().sign("HS256");
    let reader = Token::reader().sign("HS256");
    let dry = "one rule dry";
    let invalid = "Could not validate credentials";
    vec![
        allowed("one rule dry: no credential passes", dry, get("/new").header("X-Auth-Subject", "admin"))
            .anonymous()
            .with(TOLD, "401 credential_missing"),
        allowed("one rule dry: a bad token passes and stays", dry, get("/new").bearer(&stranger))
            .anonymous()
            .with(TOLD, "401 token_bad_signature")
            .with("authorization", &format!("Bearer {stranger}")),
        allowed("one rule dry: a scope that is lacking passes", dry, get("/new").bearer(&scopeless))
            .anonymous()
            .with(TOLD, "403 scope_lacking"),
        allowed("one rule dry: what is good is allowed as ever", dry, get("/new").bearer(&reader))
            .identity("johndoe", "items:read", "token")
            .without(TOLD)
            .without("authorization"),
        allowed(
            "one rule dry: a client cannot set the refusal of a dry run",
            dry,
            get("/new").bearer(&reader).header("X-Auth-Dry-Run", "nothing"),
        )
        .without(TOLD),
        allowed(
            "one rule dry: nor where that header is configured",
            dry,
            get("/new").header("X-Auth-Dry-Run", "nothing"),
        )
        .with(TOLD, "401 credential_missing"),
        allowed(
            "one rule dry: nor on a public path",
            dry,
            get("/public").header("x-auth-dry-run", "401").header("x_auth_dry_run", "401"),
        )
        .without(TOLD)
        .without("x_auth_dry_run"),
        refused("one rule dry: others refuse", dry, get("/old"), 401, "Not authenticated", &[BEARER_READ]),
        refused(
            "one rule dry: the default refuses",
            dry,
            get("/x").bearer(&stranger),
            401,
            invalid,
            &[INVALID_TOKEN],
        ),
        refused("one rule dry: other schemes refuse", dry, get("/key"), 401, "Not authenticated", &[API_KEY]),
        refused("one rule dry: an ambiguous path is refused", dry, get("//new"), 400, "Ambiguous path", &[]),
    ]
}

fn one_rule_enforced() -> Vec<Row> {
    let dry = "one rule enforced";
    let old = |path: &str| Request::get(path).header("Host", "api.example");
    vec![
        allowed("one rule enforced: others pass", dry, Request::get("/key"))
            .with(TOLD, "401 credential_missing")
            .anonymous(),
        allowed("one rule enforced: no rule passes", dry, Request::get("/old")).with(TOLD, "403 no_rule"),
        refused("one rule enforced: it refuses", dry, old("/old"), 401, "Not authenticated", &[BEARER_READ]),
        refused(
            "one rule enforced: a path that may be meant for it is refused",
            dry,
            old("/x/../old"),
            400,
            "Ambiguous path",
            &[],
        ),
        refused(
            "one rule enforced: a host that may be meant for it is refused",
            dry,
            Request::get("/old").header("Host", "api.example,x"),
            400,
            "Ambiguous host",
            &[],
        ),
    ]
}

fn request_ids() -> Vec<Row> {
    let get = |id: &str| Request::get("/").header("X-Request-Id", id);
    let id = "5a7c4e0e-1b8f-4d5e-9c5f-0123456789ab";
    let row = |name: &str, policy, request, body: Value| {
        let challenges = vec![BEARER_READ.to_owned()];
        let expect = Expect { status: 401, body: Some(body), challenges, ..Expect::default() };
        Row { name: name.into(), policy, request, expect }
    };
    let mut silent = answered(
        "request id: one that is none is not repeated",
        "request id",
        get("<b>x</b>"),
        401,
        &["Not authenticated"],
    );
    silent.expect.challenges = vec![BEARER_READ.to_owned()];
    silent.expect.never = vec!["<b>"];
    vec![
        row(
            "request id: in the detail's object",
            "request id",
            get(id),
            json!({"detail": "Not authenticated", "request_id": id}),
        ),
        row(
            "request id: in problem details",
            "request id, problem",
            get(id),
            json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Not authenticated", "request_id": id}),
        ),
        row(
            "request id: in text",
            "request id, text",
            get(id),
            format!("Not authenticated\nrequest id: {id}").into(),
        ),
        silent,
        answered(
            "request id: the document says that it is there",
            "request id",
            Request::get("/openapi.json"),
            200,
            &["\"request_id\":{\"type\":\"string\"}"],
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    [one_rule(), one_rule_enforced(), request_ids()].into_iter().flatten().collect()
}
