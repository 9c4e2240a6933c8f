//! A password beside tokens that are waited for.

use std::thread;
use std::time::Duration;

use lychgate_tests::echo::Reply;
use lychgate_tests::envoy::{Artefact, Envoy};
use lychgate_tests::held::Held;
use lychgate_tests::http::Request;
use lychgate_tests::keys::PASSWORD_HASH;
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, until};
use super::load::{Crowd, gathered, listener, start};

const STRANGERS: usize = 12;

fn policy() -> Value {
    json!({
        "schemes": {
            "t": {"type": "http", "scheme": "bearer", "introspection": {
                "uri": "http://idp.example/introspection", "cluster": "idp", "timeout_seconds": 60,
                "client_id": "gate", "client_secret": "a secret of the gate", "from": [{"cookie": "session"}]}},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD_HASH}]},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"t": []}, {"basic": []}],
    })
}

fn hashed(envoy: &Envoy) -> u64 {
    let name = "lychgate_password_checks_total";
    envoy.stat(&Artefact::from_environment().stat(name, &[("result", "hashed")]))
}

fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

/// Each answer to one of the strangers had the password hashed and counted once more: ten hashes, and the
/// user was locked out after one typo.
#[test]
fn one_typo_beside_twelve_waiting_strangers_is_one_hash_and_no_lockout() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy())], &held, &witness);
    let addr = envoy.addr("upstream");
    let cookie = |token: &str| ("Cookie".to_owned(), format!("session={token}"));
    let strangers: Vec<_> =
        (0..STRANGERS).map(|number| vec![cookie(&format!("stranger-{number}"))]).collect();
    let strangers = Crowd::http1(addr, "/x", &strangers);
    let typo = vec![cookie("expired"), ("Authorization".to_owned(), basic("johndoe:sceret"))];
    let typo = Crowd::http1(addr, "/x", &[typo]);
    gathered(&envoy, "upstream", STRANGERS + 1);
    let inactive = || Reply::json(&json!({"active": false}));
    for number in 0..STRANGERS {
        // One after the other, so that each is an answer of its own.
        held.release(&format!("stranger-{number}"), inactive());
        let left = || envoy.stat("http.upstream.downstream_rq_active");
        until(|| left() <= (STRANGERS - number) as u64, "it is answered");
    }
    held.release("expired", inactive());
    for answer in strangers.answers().into_iter().chain(typo.answers()) {
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let is_counted = || {
        if Artefact::counts_with_requests_alone() {
            assert_eq!(envoy.send("upstream", &Request::get("/public")).status, 200);
        }
        hashed(&envoy) > 0
    };
    until(is_counted, "the typo is counted");
    // What is counted is carried over once a second.
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(hashed(&envoy), 1);
    let right = Request::get("/x").header("Authorization", basic("johndoe:secret"));
    let answer = envoy.send("upstream", &right);
    assert_eq!(answer.status, 200, "one typo is no lockout: {answer:?}");
    until(|| hashed(&envoy) >= 2, "the right one is counted");
    assert_eq!(hashed(&envoy), 2);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}
