//! Opaque tokens (RFC 7662).

use std::sync::atomic::Ordering;
use std::time::Duration;

use lychgate_tests::configuration::with;
use lychgate_tests::http::Request;
use lychgate_tests::issuer::{Behaviour, Issuer};
use serde_json::{Value, json};

use super::{gate, get, until};

fn policy(issuer: &Issuer, settings: &Value) -> Value {
    let introspection = json!({
        "uri": format!("{}/token/introspection", issuer.url()), "cluster": "idp",
        "client_id": "gate", "client_secret": {"env": "GATE_SECRET"},
    });
    let introspection = with(introspection, settings);
    json!({
        "schemes": {"opaque": {"type": "oauth2", "flows": {}, "introspection": introspection}},
        "rules": [{"match": {"path": "/write"}, "security": [{"opaque": ["items:write"]}]}],
        "security": [{"opaque": ["items:read"]}],
    })
}

fn asked(issuer: &Issuer) -> usize {
    issuer.seen().introspections.load(Ordering::SeqCst)
}

#[test]
fn an_opaque_token_is_asked_after_once_and_remembered() {
    let Some(issuer) = Issuer::start() else { return };
    for settings in [
        json!({}),
        json!({"client_id": "gate-post", "client_secret": "gate-secret", "auth_method": "client_secret_post"}),
    ] {
        let (envoy, _upstream) = gate(&issuer, policy(&issuer, &settings), 1);
        let before = asked(&issuer);
        let token = issuer.token("items:read", false);
        let first = get(&envoy, "/", &token);
        assert_eq!(first.status, 200, "{first:?}");
        // A client that acts for itself has no subject (RFC 7662 section 2.2), and its name is none.
        assert!(first.text().contains("[\"x-auth-scopes\",\"items:read\"]"), "{first:?}");
        assert!(!first.text().contains("x-auth-subject"), "{first:?}");
        for _ in 0..20 {
            assert_eq!(get(&envoy, "/", &token).status, 200);
        }
        assert_eq!(get(&envoy, "/write", &token).status, 403);
        assert_eq!(asked(&issuer) - before, 1);
        // A no is remembered too.
        for _ in 0..20 {
            let answer = get(&envoy, "/", "an-unknown-opaque-token");
            assert_eq!(answer.status, 401);
            assert_eq!(answer.json(), json!({"detail": "Could not validate credentials"}));
        }
        assert_eq!(asked(&issuer) - before, 2);
    }
}

#[test]
fn many_requests_with_one_token_cost_one_question() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, policy(&issuer, &json!({})), 1);
    let token = issuer.token("items:read", false);
    issuer.behave(Behaviour::Slow(Duration::from_millis(500)));
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(get(&envoy, "/", &token).status, 200));
        }
    });
    assert_eq!(asked(&issuer), 1);
}

#[test]
fn a_revoked_token_is_refused_when_its_time_is_over() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, policy(&issuer, &json!({"cache_seconds": 2})), 1);
    let token = issuer.token("items:read", false);
    assert_eq!(get(&envoy, "/", &token).status, 200);
    let revoked = issuer.post("/token/revocation", &format!("token={token}"), "machine", "machine-secret");
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let took = until(&envoy, &token, 401, Duration::from_secs(5));
    println!("introspection: refused {took:?} after it was revoked");
}

#[test]
fn an_issuer_that_cannot_be_asked_is_an_outage_and_no_401() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, policy(&issuer, &json!({"timeout_seconds": 1})), 1);
    let (known, unknown) = (issuer.token("items:read", false), issuer.token("items:read", false));
    assert_eq!(get(&envoy, "/", &known).status, 200);
    for fault in
        [Behaviour::Down, Behaviour::Errors, Behaviour::Slow(Duration::from_secs(3)), Behaviour::Babbles]
    {
        issuer.behave(fault);
        std::thread::sleep(Duration::from_millis(1500));
        let answer = get(&envoy, "/", &unknown);
        assert_eq!(answer.status, 503, "{fault:?}: {answer:?}");
        assert_eq!(answer.json(), json!({"detail": "Token introspection is not available"}));
        assert!(answer.header("retry-after").is_some());
        assert_eq!(get(&envoy, "/", &known).status, 200, "{fault:?}: what is known is known");
        assert_eq!(envoy.send("gate", &Request::get("/")).status, 401);
    }
    issuer.behave(Behaviour::Passes);
    until(&envoy, &unknown, 200, Duration::from_secs(10));
}
