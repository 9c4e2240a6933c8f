//! A policy that is replaced while requests wait: the one under which a request's head came judges it.

use std::thread;
use std::time::Duration;

use lychgate_tests::echo::Reply;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::held::Held;
use lychgate_tests::http::{self, Request};
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, manager, options, until};

const WAITING: usize = 32;

/// The token has `items:read`; `/probe/NAME` is public in the policy of this name alone.
fn policy(name: &str, scope: &str) -> Value {
    json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "introspection": {
            "uri": "http://idp.example/introspection", "cluster": "idp", "timeout_seconds": 60,
            "client_id": "gate", "client_secret": "a secret of the gate"}}},
        "rules": [{"match": {"path": "/public"}, "security": []},
                  {"match": {"path": format!("/probe/{name}")}, "security": []}],
        "security": [{"opaque": [scope]}],
    })
}

fn gate(policy: &Value, holds_heads: bool) -> Listener {
    let mut listener = Listener::new("gate", policy.clone()).manager(manager());
    listener.holds_heads = holds_heads;
    listener
}

fn arrived(envoy: &Envoy, name: &str) {
    let probe = Request::get(format!("/probe/{name}"));
    let is_there = || (0..10).all(|_| envoy.send("gate", &probe).status == 200);
    until(is_there, "the new policy is in force");
}

/// Requests that wait under `before` while `after` takes its place; what each of the two kinds gets.
fn replaced(before: &str, after: &str, holds_heads: bool) {
    let (held, witness) = (Held::start(), Witness::start());

    let status = |name: &str| if name == "opens" { 200 } else { 403 };
    let options = Options { concurrency: 2, ..options(&held) };
    let old = gate(&policy(before, scope_of(before)), holds_heads);
    let envoy = Envoy::start_dynamic(&[old], witness.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    arrived(&envoy, before);
    let addr = envoy.addr("gate");
    let send = |name: String| {
        let request =
            Request::post("/x").bearer(&name).header("x-case", &name).header("x-auth-subject", "root");
        http::send(addr, &request.body("text/plain", "a body")).unwrap()
    };
    let names = |kind: &str| (0..WAITING).map(|number| format!("{kind}-{number}")).collect::<Vec<_>>();
    let answer = Reply::json(&json!({"active": true, "sub": "johndoe", "scope": "items:read"}));
    thread::scope(|scope| {
        let wait = |kind: &str| {
            let threads: Vec<_> =
                names(kind).into_iter().map(|name| scope.spawn(move || send(name))).collect();
            for name in names(kind) {
                assert!(held.is_asked(&name, Duration::from_secs(10)), "{name}");
            }
            threads
        };
        let first = wait("first");
        let new = gate(&policy(after, scope_of(after)), holds_heads);
        envoy.replace(&[new], &options);
        arrived(&envoy, after);
        assert!(witness.with("x-case", "first-0").is_empty());
        let second = wait("second");
        for name in names("first").iter().chain(&names("second")) {
            held.release(name, answer.clone());
        }
        for (threads, judge) in [(first, before), (second, after)] {
            for (thread, number) in threads.into_iter().zip(0..) {
                let answer = thread.join().unwrap();
                assert_eq!(answer.status, status(judge), "{number}, judged by {judge}: {answer:?}");
            }
        }
    });
    for (kind, judge) in [("first", before), ("second", after)] {
        for name in names(kind) {
            let arrivals = witness.with("x-case", &name);
            assert_eq!(arrivals.len(), usize::from(judge == "opens"), "{name}: {arrivals:?}");
            for arrival in arrivals {
                assert_eq!(arrival.all("x-auth-subject"), ["johndoe"]);
                assert_eq!(arrival.body, b"a body");
            }
        }
    }
    assert!(is_alive(&envoy, &["gate"]), "{}", envoy.log());
}

fn scope_of(name: &str) -> &'static str {
    if name == "opens" { "items:read" } else { "admin" }
}

#[test]
fn a_policy_that_shuts_is_for_requests_that_come_after_it() {
    for holds_heads in [true, false] {
        replaced("opens", "shuts", holds_heads);
    }
}

#[test]
fn a_policy_that_opens_is_for_requests_that_come_after_it() {
    for holds_heads in [true, false] {
        replaced("shuts", "opens", holds_heads);
    }
}
