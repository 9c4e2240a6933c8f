//! Dry runs of some rules, beside rules that are enforced.

use serde_json::{Value, json};

use super::Engine;
use super::tests::{NOW, engine, introspection};
use crate::decision::Decision;
use crate::host::InMemoryHost;
use crate::request::Request;

fn policy(rules: &Value) -> Value {
    let mut opaque = introspection();
    opaque["introspection"]["cache_seconds"] = json!(60);
    json!({
        "schemes": {
            "k": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "all"},
            "t": opaque,
        },
        "api_keys": {"all": []},
        "rules": rules,
    })
}

/// What becomes of a request: a word for it, and the reason if there is one.
fn outcome(engine: &Engine, method: &str, path: &str) -> (&'static str, &'static str) {
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b":authority", b"localhost"),
        (b"authorization", b"Bearer opaque"),
    ];
    match engine.decide(&Request::new(&headers), &InMemoryHost::at(NOW), true) {
        Decision::Allow(allow) => {
            ("allowed", allow.shadow_denial.map_or("", |denial| denial.reason.as_str()))
        }
        Decision::Deny(denial) => ("denied", denial.reason.as_str()),
        Decision::Pause(_) => ("waits", ""),
        Decision::LocalReply(_) => ("answered", ""),
        Decision::AwaitBody(_) => ("login", ""),
    }
}

/// A dry run of the rule for every method was a way around the enforced rule for GET.
#[test]
fn a_method_in_lower_case_does_not_get_by_an_enforced_rule_through_a_dry_run() {
    let key = json!([{"k": []}]);
    let enforced = json!({"match": {"path": "/x", "methods": ["GET"]}, "security": key});
    for (other, is_enforced) in [
        (json!({"match": {"prefix": "/"}, "security": key, "mode": "dry_run"}), "no_rule"),
        (json!({"match": {"prefix": "/"}, "security": [{"t": []}], "mode": "dry_run"}), "no_rule"),
        (json!({"match": {"prefix": "/"}, "security": [{"t": []}]}), "no_rule"),
        (json!({"match": {"prefix": "/"}, "security": [], "mode": "dry_run"}), "no_rule"),
    ] {
        let engine = engine(&policy(&json!([enforced, other])));
        for method in ["get", "gEt", "head"] {
            assert_eq!(outcome(&engine, method, "/x"), ("denied", is_enforced), "{method} {other}");
        }
        assert_eq!(outcome(&engine, "GET", "/x").0, "denied");
        assert_ne!(outcome(&engine, "put", "/x").0, "denied", "{other}");
    }
    // A dry run of the rule for GET refuses nothing, and says so.
    let dry = json!({"match": {"path": "/x", "methods": ["GET"]}, "security": key, "mode": "dry_run"});
    let public = json!({"match": {"prefix": "/"}, "security": []});
    let engine = engine(&policy(&json!([dry, public])));
    assert_eq!(outcome(&engine, "get", "/x"), ("allowed", "no_rule"));
}

/// A request for the page that found no place to wait went to the upstream instead.
#[test]
fn a_page_is_served_in_a_dry_run_where_there_is_no_place_to_wait() {
    let mut policy = policy(&json!([{"match": {"prefix": "/internal"}, "security": [{"t": []}]}]));
    policy["mode"] = "dry_run".into();
    policy["openapi"] = json!({"serve": "/internal/openapi.json", "docs": "/internal/docs"});
    let engine = engine(&policy);
    for (path, details) in [
        ("/internal/openapi.json", "lychgate_answered{openapi}"),
        ("/internal/docs", "lychgate_answered{docs}"),
    ] {
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", path.as_bytes()),
            (b":authority", b"localhost"),
            (b"authorization", b"Bearer opaque"),
        ];
        let request = Request::new(&headers);
        let Decision::Pause(awaited) = engine.decide(&request, &InMemoryHost::at(NOW), true) else {
            panic!("{path}: it is to wait")
        };
        // What the filter does where there is no place.
        let attribution = crate::decision::Attribution::rule(awaited.rule);
        let denial = crate::decision::Denial::too_many_waiting().at(attribution);
        match engine.refuse(denial, &request) {
            Decision::LocalReply(response) => {
                assert_eq!((response.status, response.details.as_str()), (200, details));
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}
