//! A dry run refuses nothing, not for the sake of passwords either.

use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::{Request, Response};
use lychgate_tests::keys::PASSWORD_HASH;
use serde_json::{Value, json};

use super::credentials::basic;
use super::recording;

/// `secret`: argon2id as dear as OWASP wants it.
const DEAR: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus";
const TOLD: &str = "x-auth-dry-run";

/// The user is one that no other listener has: failures of the same one count for all, where they share data.
fn policy(user: &str, hash: &str, passwords: &Value) -> Value {
    json!({
        "schemes": {"basic": {"type": "http", "scheme": "basic", "users": "staff"}},
        "users": {"staff": [{"username": user, "password": hash}]},
        "passwords": passwords,
        "security": [{"basic": []}],
        "mode": "dry_run",
        "identity_headers": {"dry_run": TOLD},
    })
}

fn log_in(envoy: &Envoy, listener: &str, password: &str) -> Response {
    let request = Request::get("/")
        .header("Authorization", basic(&format!("{listener}:{password}")))
        .header("X-Auth-Subject", "root")
        .header("X-Auth-Dry-Run", "nothing");
    envoy.send(listener, &request)
}

/// What the upstream got of a header.
fn at_upstream(answer: &Response, name: &str) -> Vec<String> {
    let headers = answer.json()["headers"].as_array().unwrap().clone();
    let own = headers.iter().filter(|pair| pair[0] == name);
    own.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

/// It goes on without an identity, with the refusal that was not carried out where a header is configured for it.
fn is_spared(answer: &Response, told: &[&str]) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(at_upstream(answer, TOLD), told);
    assert!(at_upstream(answer, "x-auth-subject").is_empty(), "{answer:?}");
    assert_eq!(at_upstream(answer, "authorization").len(), 1, "its credential goes on");
}

#[test]
fn a_dry_run_spares_a_password_that_is_throttled_or_comes_when_the_budget_is_used_up() {
    let many = json!({"max_failures": 3, "worker_share_percent": 100});
    let mut silent = policy("silent", PASSWORD_HASH, &many);
    silent["identity_headers"].as_object_mut().unwrap().remove("dry_run");
    // One rule of a policy that is enforced elsewhere.
    let mut rule = policy("rule", PASSWORD_HASH, &many);
    rule["mode"] = "enforce".into();
    rule["rules"] = json!([{"match": {"path": "/"}, "security": [{"basic": []}], "mode": "dry_run"}]);
    let little = json!({"max_failures": 1_000_000, "worker_share_percent": 1});
    let listeners = [
        Listener::new("throttled", policy("throttled", PASSWORD_HASH, &many)),
        Listener::new("rule", rule),
        Listener::new("silent", silent),
        Listener::new("busy", policy("busy", DEAR, &little)),
    ];
    let (upstream, _seen) = recording();
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    for listener in ["throttled", "rule"] {
        for _ in 0..3 {
            is_spared(&log_in(&envoy, listener, "guess"), &["401 password_wrong"]);
        }
        for password in ["guess", "secret"] {
            is_spared(&log_in(&envoy, listener, password), &["429 login_throttled"]);
        }
    }
    // Where it is not told, the client's own word in that header is a header like any other.
    for password in ["guess", "guess", "guess", "guess", "secret"] {
        is_spared(&log_in(&envoy, "silent", password), &["nothing"]);
    }
    let told = (0..200).find_map(|_| {
        let answer = log_in(&envoy, "busy", "guess");
        let told = at_upstream(&answer, TOLD).concat();
        is_spared(&answer, &[&told]);
        (told != "401 password_wrong").then_some(told)
    });
    assert_eq!(told.as_deref(), Some("503 login_busy"));
    assert!(super::is_module_alive(&envoy), "{}", envoy.log());
}
