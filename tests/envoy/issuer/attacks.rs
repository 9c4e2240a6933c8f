//! What strangers can do to what is fetched, each as it was done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::{Connection, Request};
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

use super::{get, until};

fn gate(idp: &Upstream, scheme: &Value, breaker: Option<u32>) -> (Envoy, Upstream) {
    let options = Options { clusters: vec![("idp".into(), idp.addr())], breaker, ..Options::default() };
    gate_with(scheme, &options)
}

fn gate_with(scheme: &Value, options: &Options) -> (Envoy, Upstream) {
    let policy = json!({
        "schemes": {"token": scheme},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"token": []}],
    });
    let upstream = Upstream::start();
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn introspecting(idp: &Upstream, cache_seconds: u32) -> Value {
    json!({"type": "http", "scheme": "bearer", "introspection": {
        "uri": format!("http://{}/introspect", idp.addr()), "cluster": "idp", "client_id": "gate",
        "client_secret": "secret", "cache_seconds": cache_seconds,
    }})
}

/// Sends a token for each number, over so many connections at once; their statuses.
fn flood(envoy: &Envoy, tokens: u32, connections: u32) -> Vec<u16> {
    let statuses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for first in 0..connections {
            let statuses = &statuses;
            scope.spawn(move || {
                let mut connection = Connection::open(envoy.addr("gate")).unwrap();
                for number in (first..tokens).step_by(connections as usize) {
                    let answer =
                        connection.send(&Request::get("/").bearer(format!("made-up-{number}"))).unwrap();
                    statuses.lock().unwrap().push(answer.status);
                }
            });
        }
    });
    statuses.into_inner().unwrap()
}

/// 4,160 made-up tokens, and the good ones were forgotten; with the issuer away they were answered 503.
#[test]
fn made_up_tokens_do_not_make_a_good_one_be_forgotten() {
    let is_away = Arc::new(AtomicBool::new(false));
    let idp = Upstream::serve({
        let is_away = Arc::clone(&is_away);
        move |request| {
            if is_away.load(Ordering::SeqCst) {
                return Reply::status(503);
            }
            let is_good = request.body.starts_with(b"token=good&");
            Reply::json(&json!({"active": is_good, "sub": "machine"}))
        }
    });
    let (envoy, _upstream) = gate(&idp, &introspecting(&idp, 3600), None);
    assert_eq!(get(&envoy, "/", "good").status, 200);
    let statuses = flood(&envoy, 4160, 64);
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    is_away.store(true, Ordering::SeqCst);
    assert_eq!(get(&envoy, "/", "good").status, 200, "what is known is known");
    assert_eq!(get(&envoy, "/", "another").status, 503);
}

#[test]
fn twenty_tokens_that_an_issuer_answers_by_400_are_one_line_and_a_count() {
    let idp = Upstream::serve(|_| Reply::status(400));
    let (envoy, _upstream) = gate(&idp, &introspecting(&idp, 60), None);
    let statuses = flood(&envoy, 20, 4);
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    let lines = |what: &str| envoy.log().lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines("introspection: status 400"), 1, "{}", envoy.log());
    let deadline = Instant::now() + Duration::from_secs(20);
    while lines("19 lines of this kind were left out") == 0 {
        assert!(Instant::now() < deadline, "{}", envoy.log());
        // A worker of the native module has no ticks while no request waits: the next request has it look at the time.
        if Artefact::from_environment() == Artefact::Native {
            assert_eq!(envoy.send("gate", &Request::get("/")).status, 403, "no token: no line of this kind");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(lines("introspection: status 400"), 2, "{}", envoy.log());
}

/// 1,024 questions in one tick against a circuit breaker: those that it did not let through were failures.
#[test]
fn questions_that_a_circuit_breaker_holds_back_are_asked_later() {
    let idp = Upstream::serve(|_| {
        std::thread::sleep(Duration::from_millis(50));
        Reply::json(&json!({"active": false}))
    });
    let (envoy, _upstream) = gate(&idp, &introspecting(&idp, 60), Some(16));
    let statuses = flood(&envoy, 400, 200);
    let refused = statuses.iter().filter(|status| **status == 401).count();
    println!("circuit breaker of 16: {refused} of {} answered 401", statuses.len());
    assert_eq!(refused, 400, "{statuses:?}");
    assert_eq!(idp.hits(), 400);
}

/// Calls that got by `max_pending_requests` and met `max_requests` when they had a connection: Envoy answered
/// 503 for the issuer, and that was taken for its answer.
#[test]
fn questions_that_overflow_a_circuit_breaker_later_are_asked_again() {
    let idp = Upstream::serve(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Reply::json(&json!({"active": false}))
    });
    let thresholds = json!({"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 4});
    let options = Options {
        clusters: vec![("idp".into(), idp.addr())],
        cluster_members: json!({"circuit_breakers": {"thresholds": [thresholds]}}),
        ..Options::default()
    };
    let (envoy, _upstream) = gate_with(&introspecting(&idp, 60), &options);
    let statuses = flood(&envoy, 200, 100);
    let refused = statuses.iter().filter(|status| **status == 401).count();
    let overflows = envoy.stat("cluster.idp.upstream_rq_503");
    println!("circuit breaker of 4: {refused} of {} answered 401, {overflows} overflows", statuses.len());
    assert_eq!(refused, 200, "{statuses:?}\n{}", envoy.log());
    assert!(overflows > 0, "it is not for want of trying");
    assert_eq!(idp.hits(), 200);
}

/// A forged token named the `kid` that the issuer was to publish next: the genuine one was refused for three
/// times `refetch_seconds`.
#[test]
fn a_guessed_kid_does_not_keep_the_genuine_key_out() {
    let key = |kid: &str| {
        let mut jwk = keys::P256.jwk();
        jwk["kid"] = kid.into();
        jwk
    };
    let set = Arc::new(Mutex::new(json!({"keys": [key("one")]})));
    let idp = Upstream::serve({
        let set = Arc::clone(&set);
        move |_| Reply::json(&set.lock().unwrap())
    });
    let jwks = json!({"uri": format!("http://{}/jwks", idp.addr()), "cluster": "idp", "refetch_seconds": 4});
    let scheme = json!({"type": "http", "scheme": "bearer", "jwt": {"remote_jwks": jwks}});
    let (envoy, _upstream) = gate(&idp, &scheme, None);
    let token = |kid: &str| Token::new().header("kid", kid);
    assert_eq!(get(&envoy, "/", &token("one").sign("ES256")).status, 200);
    assert_eq!(get(&envoy, "/", &token("next").sign_by_stranger("ES256")).status, 401);
    assert!(envoy.log().contains("a token names the unknown key \"next\""), "{}", envoy.log());
    *set.lock().unwrap() = json!({"keys": [key("one"), key("next")]});
    let took = until(&envoy, &token("next").sign("ES256"), 200, Duration::from_secs(15));
    println!("the genuine key was taken after {took:?}, with refetch_seconds 4");
    assert!(took < Duration::from_secs(8), "at the next fetch, not the one after the next: {took:?}");
}

/// Plugins that share a `vm_id` share their shared data, and an empty one is shared by all.
#[test]
fn an_empty_vm_id_is_warned_of_and_one_that_is_shared_by_two_of_ours_is_no_harm() {
    let idp = Upstream::serve(|_| Reply::json(&json!({"keys": [keys::P256.jwk()]})));
    let jwks = json!({"uri": format!("http://{}/jwks", idp.addr()), "cluster": "idp"});
    let policy = |realm: &str| {
        json!({
            "schemes": {"token": {"type": "http", "scheme": "bearer", "realm": realm, "jwt": {"remote_jwks": jwks}}},
            "security": [{"token": []}],
        })
    };
    let says = "vm_config.vm_id is empty";
    for (vm_id, is_warned) in [("", true), ("ours", false)] {
        let listeners = ["one", "two"].map(|name| {
            let mut listener = Listener::new(name, policy(name));
            listener.vm_id = vm_id.into();
            listener
        });
        let before = idp.hits();
        let upstream = Upstream::start();
        let options = Options { clusters: vec![("idp".into(), idp.addr())], ..Options::default() };
        let envoy = Envoy::start(&listeners, upstream.addr(), &options);
        let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
        let token = Token::new().sign("ES256");
        for name in ["one", "two"] {
            assert_eq!(envoy.send(name, &Request::get("/").bearer(&token)).status, 200, "{}", envoy.log());
        }
        // The native module has no `vm_id`.
        let is_warned = is_warned && Artefact::from_environment() == Artefact::Wasm;
        assert_eq!(envoy.log().contains(says), is_warned, "{}", envoy.log());
        assert_eq!(idp.hits() - before, 1, "the same keys are fetched once");
    }
}
